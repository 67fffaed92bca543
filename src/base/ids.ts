// Branded identifiers: a number or string that names one kind of thing and cannot be passed for another.

type Brand<T, B extends string> = T & { readonly __brand: B };

/** OpenFlow datapath id: 16 lower-case hex digits, as ovs-vsctl prints it. */
export type Dpid = Brand<string, 'Dpid'>;
/** OpenFlow port number (32 bit from OpenFlow 1.1 on). */
export type PortNo = Brand<number, 'PortNo'>;
/** The draft's VNID: the number that names a Virtual Network within the administrative domain (24 bit). */
export type Vnid = Brand<number, 'Vnid'>;
/** The draft's identity of a State Host: a name unique in the network, equal to its certificate's SAN. */
export type StateHostId = Brand<string, 'StateHostId'>;
/** One migration, unique over all lives of the controller, e.g. `m-000017`. */
export type MigrationId = Brand<string, 'MigrationId'>;
/** Ethernet address, lower case, colons: `aa:bb:cc:dd:ee:ff`. */
export type Mac = Brand<string, 'Mac'>;
/** IPv4 dotted quad, or IPv6 in the form of RFC 5952. */
export type IpAddress = Brand<string, 'IpAddress'>;

export const dpid = (text: string): Dpid => text.toLowerCase().padStart(16, '0') as Dpid;
export const portNo = (value: number): PortNo => value as PortNo;
export const vnid = (value: number): Vnid => value as Vnid;
export const stateHostId = (text: string): StateHostId => text as StateHostId;
export const migrationId = (text: string): MigrationId => text as MigrationId;
export const mac = (text: string): Mac => text.toLowerCase() as Mac;
export const ipAddress = (text: string): IpAddress => text.toLowerCase() as IpAddress;
