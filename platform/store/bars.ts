import { BAR_INTERVAL_MS, type Bar, type BarInterval } from '../../domain/bar.ts'
import { partitionOf } from '../bus/partition.ts'
import { TOPICS } from '../bus/topics.ts'
import type { Database } from './database.ts'
import { checkPageSize } from './page-size.ts'

export interface BarPage {
  readonly symbol: string
  readonly interval: BarInterval
  /** Bars that start at or after this. There is no page without a lower bound: it would read all of history. */
  readonly fromMs: number
  /** Bars that start before this. */
  readonly toMs: number
  /** 1 to PAGE_SIZE_MAX. */
  readonly first: number
  /** Start of the last bar already seen. */
  readonly afterMs?: number
}

interface Row {
  start_ms: number
  open: number
  high: number
  low: number
  close: number
  volume: number
  trades: number
  watermark_ms: number | null
}

const TOPIC = 'stock-data'

/** Bars of every interval, as the ticks stored so far make them: a late tick corrects the minute and all that hold it. */
export class Bars {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Oldest first; minutes without a trade have no bar. A bar is closed when the `bars` processor's event time has passed
   * its end. Both are read in one snapshot, so a closed bar never lacks a tick that came in time.
   */
  async page({ symbol, interval, fromMs, toMs, first, afterMs }: BarPage): Promise<{ items: Bar[]; hasNext: boolean }> {
    checkPageSize(first)
    const lowerMs = afterMs === undefined ? fromMs : Math.max(fromMs, afterMs + 1)
    const rows = await this.#database.query<Row>(
      `bars_${interval}_page`,
      `SELECT (extract(epoch FROM b.time) * 1000)::float8 AS start_ms, b.open, b.high, b.low, b.close, b.volume,
              b.trades::float8 AS trades,
              (SELECT max((told.state ->> 'watermark')::float8)
               FROM stream_checkpoint c, jsonb_each(c.sources) AS told(source, state)
               WHERE c.app = 'bars' AND c.topic = '${TOPIC}' AND c.part = $5) AS watermark_ms
       FROM bars_${interval} b
       WHERE b.symbol = $1
         AND b.time >= to_timestamp($2::float8 / 1000) AND b.time < to_timestamp($3::float8 / 1000)
       ORDER BY b.time LIMIT $4`,
      [symbol, lowerMs, toMs, first + 1, partitionOf(symbol, TOPICS[TOPIC].partitions)],
    )
    const items = rows.slice(0, first).map((row) => barOfRow(symbol, interval, row))
    return { items, hasNext: rows.length > first }
  }
}

const barOfRow = (symbol: string, interval: BarInterval, row: Row): Bar => ({
  symbol,
  interval,
  startMs: row.start_ms,
  open: row.open,
  high: row.high,
  low: row.low,
  close: row.close,
  volume: row.volume,
  trades: row.trades,
  closed: row.watermark_ms !== null && row.start_ms + BAR_INTERVAL_MS[interval] <= row.watermark_ms,
})
