import type { Observation } from '../../domain/observation.ts'
import type { Queryable } from './connection.ts'
import type { Database } from './database.ts'
import { describeSeries } from './economic-series.ts'
import { checkPageSize } from './page-size.ts'
import { dateOf, jsonRows, keepOne, msOf, timeOf } from './sql-values.ts'

/** As stored: the series is known by its id. */
export type StoredObservation = Omit<Observation, 'series'> & { readonly seriesId: string }

export interface ObservationPage {
  readonly seriesId: string
  /** Periods that begin on or after this date, `2026-10-01`. */
  readonly from?: string
  /** Periods that begin before this date. */
  readonly to?: string
  /** What was known at the end of this day; left out: what is known now. */
  readonly asOf?: string
  /** 1 to PAGE_SIZE_MAX. */
  readonly first: number
  /** Date of the last one already seen. */
  readonly after?: string
}

interface Row {
  series_id: string
  date: string
  vintage: string
  value: number | null
  released_at_ms: number
  ingest_time_ms: number
}

const COLUMNS = `o.series_id, ${dateOf('o.date')} AS date, ${dateOf('o.vintage')} AS vintage, o.value,
  ${msOf('o.released_at')} AS released_at_ms, ${msOf('o.ingest_time')} AS ingest_time_ms`

/** What the `economics` processor stored: every value of every period, with the day from which it was the known one. */
export class Observations {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Oldest period first; of each the newest value as of the day asked for. */
  async page(page: ObservationPage): Promise<{ items: StoredObservation[]; hasNext: boolean }> {
    const { seriesId, from, to, asOf, first, after } = page
    checkPageSize(first)
    const rows = await this.#database.query<Row>(
      'observations_page',
      `SELECT DISTINCT ON (o.date) ${COLUMNS} FROM economic_data o
       WHERE o.series_id = $1 AND o.date >= coalesce($2::date, '-infinity') AND o.date < coalesce($3::date, 'infinity')
         AND o.vintage <= coalesce($4::date, 'infinity') AND o.date > coalesce($5::date, '-infinity')
       ORDER BY o.date, o.vintage DESC LIMIT $6`,
      [seriesId, from ?? null, to ?? null, asOf ?? null, after ?? null, first + 1],
    )
    return { items: rows.slice(0, first).map(observationOf), hasNext: rows.length > first }
  }

  /** The newest period of each series that has a value, as known now. Series without one are left out. */
  async latest(seriesIds: readonly string[]): Promise<Map<string, StoredObservation>> {
    const rows = await this.#database.query<Row>(
      'observations_latest',
      `SELECT ${COLUMNS} FROM unnest($1::text[]) AS asked(series_id) CROSS JOIN LATERAL (
         SELECT * FROM (
           SELECT DISTINCT ON (e.date) e.* FROM economic_data e WHERE e.series_id = asked.series_id
           ORDER BY e.date DESC, e.vintage DESC
         ) known WHERE known.value IS NOT NULL LIMIT 1
       ) o`,
      [[...new Set(seriesIds)]],
    )
    return new Map(rows.map((row) => [row.series_id, observationOf(row)]))
  }

  /** Every value the period ever had, in the order in which they became known. At most `first`. */
  async vintages(seriesId: string, date: string, first: number): Promise<StoredObservation[]> {
    checkPageSize(first)
    const rows = await this.#database.query<Row>(
      'observations_vintages',
      `SELECT ${COLUMNS} FROM economic_data o WHERE o.series_id = $1 AND o.date = $2::date ORDER BY o.vintage LIMIT $3`,
      [seriesId, date, first],
    )
    return rows.map(observationOf)
  }
}

const observationOf = (row: Row): StoredObservation => ({
  seriesId: row.series_id,
  date: row.date,
  value: row.value,
  vintage: row.vintage,
  releasedAtMs: row.released_at_ms,
  ingestTimeMs: row.ingest_time_ms,
})

const observationKey = (seriesId: string, date: string, vintage: string): string => `${seriesId}|${date}|${vintage}`

/**
 * Stores the observations and describes their series; one that is there already stays as it was. Answers those that were
 * new, in the order given.
 */
export async function appendObservations(
  database: Queryable,
  observations: readonly Observation[],
): Promise<Observation[]> {
  if (observations.length === 0) return []
  await describeSeries(
    database,
    keepOne(
      observations,
      ({ series }) => series.seriesId,
      (one, kept) => one.ingestTimeMs >= kept.ingestTimeMs,
    ),
  )
  // In order of keys, so that two transactions never wait for each other.
  const { rows } = await database.query<{ series_id: string; date: string; vintage: string }>({
    name: 'observations-append',
    text: `INSERT INTO economic_data (series_id, date, vintage, value, released_at, ingest_time)
           SELECT series_id, date, vintage, value, ${timeOf('released_at_ms')}, ${timeOf('ingest_time_ms')}
           FROM jsonb_to_recordset($1::jsonb) AS r(series_id text, date date, vintage date, value float8,
             released_at_ms float8, ingest_time_ms float8)
           ORDER BY series_id, date, vintage
           ON CONFLICT DO NOTHING RETURNING series_id, ${dateOf('date')} AS date, ${dateOf('vintage')} AS vintage`,
    values: [
      jsonRows(
        observations.map((one) => ({
          series_id: one.series.seriesId,
          date: one.date,
          vintage: one.vintage,
          value: one.value,
          released_at_ms: one.releasedAtMs,
          ingest_time_ms: one.ingestTimeMs,
        })),
      ),
    ],
  })
  const fresh = new Set(rows.map((row) => observationKey(row.series_id, row.date, row.vintage)))
  return observations.filter((one) => fresh.delete(observationKey(one.series.seriesId, one.date, one.vintage)))
}
