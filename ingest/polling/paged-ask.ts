import { isPlatformError } from '../../domain/errors.ts'
import type { Reparsed } from '../source.ts'
import { VendorError } from '../vendor-error.ts'
import type { Feed, FeedCursor } from './feed.ts'

/** A list that is still not at its end after so many pages is none of ours. */
export const PAGES_MAX = 200

export interface PageAnswer extends Reparsed {
  /** Where the list goes on, in the vendor's own words; undefined: here it ends. */
  readonly next: string | undefined
}

/** A list of which one answer holds but a part. `R` is what is asked for, from the first page to the last. */
export interface PagedList<R> {
  /** Undefined: there is nothing to ask for. */
  readonly begin: (cursor: FeedCursor | undefined) => R | undefined
  readonly page: (round: R, next: string | undefined, signal: AbortSignal) => Promise<PageAnswer>
  /** All of it was told: where to go on from the next time. Undefined: as before. */
  readonly end: (round: R, cursor: FeedCursor | undefined) => FeedCursor | undefined
}

/**
 * Asks for a list one page at a time. Cursor and rhythm move once it is at its end, so whatever happens before, all of it is
 * asked for again. A page of which nothing can be read is asked for again too: not all of its items are bad, but the answer.
 */
export function pagedAsk<R>(list: PagedList<R>): Feed['ask'] {
  let underWay: { readonly round: R; readonly next: string; readonly pages: number } | undefined
  return async (cursor, signal) => {
    const round = underWay?.round ?? list.begin(cursor)
    if (round === undefined) return { facts: [], rejects: [] }
    const pages = (underWay?.pages ?? 0) + 1
    try {
      const { facts, rejects, next } = await list.page(round, underWay?.next, signal)
      const [reject] = rejects
      if (reject !== undefined && facts.length === 0)
        throw new VendorError('VENDOR_ANSWER', reject.reason, { original: reject.original })
      if (next !== undefined && (pages >= PAGES_MAX || next === underWay?.next))
        throw new VendorError('VENDOR_ANSWER', `A list does not end: page ${pages} leads to another`)
      underWay = next === undefined ? undefined : { round, next, pages }
      if (next !== undefined) return { facts, rejects, goesOn: true }
      const moved = list.end(round, cursor)
      return { facts, rejects, ...(moved && { cursor: moved }) }
    } catch (error) {
      // Where the vendor is away, the page that was asked for is still the next.
      if (!isPlatformError(error) || !error.retryable) underWay = undefined
      throw error
    }
  }
}
