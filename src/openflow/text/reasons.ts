// Reasons of packet-in, flow-removed and port-status in ovs-ofctl's words; numbers where it has none.

const PACKET_IN = ['no_match', 'action', 'invalid_ttl', 'action_set', 'group', 'packet_out'];
const FLOW_REMOVED = ['idle', 'hard', 'delete', 'group_delete', 'meter_delete', 'eviction'];

export const reasonName = (reason: number): string => PACKET_IN[reason] ?? String(reason);

/** Null for no such reason. */
export function reasonOf(name: string): number | null {
  const index = PACKET_IN.indexOf(name);
  return index === -1 ? null : index;
}

export const removedReasonName = (reason: number): string => FLOW_REMOVED[reason] ?? String(reason);
