import type { Tick } from '../../domain/tick.ts'
import type { Database } from './database.ts'
import { checkPageSize } from './page-size.ts'

export interface TickRange {
  readonly symbol: string
  /** Ticks at or after this event time. */
  readonly fromMs: number
  /** Ticks before this event time. */
  readonly toMs: number
  /** 1 to PAGE_SIZE_MAX. */
  readonly first: number
}

interface Row {
  event_time_ms: number
  seq: number
  source: string
  price: number
  size: number
  ingest_time_ms: number
}

/** Reads what the `ticks` processor stored. */
export class Ticks {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** How many ticks of a source are stored. Reads the table: for totals and tests, not for every request. */
  async count(source: string): Promise<number> {
    const rows = await this.#database.query<{ ticks: number }>(
      'ticks_count',
      'SELECT count(*)::float8 AS ticks FROM stock_data WHERE source = $1',
      [source],
    )
    return rows[0].ticks
  }

  /** Oldest first, by (event time, seq, source). Their position was the bus's business and is not stored: -1. */
  async find({ symbol, fromMs, toMs, first }: TickRange): Promise<Tick[]> {
    checkPageSize(first)
    const rows = await this.#database.query<Row>(
      'ticks_find',
      `SELECT (extract(epoch FROM time) * 1000)::float8 AS event_time_ms, seq::float8 AS seq, source, price, size,
              (extract(epoch FROM ingest_time) * 1000)::float8 AS ingest_time_ms
       FROM stock_data
       WHERE symbol = $1 AND time >= to_timestamp($2::float8 / 1000) AND time < to_timestamp($3::float8 / 1000)
       ORDER BY time, stock_data.seq, source LIMIT $4`,
      [symbol, fromMs, toMs, first],
    )
    return rows.map((row) => ({
      symbol,
      price: row.price,
      size: row.size,
      eventTimeMs: row.event_time_ms,
      ingestTimeMs: row.ingest_time_ms,
      seq: row.seq,
      source: row.source,
      position: -1,
    }))
  }
}
