// The protocol versions this library reads and writes, as the first byte of every message, and their names.

export type WireVersion = 1 | OxmVersion;

/**
 * Versions whose matches are OXM: 1.3, 1.4, 1.5. Codecs of these take this type and may compare with `<` and `>=`; those of
 * 1.0, which is another protocol with the same header, live in v10/.
 */
export type OxmVersion = 4 | 5 | 6;

/** What is offered in a hello unless the user of the library says otherwise. */
export const WIRE_VERSIONS: readonly OxmVersion[] = [4, 5, 6];

/** The specification's name of a version byte, also of those that are only recognised. */
export function versionName(version: number): string {
  return version >= 1 && version <= 6 ? `OpenFlow 1.${version - 1}` : `OpenFlow version 0x${version.toString(16)}`;
}

export function isWireVersion(version: number): version is WireVersion {
  return version === 1 || isOxmVersion(version);
}

export function isOxmVersion(version: number): version is OxmVersion {
  return version === 4 || version === 5 || version === 6;
}
