import { BAR_INTERVAL_MS, type BarInterval, barStart } from './bar.ts'
import { FactCheck } from './check-fact.ts'
import { PRICE_MAX, SIZE_MAX } from './tick.ts'
import type { Licence, VendorName } from './vendors.ts'

/**
 * A finished bar as a vendor computed it, for times of which we hold no prints. Where we have a bar of our own, ours
 * counts. Told again, it replaces the vendor's former one. Natural key: symbol, interval, start, source.
 */
export interface HistoricalBar {
  readonly symbol: string
  readonly interval: BarInterval
  readonly startMs: number
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number
  /** Null where the vendor does not tell. */
  readonly trades: number | null
  readonly source: string
  readonly licence: Licence
  readonly ingestTimeMs: number
}

/**
 * Whose bar counts where several tell one: the venue itself, then those who see all venues, then the others. Vendors that
 * are not named come after these, by name.
 */
export const HISTORY_PREFERENCE: readonly VendorName[] = [
  'coinbase',
  'kraken',
  'binance',
  'polygon',
  'alpaca',
  'finnhub',
  'twelve-data',
  'alpha-vantage',
]

const check = new FactCheck('Historical bar')

/** The only way to make a historical bar. @throws INVALID_EVENT with what was wrong. */
export function historicalBar(fields: HistoricalBar): HistoricalBar {
  check.symbol(fields.symbol)
  check.text('source', fields.source, 500)
  check.licence(fields.licence)
  if (!Object.hasOwn(BAR_INTERVAL_MS, fields.interval))
    check.fail(`interval must be one of ${Object.keys(BAR_INTERVAL_MS).join(', ')}`, fields.interval)
  check.time('start', fields.startMs)
  if (barStart(fields.startMs, fields.interval) !== fields.startMs)
    check.fail(`start must be on a whole ${fields.interval}, UTC`, fields.startMs)
  check.notAhead('start', fields.startMs, fields.ingestTimeMs, BAR_INTERVAL_MS[fields.interval])
  for (const side of ['open', 'high', 'low', 'close'] as const) {
    if (!(fields[side] > 0)) check.fail(`${side} must be above 0`, fields[side])
    check.number(side, fields[side], 0, PRICE_MAX)
  }
  if (fields.high < Math.max(fields.open, fields.close, fields.low) || fields.low > Math.min(fields.open, fields.close))
    check.fail('high must be the highest and low the lowest of its prices', `${fields.high}/${fields.low}`)
  check.number('volume', fields.volume, 0, SIZE_MAX)
  if (fields.trades !== null && !(Number.isSafeInteger(fields.trades) && fields.trades >= 0))
    check.fail('trades must be a whole number', fields.trades)
  return Object.freeze(fields)
}
