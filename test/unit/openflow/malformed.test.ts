// What a malformed message is answered with, in the numbers of its version, and messages that neither Open vSwitch nor
// Wireshark reads, byte by byte.
import { expect } from 'chai';
import { WireError } from '../../../src/base/errors.ts';
import { errorName, errorNumbers } from '../../../src/openflow/error-names.ts';
import { answerToMalformed } from '../../../src/openflow/malformed.ts';
import { decodeMessage, encodeFrame } from '../../../src/openflow/message.ts';
import type { Message } from '../../../src/openflow/message.ts';
import type { WireVersion } from '../../../src/openflow/wire-version.ts';

/** Annotated hex: comments and blanks go. */
const bytes = (text: string): Buffer => Buffer.from(text.replaceAll(/#.*$/gm, '').replaceAll(/\s/g, ''), 'hex');

function answerTo(frame: Buffer): string {
  try {
    decodeMessage(frame);
  } catch (fault) {
    if (!(fault instanceof WireError)) throw fault;
    const answer = answerToMalformed(frame, fault);
    if (answer === null) return 'none';
    const version = (frame[0] ?? 4) as WireVersion;
    return errorName(answer.errorType, answer.errorCode, { version, data: answer.data });
  }
  return 'readable';
}

const MALFORMED: readonly (readonly [what: string, hex: string, answer: string])[] = [
  ['a group of type 9', '040f0010 00000001 0000 09 00 00000007', 'OFPGMFC_BAD_TYPE'],
  ['a group command that came with 1.5 and one', '050f0010 00000001 0004 00 00 00000007', 'OFPGMFC_BAD_COMMAND'],
  [
    'a bucket shorter than itself',
    '040f0020 00000001 0000 0000 00000007 0008 0000 00000000 00000000 00000000',
    'OFPBRC_BAD_LEN',
  ],
  ['a flow-mod command 5', '040e0038 00000001 0000000000000000 0000000000000000 00 05', 'OFPFMFC_BAD_COMMAND'],
  ['a meter command 3', '041d0010 00000001 0003 0000 00000001', 'OFPMMFC_BAD_COMMAND'],
  ['role 4', '04180018 00000001 00000004 00000000 0000000000000000', 'OFPRRFC_BAD_ROLE'],
  ['a bundle control of type 8', '05210010 00000001 00000001 0008 0000', 'OFPBFC_BAD_TYPE'],
  ['the same in the extension for 1.3', '04040018 00000001 4f4e4600 000008fc 00000001 0008 0000', 'OFPBFC_BAD_TYPE'],
  [
    'a bundle in a bundle',
    '05220020 00000001 00000001 0000 0000 05220010 00000001 00000001 0000 0000',
    'OFPBFC_MSG_UNSUP',
  ],
  ['a bundled message of 4 bytes', '05220018 00000001 00000001 0000 0000 05140004 00000001', 'OFPBFC_MSG_BAD_LEN'],
  ['a property shorter than its head', '05110018 00000001 03 000000 00000000 0002 0003 00000001', 'OFPBPC_BAD_LEN'],
  [
    'a property of 1.3 longer than what holds it',
    `04120058 00000001 000c 0000 00000000
     0048 00 0000000000 ${'00'.repeat(32)} ${'00'.repeat(24)} 0000 0010 00000000`,
    'OFPTFFC_BAD_LEN',
  ],
  ['a port-mod cut short', '0410000c 00000001 00000001', 'OFPBRC_BAD_LEN'],
];

describe('a malformed message is answered', () => {
  for (const [what, hex, answer] of MALFORMED) {
    it(`${what}: ${answer}`, () => {
      const frame = bytes(hex);
      frame.writeUInt16BE(frame.length, 2);
      expect(answerTo(frame)).to.equal(answer);
    });
  }

  it('not when it is an error itself', () => {
    expect(answerTo(bytes('0401000a 00000001 0001'))).to.equal('none');
  });
});

describe('names of errors', () => {
  it('are those of the version', () => {
    const name = (version: WireVersion, errorType: number, errorCode: number): string =>
      errorName(errorType, errorCode, { version });
    expect([name(4, 13, 3), name(5, 13, 3), name(6, 13, 9)]).to.deep.equal([
      'OFPTFFC_BAD_LEN',
      'OFPET_TABLE_FEATURES_FAILED/3',
      'OFPTFFC_BAD_COMMAND',
    ]);
    expect([name(4, 3, 9), name(5, 3, 9)]).to.deep.equal(['OFPET_BAD_INSTRUCTION/9', 'OFPBIC_DUP_INST']);
    expect([name(5, 2, 16), name(6, 2, 16)]).to.deep.equal(['OFPET_BAD_ACTION/16', 'OFPBAC_BAD_SET_MASK']);
    expect([name(5, 17, 18), name(6, 17, 18)]).to.deep.equal(['OFPET_BUNDLE_FAILED/18', 'OFPBFC_SCHED_PAST']);
  });

  for (const version of [4, 5, 6] as const) {
    it(`lead back to their numbers, wire version ${version}`, () => {
      for (let errorType = 0; errorType < 18; errorType += 1) {
        for (let errorCode = 0; errorCode < 20; errorCode += 1) {
          const name = errorName(errorType, errorCode, { version });
          if (name.includes('/')) continue;
          expect(errorNumbers(name, version), name).to.include({ errorType, errorCode });
        }
      }
    });
  }

  it('of bundles are the ONF’s in 1.3', () => {
    expect(errorNumbers('OFPBFC_MSG_FAILED', 4)).to.deep.equal({
      errorType: 0xffff,
      errorCode: 2313,
      head: Buffer.from('4f4e4600', 'hex'),
    });
  });
});

const WHOLE: readonly (readonly [what: string, hex: string, message: Message])[] = [
  [
    'controller-status of 1.5', // as Ryu writes it
    `0623 0038 00000000
     0030 ffff 00000001 01 01 000000000000        # 48 bytes, short id, equal, channel_status, down
     0000 001a 746c733a3139322e3136382e33342e32333a36363533 000000000000  # URI, 22 characters, padded`,
    {
      type: 'controller_status',
      controller: {
        shortId: 0xffff,
        role: 'equal',
        reason: 'channel_status',
        channel: 'down',
        properties: [{ type: 'uri', uri: 'tls:192.168.34.23:6653' }],
      },
    },
  ],
  [
    'flow counters of 1.5', // as Ryu writes it
    `0613 0038 00000000 0011 0000 00000000
     0028 0000 01 00 0001                          # 40 bytes, table 1, because of a request, priority 1
     0001 000c 80000004 00000001 00000000         # match: in_port 1, padded
     0000 000c 80020604 00000001 00000000         # stats: flow_count 1, padded`,
    {
      type: 'multipart_reply',
      more: false,
      body: {
        part: 'flow_stats',
        flows: [
          {
            table: 1,
            reason: 'stats_request',
            priority: 1,
            match: [{ name: 'in_port', value: 1 }],
            stats: [{ name: 'flow_count', value: 1n }],
          },
        ],
      },
    },
  ],
  [
    'a bucket of 1.5 whose properties have an order of their own',
    `060f 0038 00000001 0000 01 00 00000007 0020 0000 ffffffff
     0020 0000 00000002                            # 32 bytes, no actions, bucket 2
     0001 0008 00000003 0000 0008 0005 0000 ffff 0008 00000001`,
    {
      type: 'group_mod',
      command: 'add',
      groupType: 'select',
      groupId: 7,
      commandBucketId: 0xffffffff,
      buckets: [
        {
          bucketId: 2,
          actions: [],
          watchPort: 3,
          weight: 5,
          properties: [
            { type: 'watch_port', port: 3 },
            { type: 'weight', weight: 5 },
            { type: 'unknown', propertyType: 0xffff, body: Buffer.from('00000001', 'hex') },
          ],
        },
      ],
    },
  ],
  [
    'meter features of 1.5 as Open vSwitch has them',
    '0613 0020 00000001 000b 0000 00000000 00000064 00000006 0000000f 08 02 0000',
    {
      type: 'multipart_reply',
      more: false,
      body: { part: 'meter_features', maxMeter: 100, bandTypes: 6, capabilities: 15, maxBands: 8, maxColor: 2 },
    },
  ],
  [
    'a stat trigger',
    `060e 0050 00000001 0000000000000000 0000000000000000 00 00 0000 0000 0001 ffffffff ffffffff ffffffff 0000 0000
     0001 0004 00000000
     0007 0018 00000001 0000 0010 80020808 0000000000000064  # periodic, at 100 packets`,
    {
      type: 'flow_mod',
      command: 'add',
      table: 0,
      priority: 1,
      cookie: 0n,
      cookieMask: 0n,
      idleTimeout: 0,
      hardTimeout: 0,
      flags: 0,
      importance: 0,
      bufferId: 0xffffffff,
      outPort: 0xffffffff,
      outGroup: 0xffffffff,
      match: [],
      instructions: [{ type: 'stat_trigger', flags: 1, thresholds: [{ name: 'packet_count', value: 100n }] }],
    },
  ],
];

describe('byte by byte', () => {
  for (const [what, hex, message] of WHOLE) {
    it(what, () => {
      const frame = decodeMessage(bytes(hex));
      expect(frame.message).to.deep.equal(message);
      expect(frame.reserved).to.equal(undefined);
      expect(encodeFrame(frame).toString('hex')).to.equal(bytes(hex).toString('hex'));
    });
  }
});
