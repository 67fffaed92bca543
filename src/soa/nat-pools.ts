// Addresses this State Host may translate to: single ones or prefixes from its configuration.

import ipaddr from 'ipaddr.js';

/** Raises RangeError for what is neither address nor prefix. The returned test takes address bytes as a latin1 string. */
export function natPools(texts: readonly string[]): (address: string) => boolean {
  const prefixes = texts.map((text) => {
    if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
    if (!ipaddr.isValid(text)) throw new RangeError(`not an address or prefix: ${text}`);
    const address = ipaddr.parse(text);
    return [address, address.kind() === 'ipv4' ? 32 : 128] as [typeof address, number];
  });
  return (bytes) => {
    const address = ipaddr.fromByteArray([...Buffer.from(bytes, 'latin1')]);
    return prefixes.some(([network, length]) => network.kind() === address.kind() && address.match(network, length));
  };
}
