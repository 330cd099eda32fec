import type { Quote } from '../../domain/quote.ts'
import type { Database } from './database.ts'

interface Row {
  symbol: string
  price: number
  size: number
  event_time_ms: number
  seq: number
  previous_close: number | null
}

/** The latest price of each instrument. Written with the ticks, so whoever heard of a tick finds it here. */
export class Quotes {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * By symbol, in one query; one that has never traded is left out. The previous close is that of the last bar before the
   * UTC day of the quote, at most seven days back: past a long weekend, and never a scan of years.
   */
  async find(symbols: readonly string[]): Promise<Map<string, Quote>> {
    const rows = await this.#database.query<Row>(
      'quotes_find',
      `SELECT q.symbol, q.price, q.size, q.seq::float8 AS seq,
              (extract(epoch FROM q.time) * 1000)::float8 AS event_time_ms, previous.close AS previous_close
       FROM quotes q
       LEFT JOIN LATERAL (
         SELECT b.close FROM bars_1m b
         WHERE b.symbol = q.symbol
           AND b.time < date_trunc('day', q.time, 'UTC')
           AND b.time >= date_trunc('day', q.time, 'UTC') - INTERVAL '7 days'
         ORDER BY b.time DESC LIMIT 1
       ) previous ON true
       WHERE q.symbol = ANY($1::text[])`,
      [symbols],
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
  ...(row.previous_close === null ? {} : { previousClose: row.previous_close }),
})
