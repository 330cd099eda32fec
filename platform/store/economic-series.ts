import { PlatformError } from '../../domain/errors.ts'
import type { EconomicSeries, Frequency } from '../../domain/observation.ts'
import type { Licence } from '../../domain/vendors.ts'
import type { Queryable } from './connection.ts'
import type { Database } from './database.ts'
import { SEARCH_TEXT_MAX } from './instruments.ts'
import { checkPageSize } from './page-size.ts'
import { jsonRows, timeOf } from './sql-values.ts'

export interface EconomicSeriesPage {
  /** Only these, where given. */
  readonly ids?: readonly string[]
  /** Every word of it is in the id or the title, upper and lower case alike. */
  readonly search?: string
  /** 1 to PAGE_SIZE_MAX. */
  readonly first: number
  /** Id of the last one already seen. */
  readonly after?: string
}

interface Row {
  series_id: string
  title: string
  unit: string
  frequency: Frequency
  seasonally_adjusted: boolean
  source: string
  licence: Licence
}

const COLUMNS = 'series_id, title, unit, frequency, seasonally_adjusted, source, licence'
const SEARCH_WORDS_MAX = 8

/** What is measured: listed by the first observation of each. */
export class EconomicSeriesStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** By id, in one query. Unknown ones are left out. */
  async find(ids: readonly string[]): Promise<Map<string, EconomicSeries>> {
    const rows = await this.#database.query<Row>(
      'economic_series_find',
      `SELECT ${COLUMNS} FROM economic_series WHERE series_id = ANY($1::text[])`,
      [ids],
    )
    return new Map(rows.map((row) => [row.series_id, seriesOf(row)]))
  }

  /**
   * In order of id. A search reads the whole table, which is right for some ten thousand series.
   * @throws INVALID_ARGUMENT for a search text over SEARCH_TEXT_MAX characters
   */
  async page({
    ids,
    search,
    first,
    after,
  }: EconomicSeriesPage): Promise<{ items: EconomicSeries[]; hasNext: boolean }> {
    checkPageSize(first)
    const rows = await this.#database.query<Row>(
      'economic_series_page',
      `SELECT ${COLUMNS} FROM economic_series
       WHERE ($1::text[] IS NULL OR series_id = ANY($1)) AND ($2::text IS NULL OR series_id > $2)
         AND lower(series_id || ' ' || title) LIKE ALL ($3::text[])
       ORDER BY series_id LIMIT $4`,
      [ids ?? null, after ?? null, patternsOf(search), first + 1],
    )
    return { items: rows.slice(0, first).map(seriesOf), hasNext: rows.length > first }
  }
}

function patternsOf(search = ''): string[] {
  if (search.length > SEARCH_TEXT_MAX)
    throw new PlatformError(
      'INVALID_ARGUMENT',
      `A search text has at most ${SEARCH_TEXT_MAX} characters, was ${search.length}`,
    )
  const words = search.normalize('NFC').toLowerCase().split(/\s+/).filter(Boolean).slice(0, SEARCH_WORDS_MAX)
  return words.map((word) => `%${word.replace(/[\\%_]/g, '\\$&')}%`)
}

const seriesOf = (row: Row): EconomicSeries => ({
  seriesId: row.series_id,
  title: row.title,
  unit: row.unit,
  frequency: row.frequency,
  seasonallyAdjusted: row.seasonally_adjusted,
  source: row.source,
  licence: row.licence,
})

/** Each id at most once. A description older than the one that is there changes nothing. */
export async function describeSeries(
  database: Queryable,
  described: readonly { readonly series: EconomicSeries; readonly ingestTimeMs: number }[],
): Promise<void> {
  if (described.length === 0) return
  await database.query({
    name: 'economic-series-describe',
    text: `INSERT INTO economic_series AS s (${COLUMNS}, ingest_time)
           SELECT ${COLUMNS}, ${timeOf('ingest_time_ms')}
           FROM jsonb_to_recordset($1::jsonb) AS r(series_id text, title text, unit text, frequency text,
             seasonally_adjusted boolean, source text, licence text, ingest_time_ms float8)
           ORDER BY series_id
           ON CONFLICT (series_id) DO UPDATE
           SET title = excluded.title, unit = excluded.unit, frequency = excluded.frequency,
               seasonally_adjusted = excluded.seasonally_adjusted, source = excluded.source, licence = excluded.licence,
               ingest_time = excluded.ingest_time
           WHERE excluded.ingest_time >= s.ingest_time
             AND (excluded.title, excluded.unit, excluded.frequency, excluded.seasonally_adjusted, excluded.source,
                  excluded.licence)
               IS DISTINCT FROM (s.title, s.unit, s.frequency, s.seasonally_adjusted, s.source, s.licence)`,
    values: [
      jsonRows(
        described.map(({ series, ingestTimeMs }) => ({
          series_id: series.seriesId,
          title: series.title,
          unit: series.unit,
          frequency: series.frequency,
          seasonally_adjusted: series.seasonallyAdjusted,
          source: series.source,
          licence: series.licence,
          ingest_time_ms: ingestTimeMs,
        })),
      ),
    ],
  })
}
