import type { QuoteSnapshot } from './quote-snapshot.ts'
import type { Tick } from './tick.ts'
import { type Licence, licenceOf, vendorOf } from './vendors.ts'

/** The latest price state of an instrument: the newest by event time of our own ticks and of what vendors tell of the price. */
export interface Quote {
  readonly symbol: string
  readonly price: number
  /** 0 where the source does not tell. */
  readonly size: number
  readonly eventTimeMs: number
  /** Orders ticks of one millisecond; 0 where a vendor told the price. */
  readonly seq: number
  readonly source: string
  readonly licence: Licence
  /** Older than seconds by the source's terms. */
  readonly delayed: boolean
  /** Close of the last bar before the UTC day of `eventTimeMs`, at most seven days back; else what the vendor tells. */
  readonly previousClose?: number
}

export const quoteOfTick = ({ symbol, price, size, eventTimeMs, seq, source }: Tick): Quote => ({
  symbol,
  price,
  size,
  eventTimeMs,
  seq,
  source,
  licence: licenceOf(source),
  delayed: vendorOf(source)?.delayed ?? false,
})

export const quoteOfSnapshot = ({ previousClose, ...told }: QuoteSnapshot): Quote => ({
  symbol: told.symbol,
  price: told.price,
  size: 0,
  eventTimeMs: told.eventTimeMs,
  seq: 0,
  source: told.source,
  licence: told.licence,
  delayed: told.delayed,
  // A vendor that does not know it says 0.
  ...(previousClose ? { previousClose } : {}),
})

type Place = Pick<Quote, 'eventTimeMs' | 'seq'>

export const isNewer = (one: Place, than: Place): boolean =>
  one.eventTimeMs > than.eventTimeMs || (one.eventTimeMs === than.eventTimeMs && one.seq > than.seq)

export const change = (quote: Quote): number | undefined =>
  quote.previousClose === undefined ? undefined : quote.price - quote.previousClose

/** In percent: 1.5 means up one and a half percent. */
export const changePercent = (quote: Quote): number | undefined =>
  quote.previousClose === undefined ? undefined : ((quote.price - quote.previousClose) / quote.previousClose) * 100
