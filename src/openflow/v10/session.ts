// Hello, vendor messages and features of 1.0 (1.0.1 sections 5.5.1, 5.5.4, 5.3.1). Errors, echoes, configuration and
// barriers have the codecs of later versions.

import { WireError } from '../../base/errors.ts';
import { constant, encode, list, padded, rest, struct, u32, u64, u8 } from '../../wire/codec.ts';
import type { Codec, Wire } from '../../wire/codec.ts';
import { hello } from '../messages/session.ts';
import type { FeaturesReply, Hello } from '../messages/session.ts';
import type { PortDescription } from '../ports.ts';
import { port10 } from './ports.ts';

/** 1.0 says nothing of what a hello holds: elements are read where there are some, and anything else is kept as it is. */
export interface Hello10 extends Hello {
  readonly body?: Buffer;
}

export const hello10: Codec<Hello10> = {
  read: (r, f) => {
    const start = r.offset;
    try {
      const read = hello.read(r, f);
      if (encode(hello, read).length === r.end - start) return read;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
    r.offset = start;
    return { type: 'hello', elements: [], body: Buffer.from(r.rest()) };
  },
  write: (w, v, f) => {
    if (v.body === undefined) hello.write(w, v, f);
    else w.raw(v.body);
  },
};

/** A vendor message too short for the message type that vendors put first; others read as `experimenter`. */
export const vendor = struct({ type: constant('vendor'), vendor: u32, data: rest });
export type Vendor = Wire<typeof vendor>;

/** With the ports, and the actions that the switch knows: bit n for OFPAT10 number n. OFPC_* bit 3 is spanning tree here. */
export interface FeaturesReply10 extends FeaturesReply {
  readonly actions: number;
  readonly ports: readonly PortDescription[];
}

const features = struct({
  datapathId: u64,
  buffers: u32,
  tables: padded(u8, 3),
  capabilities: u32,
  actions: u32,
  ports: list(port10),
});

export const featuresReply10: Codec<FeaturesReply10> = {
  read: (r, f) => ({ type: 'features_reply', auxiliaryId: 0, reserved: 0, ...features.read(r, f) }),
  write: (w, v, f) => {
    features.write(w, v, f);
  },
};
