// The numbers both ends of IF(M,A) agree on.

/** Versions of IF(M,A) this code speaks, newest first. */
export const PROTOCOL_VERSIONS: readonly number[] = [1];

/** One message; a State chunk stays far below it (agents cut at 64-256 KiB). */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
/** One notification of IF(M,T). */
export const MAX_NOTIFICATION_BYTES = 16 * 1024;
/** Above this gRPC does not even collect the bytes; between the two a message is refused by name and counted. */
export const MAX_FRAME_BYTES = 4 * MAX_MESSAGE_BYTES;
/** HTTP/2 window per stream and per connection: a snapshot must not crawl at 64 KiB per round trip. */
export const WINDOW_BYTES = 4 * 1024 * 1024;

export const NONCE_BYTES = 16;
export const LLDP_KEY_BYTES = 32;

/** The highest version both sides speak, or null. */
export function negotiateVersion(ours: readonly number[], theirs: readonly number[]): number | null {
  const common = ours.filter((v) => theirs.includes(v));
  return common.length === 0 ? null : Math.max(...common);
}
