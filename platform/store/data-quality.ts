import type { DataQuality, DataQualityKind } from '../../domain/data-quality.ts'
import type { Queryable } from './connection.ts'
import type { Database } from './database.ts'
import { checkPageSize } from './page-size.ts'
import { jsonRows, msOf, timeOf } from './sql-values.ts'

export interface DataQualityPage {
  /** About any of these instruments, where given. What is about a whole source is about none of them. */
  readonly symbols?: readonly string[]
  readonly sources?: readonly string[]
  readonly kinds?: readonly DataQualityKind[]
  /** Event time at or after this. */
  readonly fromMs?: number
  /** Event time before this. */
  readonly toMs?: number
  /** 1 to PAGE_SIZE_MAX. */
  readonly first: number
  /** The last one already seen. */
  readonly after?: DataQualityKey
}

/** The place of an event in the order of pages: newest first. */
export type DataQualityKey = Pick<StoredDataQuality, 'eventTimeMs' | 'id'>

export interface StoredDataQuality extends DataQuality {
  /** The number of its row: it only names it. */
  readonly id: number
}

interface Row {
  id: number
  kind: DataQualityKind
  source: string
  symbol: string
  event_time_ms: number
  ingest_time_ms: number
  detail: string
}

const COLUMNS = `d.id::float8 AS id, d.kind, d.source, d.symbol, d.detail,
  ${msOf('d.time')} AS event_time_ms, ${msOf('d.ingest_time')} AS ingest_time_ms`

/** As in `Articles`: along the index of what was asked for, once for each value. $2 is symbols, $3 sources. */
const WALKS = {
  symbols:
    'unnest($2::text[]) AS about(symbol) CROSS JOIN LATERAL (SELECT * FROM data_quality w WHERE w.symbol = about.symbol',
  sources:
    'unnest($3::text[]) AS told(source) CROSS JOIN LATERAL (SELECT * FROM data_quality w WHERE w.source = told.source',
  all: '(SELECT * FROM data_quality w WHERE true',
} as const

/** What the `quality` processor stored. */
export class DataQualityEvents {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Newest first by event time. */
  async page(page: DataQualityPage): Promise<{ items: StoredDataQuality[]; hasNext: boolean }> {
    const { symbols, sources, kinds, fromMs, first } = page
    checkPageSize(first)
    const walk = symbols ? 'symbols' : sources ? 'sources' : 'all'
    const before = upperBound(page)
    const rows = await this.#database.query<Row>(
      `data_quality_page_by_${walk}`,
      `SELECT ${COLUMNS} FROM ${WALKS[walk]}
           AND ($2::text[] IS NULL OR w.symbol = ANY ($2)) AND ($3::text[] IS NULL OR w.source = ANY ($3))
           AND ($4::text[] IS NULL OR w.kind = ANY ($4))
           AND w.time >= coalesce(${timeOf('$5')}, '-infinity')
           AND (w.time, w.id) < (coalesce(${timeOf('$6')}, 'infinity'), $7::bigint)
         ORDER BY w.time DESC, w.id DESC LIMIT $1
       ) d ORDER BY d.time DESC, d.id DESC LIMIT $1`,
      [
        first + 1,
        distinct(symbols),
        distinct(sources),
        distinct(kinds),
        fromMs ?? null,
        before?.eventTimeMs ?? null,
        before?.id ?? 0,
      ],
    )
    return { items: rows.slice(0, first).map(eventOf), hasNext: rows.length > first }
  }
}

const distinct = (list: readonly string[] | undefined): readonly string[] | null => (list ? [...new Set(list)] : null)

/** Everything strictly before (time, id): no id is before 0. */
function upperBound({ toMs, after }: DataQualityPage): DataQualityKey | undefined {
  if (after && (toMs === undefined || after.eventTimeMs < toMs)) return after
  return toMs === undefined ? undefined : { eventTimeMs: toMs, id: 0 }
}

const eventOf = (row: Row): StoredDataQuality => ({
  id: row.id,
  kind: row.kind,
  source: row.source,
  symbol: row.symbol === '' ? null : row.symbol,
  eventTimeMs: row.event_time_ms,
  ingestTimeMs: row.ingest_time_ms,
  detail: row.detail,
})

/** Stores the events; one that is there already stays as it was. Answers those that were new, in the order given. */
export async function appendDataQuality(database: Queryable, events: readonly DataQuality[]): Promise<DataQuality[]> {
  if (events.length === 0) return []
  // In order of keys, so that two transactions never wait for each other.
  const { rows } = await database.query<Row>({
    name: 'data-quality-append',
    text: `INSERT INTO data_quality AS d (kind, source, symbol, time, ingest_time, detail)
           SELECT kind, source, symbol, ${timeOf('event_time_ms')} AS time, ${timeOf('ingest_time_ms')}, detail
           FROM jsonb_to_recordset($1::jsonb) AS r(kind text, source text, symbol text, event_time_ms float8,
             ingest_time_ms float8, detail text)
           ORDER BY kind, source, symbol, time
           ON CONFLICT DO NOTHING RETURNING ${COLUMNS}`,
    values: [
      jsonRows(
        events.map((one) => ({
          kind: one.kind,
          source: one.source,
          symbol: one.symbol ?? '',
          event_time_ms: one.eventTimeMs,
          ingest_time_ms: one.ingestTimeMs,
          detail: one.detail,
        })),
      ),
    ],
  })
  const fresh = new Set(rows.map((row) => eventKey(eventOf(row))))
  return events.filter((one) => fresh.delete(eventKey(one)))
}

const eventKey = ({ kind, source, symbol, eventTimeMs }: DataQuality): string =>
  `${kind}|${source}|${symbol ?? ''}|${eventTimeMs}`
