// The protocol versions this library speaks, as the first byte of every message, and their names.

export type WireVersion = 4 | 5 | 6;

export const WIRE_VERSIONS: readonly WireVersion[] = [4, 5, 6];

/** The specification's name of a version byte, also of those that are only recognised. */
export function versionName(version: number): string {
  return version >= 1 && version <= 6 ? `OpenFlow 1.${version - 1}` : `OpenFlow version 0x${version.toString(16)}`;
}

export function isWireVersion(version: number): version is WireVersion {
  return version === 4 || version === 5 || version === 6;
}
