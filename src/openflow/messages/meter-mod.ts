// Meter-mod and its bands (1.3.5 section 7.3.4.4).

import { constant, defaulted, list, named, padded, rest, struct, u16, u32, u8 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import { tlv } from '../../wire/tlv.ts';
import type { TlvRow } from '../../wire/tlv.ts';
import type { MeterBand, MeterMod } from '../model.ts';

type Band = MeterBand & { readonly type: NonNullable<MeterBand['type']> };

const row = (name: string, code: number, body: Codec<unknown>): TlvRow<Band> => ({
  name,
  code,
  body: body as Codec<Band>,
});

const bands = list(
  tlv<Band>({
    rows: [
      row('drop', 1, struct({ type: constant('drop'), rate: u32, burstSize: padded(u32, 4) })),
      row(
        'dscp_remark',
        2,
        struct({ type: constant('dscp_remark'), rate: u32, burstSize: u32, precLevel: padded(defaulted(u8, 0), 3) }),
      ),
      row(
        'experimenter',
        0xffff,
        struct({ type: constant('experimenter'), rate: u32, burstSize: u32, experimenter: u32, body: rest }),
      ),
    ],
    unknown: (bandType, body) => ({
      type: 'unknown',
      bandType,
      rate: body.length >= 8 ? body.readUInt32BE(0) : 0,
      burstSize: body.length >= 8 ? body.readUInt32BE(4) : 0,
      body,
    }),
    verbatim: (band) =>
      band.type === 'unknown' ? { code: band.bandType ?? 0, body: band.body ?? Buffer.alloc(0) } : null,
  }),
);

/** A band without a type is OFPMBT_DROP. */
export const meterBands: Codec<readonly MeterBand[]> = {
  read: (r, f) => bands.read(r, f),
  write: (w, v, f) => {
    bands.write(
      w,
      v.map((band) => ({ ...band, type: band.type ?? 'drop' })),
      f,
    );
  },
};

export const meterMod: Codec<MeterMod> = struct({
  type: constant('meter_mod'),
  command: named(u16, { add: 0, modify: 1, delete: 2 }),
  flags: u16,
  meterId: u32,
  bands: meterBands,
});
