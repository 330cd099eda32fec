import type { FactTopic } from '../../platform/bus/topics.ts'
import type { Reparsed } from '../source.ts'

/** Plain JSON that says where a feed goes on: the last id seen, an ETag, the day that was read to. */
export type FeedCursor = { readonly [key: string]: string | number | boolean | null | readonly string[] }

/** One thing to ask a vendor for, again and again: a quote of one symbol, a list of headlines, a series. */
export interface Feed {
  /** Stable and unique within its source: it names the feed in checkpoints, plans, dead letters and metrics' logs. */
  readonly name: string
  /** Whom it is about, where it is about certain instruments: whoever watches one moves the feed forward in the plan. */
  readonly symbols?: readonly string[]
  /** It tells their prices: its next turn is when those are updated. */
  readonly tellsPrices?: true
  /** Where its rejects would have gone, where they do not say so themselves. */
  readonly topic?: FactTopic
  /** Requests of the vendor's budget that one ask costs at most. */
  readonly cost: number
  /**
   * The earliest moment when asking again can tell anything new, by the vendor's own rhythm: a minute for a quote while the
   * market is open, the next release for a series. Pure. `lastAskedMs` is undefined where it was never asked.
   */
  dueMs(nowMs: number, lastAskedMs: number | undefined): number
  /**
   * Asks once, through the source's one client.
   * @throws VendorError. VENDOR_UNKNOWN and VENDOR_REFUSED put this feed aside until the next start; VENDOR_REFUSED with
   * `ofKey` ends the whole source once no other key is left.
   */
  ask(cursor: FeedCursor | undefined, signal: AbortSignal): Promise<FeedAnswer>
  /** What was put aside, parsed once more by the parser of today. Pure. @throws VendorError VENDOR_ANSWER */
  reparse(original: Buffer): Reparsed
}

export interface FeedAnswer extends Reparsed {
  /**
   * There was something, and nothing of it could be read: what is told once a day, or only where it has changed, would be
   * lost. It is asked for again as after an answer that is none, and the cursor stays where it was.
   */
  readonly isUnread?: boolean
  /** Undefined: as it was. */
  readonly cursor?: FeedCursor
  /** There is more of it: it does not count as asked for, and stays due, also over a restart. */
  readonly goesOn?: boolean
}
