// Multipart requests and replies that an extension has: who, which, and the two bodies.

import type { Codec } from '../../wire/codec.ts';
import { groupParts } from '../multipart/groups.ts';
import { NICIRA, ONF } from '../oxm-fields.ts';
import type { WireVersion } from '../wire-version.ts';
import { nxFlowMonitorPart, onfFlowMonitorPart } from './flow-monitor.ts';
import type { FlowMonitorReply, FlowMonitorRequest } from './flow-monitor.ts';
import { nxAggregatePart, nxFlowPart, nxIpfixBridgePart, nxIpfixFlowPart } from './stats.ts';
import type { NxAggregateReply, NxFlowReply, NxFlowRequest, NxIpfixBridgeReply, NxIpfixFlowReply } from './stats.ts';

export interface ExtensionPart {
  readonly part: string;
  readonly experimenter: number;
  readonly expType: number;
  readonly request: Codec<unknown>;
  readonly reply: Codec<unknown>;
}

export type ExtensionRequestBody =
  | FlowMonitorRequest
  | NxFlowRequest<'nx_flow'>
  | NxFlowRequest<'nx_aggregate'>
  | { readonly part: 'nx_ipfix_bridge' }
  | { readonly part: 'nx_ipfix_flow' };

export type ExtensionReplyBody =
  FlowMonitorReply | NxFlowReply | NxAggregateReply | NxIpfixBridgeReply | NxIpfixFlowReply;

interface Bodies<Q, A> {
  readonly request: Codec<Q>;
  readonly reply: Codec<A>;
}

const part = <Q, A>(name: string, experimenter: number, expType: number, bodies: Bodies<Q, A>): ExtensionPart => ({
  part: name,
  experimenter,
  expType,
  request: bodies.request,
  reply: bodies.reply,
});

/** Numbers of the parts about groups in 1.0, whose bodies are those of later versions. */
const GROUPS_10: Readonly<Record<string, number>> = { group: 7, group_desc: 8, group_features: 9 };

const groupParts10 = (): readonly ExtensionPart[] =>
  groupParts(1).map((row) => part(row.part, NICIRA, GROUPS_10[row.part] ?? 0, row));

/** NXST_* and ONFST_*: which versions Open vSwitch takes each in. */
export const extensionParts = (version: WireVersion): readonly ExtensionPart[] => [
  ...(version === 1
    ? [
        part('nx_flow', NICIRA, 0, nxFlowPart),
        part('nx_aggregate', NICIRA, 1, nxAggregatePart),
        part('nx_flow_monitor', NICIRA, 2, nxFlowMonitorPart),
        ...groupParts10(),
      ]
    : []),
  part('nx_ipfix_bridge', NICIRA, 3, nxIpfixBridgePart),
  part('nx_ipfix_flow', NICIRA, 4, nxIpfixFlowPart),
  ...(version === 4 ? [part('nx_flow_monitor', ONF, 1870, onfFlowMonitorPart)] : []),
];
