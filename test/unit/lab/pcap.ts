// Capture files made by hand.

export const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

/** 02:..:03 > 02:..:01, VLAN 101, IPv4 TCP 10.0.0.3:7000 > 10.0.0.1:20000, ACK. */
export const TCP4 = hex(`02534600010102534600010381000065 0800
  4500003400004000400626c2 0a000003 0a000001  1b584e20 00000001 00000002 8010 01f6 0000 0000 0101080a0000000100000002`);

export function pcap(frames: readonly (readonly [number, Buffer])[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(128, 16);
  header.writeUInt32LE(1, 20);
  const records = frames.map(([atMs, frame]) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(Math.floor(atMs / 1000), 0);
    record.writeUInt32LE(Math.round((atMs % 1000) * 1000), 4);
    record.writeUInt32LE(frame.length, 8);
    record.writeUInt32LE(frame.length, 12);
    return Buffer.concat([record, frame]);
  });
  return Buffer.concat([header, ...records]);
}
