import type { EconomicRelease } from '../../domain/observation.ts'
import type { Licence } from '../../domain/vendors.ts'
import type { Queryable } from './connection.ts'
import type { Database } from './database.ts'
import { checkPageSize } from './page-size.ts'
import { dateOf, jsonRows, keepOne, msOf, timeOf } from './sql-values.ts'

export interface EconomicReleasePage {
  /** On or after this date, `2026-10-01`. There is no page without a lower bound. */
  readonly from: string
  /** Before this date. */
  readonly to?: string
  readonly sources?: readonly string[]
  /** 1 to PAGE_SIZE_MAX. */
  readonly first: number
  /** The last one already seen. */
  readonly after?: EconomicReleaseKey
}

/** The place of a release in the order of pages: by date, source and id. */
export type EconomicReleaseKey = Pick<EconomicRelease, 'date' | 'source' | 'releaseId'>

interface Row {
  source: string
  release_id: string
  date: string
  licence: Licence
  name: string
  releases_at_ms: number | null
  ingest_time_ms: number
}

/** The calendar of publications, as the `economics` processor stored it. */
export class EconomicReleases {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Oldest first. */
  async page(page: EconomicReleasePage): Promise<{ items: EconomicRelease[]; hasNext: boolean }> {
    const { from, to, sources, first, after } = page
    checkPageSize(first)
    const rows = await this.#database.query<Row>(
      'economic_releases_page',
      `SELECT source, release_id, ${dateOf('r.date')} AS date, licence, name, ${msOf('releases_at')} AS releases_at_ms,
              ${msOf('ingest_time')} AS ingest_time_ms
       FROM economic_releases r
       WHERE r.date >= $1::date AND r.date < coalesce($2::date, 'infinity')
         AND ($3::text[] IS NULL OR source = ANY ($3))
         AND (r.date, source, release_id) > (coalesce($4::date, '-infinity'), $5::text, $6::text)
       ORDER BY r.date, source, release_id LIMIT $7`,
      [from, to ?? null, sources ?? null, after?.date ?? null, after?.source ?? '', after?.releaseId ?? '', first + 1],
    )
    return { items: rows.slice(0, first).map(releaseOf), hasNext: rows.length > first }
  }
}

const releaseOf = (row: Row): EconomicRelease => ({
  source: row.source,
  licence: row.licence,
  releaseId: row.release_id,
  name: row.name,
  date: row.date,
  releasesAtMs: row.releases_at_ms,
  ingestTimeMs: row.ingest_time_ms,
})

/** A release told again is described anew (its clock time became known); one told before the row's changes nothing. */
export async function upsertReleases(database: Queryable, releases: readonly EconomicRelease[]): Promise<void> {
  if (releases.length === 0) return
  const newest = keepOne(
    releases,
    ({ source, releaseId, date }) => `${source}|${releaseId}|${date}`,
    (one, kept) => one.ingestTimeMs >= kept.ingestTimeMs,
  )
  // In order of keys, so that two transactions never wait for each other.
  await database.query({
    name: 'economic-releases-upsert',
    text: `INSERT INTO economic_releases AS e (source, release_id, date, licence, name, releases_at, ingest_time)
           SELECT source, release_id, date, licence, name, ${timeOf('releases_at_ms')}, ${timeOf('ingest_time_ms')}
           FROM jsonb_to_recordset($1::jsonb) AS r(source text, release_id text, date date, licence text, name text,
             releases_at_ms float8, ingest_time_ms float8)
           ORDER BY source, release_id, date
           ON CONFLICT (source, release_id, date) DO UPDATE
           SET licence = excluded.licence, name = excluded.name, releases_at = excluded.releases_at,
               ingest_time = excluded.ingest_time
           WHERE excluded.ingest_time >= e.ingest_time
             AND (excluded.licence, excluded.name, excluded.releases_at) IS DISTINCT FROM (e.licence, e.name, e.releases_at)`,
    values: [
      jsonRows(
        newest.map((one) => ({
          source: one.source,
          release_id: one.releaseId,
          date: one.date,
          licence: one.licence,
          name: one.name,
          releases_at_ms: one.releasesAtMs,
          ingest_time_ms: one.ingestTimeMs,
        })),
      ),
    ],
  })
}
