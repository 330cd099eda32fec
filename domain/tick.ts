import { PlatformError } from './errors.ts'
import { isSymbol } from './instrument.ts'

/** One trade print for one instrument, exactly as it happened. Never changed after it is made. */
export interface Tick {
  readonly symbol: string
  /** In the instrument's currency; positive. */
  readonly price: number
  /** Shares, coins or units; zero where the venue does not tell. */
  readonly size: number
  /** When the trade happened at the venue, milliseconds since 1970 UTC. Orders bars and alerts. */
  readonly eventTimeMs: number
  /** When we first saw it, milliseconds since 1970 UTC. The difference is our latency. */
  readonly ingestTimeMs: number
  /**
   * The source's own number for the print (trade id, line of a tape). With symbol, event time and source it is the
   * natural key: the same print read twice is one row. Orders prints of one millisecond.
   */
  readonly seq: number
  /** Which source told us, e.g. `simulated` or `replay:trades-2013-10-07`. */
  readonly source: string
  /**
   * How many facts this source had told before this one. It only grows, and a source that starts again from a
   * checkpoint gives the same fact the same position, so processors drop what they have already seen. -1: not told.
   */
  readonly position: number
}

export const PRICE_MAX = 10_000_000
export const SIZE_MAX = 1e12
/** A tick from further ahead than this would move every watermark and make all true ticks late. */
export const CLOCK_SKEW_MAX_MS = 60_000

/** The only way to make a tick, so nothing after it checks again. @throws INVALID_EVENT with what was wrong. */
export function tick(fields: Tick): Tick {
  checkSymbol(fields.symbol)
  checkSource(fields.source)
  checkPrint(fields.price, fields.size, fields.eventTimeMs, fields.ingestTimeMs, fields.seq, fields.position)
  return Object.freeze(fields)
}

// The rules one by one, for the reader of the bus: it meets the same symbols and sources over and over and makes no
// objects. Whoever calls these instead of tick() calls all three.

/** @throws INVALID_EVENT */
export function checkSymbol(symbol: string): void {
  if (!isSymbol(symbol)) throw invalid('symbol must be 1 to 20 of A-Z 0-9 . - / = ^', symbol)
}

/** It becomes part of keys, headers and index entries: those hold no NUL and are not endless. */
const SOURCE = /^\P{Cc}{1,500}$/u

/** @throws INVALID_EVENT */
export function checkSource(source: string): void {
  if (!SOURCE.test(source))
    throw invalid('source must be 1 to 500 characters, none of them a control character', source)
}

/** @throws INVALID_EVENT */
export function checkPrint(
  price: number,
  size: number,
  eventTimeMs: number,
  ingestTimeMs: number,
  seq: number,
  position: number,
): void {
  if (!(price > 0 && price <= PRICE_MAX)) throw invalid(`price must be above 0 and at most ${PRICE_MAX}`, price)
  if (!(size >= 0 && size <= SIZE_MAX)) throw invalid(`size must be from 0 to ${SIZE_MAX}`, size)
  if (!(Number.isSafeInteger(eventTimeMs) && eventTimeMs >= 0))
    throw invalid('event time must be whole milliseconds since 1970', eventTimeMs)
  if (!Number.isSafeInteger(ingestTimeMs)) throw invalid('ingest time must be whole milliseconds', ingestTimeMs)
  if (eventTimeMs > ingestTimeMs + CLOCK_SKEW_MAX_MS)
    throw invalid(
      `event time must not be more than ${CLOCK_SKEW_MAX_MS} ms after ingest time ${ingestTimeMs}`,
      eventTimeMs,
    )
  if (!Number.isSafeInteger(seq)) throw invalid('seq must be a whole number', seq)
  if (!Number.isSafeInteger(position)) throw invalid('position must be a whole number', position)
}

const invalid = (expected: string, was: unknown) =>
  new PlatformError(
    'INVALID_EVENT',
    `Tick ${expected}, was ${typeof was === 'string' ? JSON.stringify(was.slice(0, 50)) : was}`,
  )
