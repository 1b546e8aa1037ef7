/** FNV-1a with 32 bits (Fowler, Noll and Vo; RFC 9923), the hash behind the subject mapping `partition()` of nats-server. */

const offsetBasis = 0x811c9dc5;
const prime = 0x01000193;

/** An unsigned 32-bit number. */
export function fnv1a32(bytes: Uint8Array): number {
  let hash = offsetBasis;
  for (let at = 0; at < bytes.byteLength; at += 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), prime);
  return hash >>> 0;
}
