/**
 * The partition a key belongs to: murmur2 as in Kafka's Java client, so that every client of every language and both
 * adapters place a key alike. The contract suite compares it with where the real broker finds the record.
 */
export function partitionOf(key: string, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions
}

const MIX = 0x5bd1e995

function murmur2(key: string): number {
  const bytes = bytesOf(key)
  const { length } = bytes
  const aligned = length & ~3
  let hash = 0x9747b28c ^ length
  for (let i = 0; i < aligned; i += 4) {
    let word = bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24)
    word = Math.imul(word, MIX)
    word ^= word >>> 24
    hash = Math.imul(hash, MIX) ^ Math.imul(word, MIX)
  }
  const rest = length & 3
  if (rest === 3) hash ^= bytes[aligned + 2] << 16
  if (rest >= 2) hash ^= bytes[aligned + 1] << 8
  if (rest >= 1) hash = Math.imul(hash ^ bytes[aligned], MIX)
  hash ^= hash >>> 13
  hash = Math.imul(hash, MIX)
  return hash ^ (hash >>> 15)
}

// Keys are mostly short symbols in ASCII: this runs for every record produced, so it should not allocate for them.
const SHORT_MAX = 24
const shorts = Array.from({ length: SHORT_MAX + 1 }, (_, length) => new Uint8Array(length))

function bytesOf(key: string): Uint8Array {
  if (key.length > SHORT_MAX) return Buffer.from(key)
  const bytes = shorts[key.length]
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i)
    if (code > 127) return Buffer.from(key)
    bytes[i] = code
  }
  return bytes
}
