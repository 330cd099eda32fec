import type { Bar, BarInterval } from '../../domain/bar.ts'
import { isHeldOpen, parseSymbolBars, type SymbolBars } from '../../domain/held-bars.ts'
import { HISTORY_PREFERENCE } from '../../domain/historical-bar.ts'
import type { Licence } from '../../domain/vendors.ts'
import { partitionOf } from '../bus/partition.ts'
import { TOPICS } from '../bus/topics.ts'
import type { Database } from './database.ts'
import { checkPageSize } from './page-size.ts'
import { msOf, timeOf } from './sql-values.ts'

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
  trades: number | null
  source: string | null
  licence: Licence | null
  /** On the first row alone. */
  held: string | null
}

const TOPIC = 'stock-data'

/**
 * Bars of every interval: as the ticks stored so far make them (a late tick corrects the minute and all that hold it), and
 * where there are no ticks, as a vendor computed them.
 */
export class Bars {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Oldest first; times without a trade have no bar. A bar of ours is open while the `bars` processor holds it open; that
   * is read in one snapshot with the bars, so a closed bar never lacks a tick that came in time.
   */
  async page({ symbol, interval, fromMs, toMs, first, afterMs }: BarPage): Promise<{ items: Bar[]; hasNext: boolean }> {
    checkPageSize(first)
    const range = `symbol = $1 AND time >= ${timeOf('$2')} AND time < ${timeOf('$3')}`
    const rows = await this.#database.query<Row>(
      `bars_${interval}_page`,
      `SELECT ${msOf('page.time')} AS start_ms, open, high, low, close, volume, trades::float8 AS trades, source, licence,
              CASE WHEN row_number() OVER (ORDER BY page.time) = 1 THEN (
                SELECT value FROM keyed_state WHERE app = 'bars' AND topic = '${TOPIC}' AND part = $5 AND key = $1
              ) END AS held
       FROM (
         SELECT DISTINCT ON (time) * FROM (
           (SELECT time, open, high, low, close, volume, trades, NULL AS source, NULL AS licence, 0 AS rank
            FROM bars_${interval} WHERE ${range} ORDER BY time LIMIT $4)
           UNION ALL
           (SELECT DISTINCT ON (time) time, open, high, low, close, volume, trades, source, licence,
              coalesce(array_position($6::text[], split_part(source, ':', 1)), cardinality($6::text[]) + 1) AS rank
            FROM historical_bars WHERE interval = $7 AND ${range} ORDER BY time, rank, source LIMIT $4)
         ) known ORDER BY time, rank LIMIT $4
       ) page ORDER BY page.time`,
      [
        symbol,
        afterMs === undefined ? fromMs : Math.max(fromMs, afterMs + 1),
        toMs,
        first + 1,
        partitionOf(symbol, TOPICS[TOPIC].partitions),
        HISTORY_PREFERENCE,
        interval,
      ],
    )
    const held = rows[0]?.held ? parseSymbolBars(symbol, rows[0].held) : undefined
    const items = rows.slice(0, first).map((row) => barOfRow(symbol, interval, row, held))
    return { items, hasNext: rows.length > first }
  }
}

const barOfRow = (symbol: string, interval: BarInterval, row: Row, held: SymbolBars | undefined): Bar => ({
  symbol,
  interval,
  startMs: row.start_ms,
  open: row.open,
  high: row.high,
  low: row.low,
  close: row.close,
  volume: row.volume,
  trades: row.trades ?? 0,
  closed: row.source !== null || held === undefined || !isHeldOpen(held, row.start_ms, interval),
  ...(row.source !== null && { source: row.source }),
  ...(row.licence !== null && { licence: row.licence }),
})
