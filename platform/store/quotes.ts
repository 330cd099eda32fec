import type { Quote } from '../../domain/quote.ts'
import { type Licence, licenceOf, vendorOf } from '../../domain/vendors.ts'
import type { Database } from './database.ts'
import { msOf } from './sql-values.ts'

interface Row {
  symbol: string
  price: number
  size: number
  event_time_ms: number
  seq: number
  source: string
  /** Null where it was a tick: that has the terms of its source. */
  licence: Licence | null
  delayed: boolean | null
  previous_close: number | null
}

/**
 * The latest price of each instrument: the newest of our own ticks and of what vendors tell. Written with them, so whoever
 * heard of a tick or a snapshot finds it here.
 */
export class Quotes {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * By symbol, in one query; one that nobody has a price of is left out. The previous close is that of the last bar before
   * the UTC day of the quote, at most seven days back: past a long weekend, and never a scan of years. Where there is none,
   * it is what a vendor told on that day.
   */
  async find(symbols: readonly string[]): Promise<Map<string, Quote>> {
    const rows = await this.#database.query<Row>(
      'quotes_find',
      `SELECT asked.symbol, newest.price, newest.size, newest.seq::float8 AS seq, newest.source, newest.licence,
              newest.delayed, ${msOf('newest.time')} AS event_time_ms,
              coalesce(bar.close, told.previous_close) AS previous_close
       FROM unnest($1::text[]) AS asked(symbol)
       CROSS JOIN LATERAL (
         SELECT * FROM (
           SELECT time, seq, price, size, source, NULL AS licence, NULL::boolean AS delayed, 0 AS rank
           FROM quotes WHERE symbol = asked.symbol
           UNION ALL
           SELECT time, 0, price, 0, source, licence, delayed, 1 FROM quote_snapshots WHERE symbol = asked.symbol
         ) known ORDER BY time DESC, rank, source LIMIT 1
       ) newest
       LEFT JOIN LATERAL (
         SELECT b.close FROM bars_1m b
         WHERE b.symbol = asked.symbol
           AND b.time < date_trunc('day', newest.time, 'UTC')
           AND b.time >= date_trunc('day', newest.time, 'UTC') - INTERVAL '7 days'
         ORDER BY b.time DESC LIMIT 1
       ) bar ON true
       LEFT JOIN LATERAL (
         SELECT s.previous_close FROM quote_snapshots s
         WHERE s.symbol = asked.symbol AND s.previous_close > 0
           AND date_trunc('day', s.time, 'UTC') = date_trunc('day', newest.time, 'UTC')
         ORDER BY s.time DESC, s.source LIMIT 1
       ) told ON true`,
      [[...new Set(symbols)]],
    )
    return new Map(rows.map((row) => [row.symbol, quoteOf(row)]))
  }
}

const quoteOf = (row: Row): Quote => ({
  symbol: row.symbol,
  price: row.price,
  size: row.size,
  eventTimeMs: row.event_time_ms,
  seq: row.seq,
  source: row.source,
  licence: row.licence ?? licenceOf(row.source),
  delayed: row.delayed ?? vendorOf(row.source)?.delayed ?? false,
  ...(row.previous_close === null ? {} : { previousClose: row.previous_close }),
})
