import { createHash } from 'node:crypto'
import { ORIGINAL_BYTES_MAX, type Reject } from './source.ts'

/** Positions are numbers: so many bits of the hash are kept as a double holds exactly. */
const HASH_BITS = 53n

/** The position of a reject that has none of its own: the same bytes have the same one, so they are kept once. */
export const positionOf = (original: Uint8Array): number =>
  Number(createHash('sha256').update(original).digest().readBigUInt64BE() >> (64n - HASH_BITS))

/** An item of an answer that could not be read, cut to what a dead letter holds. */
export function itemReject(reason: string, original: Buffer): Omit<Reject, 'feed'> {
  const cut = original.length > ORIGINAL_BYTES_MAX ? ` (cut from ${original.length} bytes)` : ''
  return {
    position: positionOf(original),
    reason: reason + cut,
    original: original.subarray(0, ORIGINAL_BYTES_MAX),
  }
}

/** A whole answer that could not be read. */
export const rejectOf = (reason: string, original: Buffer, feed: string): Reject => ({
  ...itemReject(reason, original),
  feed,
})
