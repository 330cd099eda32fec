import { FactCheck } from './check-fact.ts'
import { CLOCK_SKEW_MAX_MS, PRICE_MAX, SIZE_MAX } from './tick.ts'
import type { Licence } from './vendors.ts'

/**
 * A vendor's own picture of an instrument's price: what polled sources tell in place of trade prints. It makes no bar.
 * Natural key: symbol, source, event time.
 */
export interface QuoteSnapshot {
  readonly symbol: string
  readonly source: string
  readonly licence: Licence
  /** In the instrument's currency. */
  readonly price: number
  readonly previousClose: number | null
  /** Of the trading day so far, in shares, coins or units; null where the vendor does not tell. */
  readonly dayVolume: number | null
  /** What the price is as of, milliseconds since 1970 UTC; the close of the trading day where the vendor gives but a day. */
  readonly eventTimeMs: number
  readonly ingestTimeMs: number
  /** Older than seconds by the vendor's terms: end of day, fifteen minutes, a reference rate. */
  readonly delayed: boolean
}

const check = new FactCheck('Quote snapshot')

/** The only way to make a quote snapshot. @throws INVALID_EVENT with what was wrong. */
export function quoteSnapshot(fields: QuoteSnapshot): QuoteSnapshot {
  check.symbol(fields.symbol)
  check.text('source', fields.source, 500)
  check.licence(fields.licence)
  if (!(fields.price > 0)) check.fail('price must be above 0', fields.price)
  check.number('price', fields.price, 0, PRICE_MAX)
  if (fields.previousClose !== null) check.number('previous close', fields.previousClose, 0, PRICE_MAX)
  if (fields.dayVolume !== null) check.number('day volume', fields.dayVolume, 0, SIZE_MAX)
  check.notAhead('event time', fields.eventTimeMs, fields.ingestTimeMs, CLOCK_SKEW_MAX_MS)
  return Object.freeze(fields)
}
