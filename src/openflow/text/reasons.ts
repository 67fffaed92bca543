// Reasons of packet-in, flow-removed and port-status in ovs-ofctl's words; numbers where it has none.

export const PACKET_IN_REASONS = ['no_match', 'action', 'invalid_ttl', 'action_set', 'group', 'packet_out'];
export const FLOW_REMOVED_REASONS = ['idle', 'hard', 'delete', 'group_delete', 'meter_delete', 'eviction'];

export const reasonName = (reason: number): string => PACKET_IN_REASONS[reason] ?? String(reason);

/** Null for no such reason. */
export function reasonOf(name: string): number | null {
  const index = PACKET_IN_REASONS.indexOf(name);
  return index === -1 ? null : index;
}

export const removedReasonName = (reason: number): string => FLOW_REMOVED_REASONS[reason] ?? String(reason);
