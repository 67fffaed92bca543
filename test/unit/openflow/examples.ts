// One example at least of every message and of every part of 1.0, 1.3, 1.4 and 1.5, those of extensions too.

import type { Message } from '../../../src/openflow/message.ts';
import type { ReplyBody } from '../../../src/openflow/messages/multipart.ts';
import type { WireVersion } from '../../../src/openflow/wire-version.ts';
import { modExamples } from './mod-examples.ts';
import { extensions } from './nicira-examples.ts';
import { partExamples } from './part-examples.ts';
import { PORT, sessionExamples, STATS } from './session-examples.ts';
import { V10 } from './v10-examples.ts';
import { V10_STATS } from './v10-stats-examples.ts';

const DATA = Buffer.from('01020304', 'hex');
const STRANGER = { experimenter: 0x12345678, expType: 9, data: DATA };
const VENDOR = { vendor: 0x12345678, data: Buffer.alloc(0) };

const reply = (body: ReplyBody): Message => ({ type: 'multipart_reply', more: false, body });

/** Of vendors and experimenters that nobody knows; in 1.0 also too short to tell what they are. */
const strangers = (version: WireVersion): readonly Message[] => [
  { type: 'experimenter', ...STRANGER },
  { type: 'multipart_request', more: false, body: { part: 'experimenter', ...STRANGER } },
  reply({ part: 'experimenter', ...STRANGER }),
  ...(version === 1
    ? [
        { type: 'vendor', ...VENDOR } as const,
        { type: 'multipart_request', more: false, body: { part: 'vendor', ...VENDOR } } as const,
        reply({ part: 'vendor', ...VENDOR }),
      ]
    : []),
];

const partOf = (message: Message): string => ('body' in message && 'part' in message.body ? message.body.part : '');

/** Parts that are the same in 1.0 and later. */
const SHARED = new Set(['desc', 'flow', 'nx_ipfix_bridge', 'nx_ipfix_flow', 'group_features']);

function shared(version: WireVersion): readonly Message[] {
  const from: readonly (readonly [Message, ...unknown[]])[] = version === 1 ? partExamples(4) : V10_STATS;
  const messages = from.map(([message]) => message).filter((message) => SHARED.has(partOf(message)));
  return version === 1
    ? messages
    : [
        ...messages.map(later),
        { type: 'multipart_request', more: false, body: { part: 'port_desc' } },
        reply({ part: 'port_desc', ports: [PORT] }),
      ];
}

/** Later versions tell more of flows, and ports have a form of their own. */
function later(message: Message): Message {
  if (message.type !== 'multipart_reply' || message.body.part !== 'flow') return message;
  return reply({ ...message.body, flows: message.body.flows.map((row) => ({ ...row, stats: STATS })) });
}

export function examplesOf(version: WireVersion): readonly Message[] {
  const own = version === 1 ? [...V10, ...V10_STATS] : [...modExamples(version), ...partExamples(version)];
  return [
    ...[...own, ...extensions(version)].map(([message]) => message),
    ...(version === 1 ? [] : sessionExamples(version)),
    ...shared(version),
    ...strangers(version),
  ];
}
