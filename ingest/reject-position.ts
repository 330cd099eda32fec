import { createHash } from 'node:crypto'

/** Positions are numbers: so many bits of the hash are kept as a double holds exactly. */
const HASH_BITS = 53n

/** The position of a reject that has none of its own: the same bytes have the same one, so they are kept once. */
export const positionOf = (original: Uint8Array): number =>
  Number(createHash('sha256').update(original).digest().readBigUInt64BE() >> (64n - HASH_BITS))
