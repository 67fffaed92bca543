// What several answers are made of. The descriptions go into the OpenAPI document.

import { z } from 'zod';

/** What cannot be changed is shown as such. */
export type Shown<T> = T extends readonly (infer U)[]
  ? readonly Shown<U>[]
  : T extends object
    ? { readonly [K in keyof T]: Shown<T[K]> }
    : T;

export const dpid = z.string().describe('Datapath id of an NVE, 16 hexadecimal digits.');
export const vnid = z.int().describe('VNID of a Virtual Network.');
export const portNumber = z.int().describe('OpenFlow port number.');
export const address = z.string().describe('IPv4 or IPv6 address.');
export const mac = z.string().describe('MAC address, six pairs of hexadecimal digits with colons.');
export const stateHostId = z.string().describe('Identity of a State Host, from its certificate.');
export const milliseconds = z.number().describe('Milliseconds.');
export const wallMs = z.number().describe('Milliseconds since the Unix epoch, on the clock of the controller.');
export const counts = z.record(z.string(), z.number()).describe('Counters by name, since the controller started.');
