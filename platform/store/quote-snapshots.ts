import type { QuoteSnapshot } from '../../domain/quote-snapshot.ts'
import type { Licence } from '../../domain/vendors.ts'
import type { Queryable } from './connection.ts'
import type { Database } from './database.ts'
import { jsonRows, keepOne, msOf, timeOf } from './sql-values.ts'

interface Row {
  symbol: string
  source: string
  licence: Licence
  price: number
  previous_close: number | null
  day_volume: number | null
  event_time_ms: number
  ingest_time_ms: number
  delayed: boolean
}

/** The newest picture each vendor has of a price. Which of them is an instrument's quote, `Quotes` decides. */
export class QuoteSnapshots {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Of all vendors, the newest first. Symbols that nobody pictured are left out. */
  async find(symbols: readonly string[]): Promise<Map<string, QuoteSnapshot[]>> {
    const rows = await this.#database.query<Row>(
      'quote_snapshots_find',
      `SELECT symbol, source, licence, price, previous_close, day_volume, delayed,
              ${msOf('time')} AS event_time_ms, ${msOf('ingest_time')} AS ingest_time_ms
       FROM quote_snapshots WHERE symbol = ANY($1::text[]) ORDER BY time DESC, source`,
      [symbols],
    )
    return Map.groupBy(rows.map(snapshotOf), ({ symbol }) => symbol)
  }
}

const snapshotOf = (row: Row): QuoteSnapshot => ({
  symbol: row.symbol,
  source: row.source,
  licence: row.licence,
  price: row.price,
  previousClose: row.previous_close,
  dayVolume: row.day_volume,
  eventTimeMs: row.event_time_ms,
  ingestTimeMs: row.ingest_time_ms,
  delayed: row.delayed,
})

const snapshotKey = (symbol: string, source: string): string => `${symbol}|${source}`

const isNewer = (one: QuoteSnapshot, than: QuoteSnapshot): boolean =>
  one.eventTimeMs > than.eventTimeMs || (one.eventTimeMs === than.eventTimeMs && one.ingestTimeMs > than.ingestTimeMs)

/** A vendor that tells the price alone has not taken back the close that it told earlier the same UTC day. */
const KNOWN_CLOSE = `COALESCE(excluded.previous_close,
                 CASE WHEN (excluded.time AT TIME ZONE 'UTC')::date = (q.time AT TIME ZONE 'UTC')::date THEN q.previous_close END)`

/**
 * Keeps the newest of each symbol and source by event time; of one event time the later seen, where it says anything else.
 * Answers those that have become the newest.
 */
export async function upsertSnapshots(
  database: Queryable,
  snapshots: readonly QuoteSnapshot[],
): Promise<QuoteSnapshot[]> {
  if (snapshots.length === 0) return []
  const newest = keepOne(snapshots, ({ symbol, source }) => snapshotKey(symbol, source), isNewer)
  // In order of keys, so that two transactions never wait for each other.
  const { rows } = await database.query<{ symbol: string; source: string }>({
    name: 'quote-snapshots-upsert',
    text: `INSERT INTO quote_snapshots AS q (symbol, source, time, licence, price, previous_close, day_volume, ingest_time,
             delayed)
           SELECT symbol, source, ${timeOf('event_time_ms')}, licence, price, previous_close, day_volume,
             ${timeOf('ingest_time_ms')}, delayed
           FROM jsonb_to_recordset($1::jsonb) AS r(symbol text, source text, event_time_ms float8, licence text,
             price float8, previous_close float8, day_volume float8, ingest_time_ms float8, delayed boolean)
           ORDER BY symbol, source
           ON CONFLICT (symbol, source) DO UPDATE
           SET time = excluded.time, licence = excluded.licence, price = excluded.price,
               previous_close = ${KNOWN_CLOSE}, day_volume = excluded.day_volume,
               ingest_time = excluded.ingest_time, delayed = excluded.delayed
           WHERE (excluded.time, excluded.ingest_time) > (q.time, q.ingest_time)
             AND (excluded.time, excluded.licence, excluded.price, ${KNOWN_CLOSE}, excluded.day_volume,
                  excluded.delayed)
               IS DISTINCT FROM (q.time, q.licence, q.price, q.previous_close, q.day_volume, q.delayed)
           RETURNING symbol, source`,
    values: [
      jsonRows(
        newest.map((one) => ({
          symbol: one.symbol,
          source: one.source,
          event_time_ms: one.eventTimeMs,
          licence: one.licence,
          price: one.price,
          previous_close: one.previousClose,
          day_volume: one.dayVolume,
          ingest_time_ms: one.ingestTimeMs,
          delayed: one.delayed,
        })),
      ),
    ],
  })
  const stored = new Set(rows.map(({ symbol, source }) => snapshotKey(symbol, source)))
  return newest.filter(({ symbol, source }) => stored.has(snapshotKey(symbol, source)))
}
