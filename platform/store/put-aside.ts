import type { Database } from './database.ts'
import { INGEST_APP, INGEST_PARTITION } from './dead-letters.ts'
import type { OutboxEvent } from './outbox.ts'
import { printable, printableJson } from './printable.ts'

/** A dead letter of a source that nobody has replayed yet. */
export interface PutAside {
  readonly position: number
  /** Null where the source has but one. */
  readonly feed: string | null
  readonly reason: string
  readonly original: Buffer
}

export interface PutAsidePage {
  /** Only of this feed, where given. */
  readonly feed?: string
  readonly first: number
  /** Position of the last one already seen. */
  readonly after?: number
}

/** A letter that could be read after all, and what it told. */
export interface Replayed {
  readonly position: number
  readonly events: readonly OutboxEvent[]
}

/** Positions of sources may be negative: -1 is one that was not told. */
const BEFORE_ALL = Number.MIN_SAFE_INTEGER

/** What sources told that was no fact when they told it, for whoever tries again. */
export class PutAsideLetters {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** In order of position. */
  async page(source: string, { feed, first, after = BEFORE_ALL }: PutAsidePage): Promise<PutAside[]> {
    const rows = await this.#database.query<{
      position: string
      feed: string | null
      reason: string
      original: Buffer | null
    }>(
      'put_aside_page',
      `SELECT "offset" AS position, feed, reason, value AS original FROM dead_letters
       WHERE app = $1 AND topic = $2 AND part = $3 AND "offset" > $4 AND replayed_at IS NULL
         AND ($5::text IS NULL OR feed = $5)
       ORDER BY "offset" LIMIT $6`,
      [INGEST_APP, source, INGEST_PARTITION, after, feed ?? null, first],
    )
    return rows.map((row) => ({
      ...row,
      position: Number(row.position),
      original: row.original ?? Buffer.alloc(0),
    }))
  }

  /** Marks the letters and puts what they told on its way to the bus, both or neither, and once however often it is called. */
  async replayed(source: string, letters: readonly Replayed[]): Promise<void> {
    const events = letters.flatMap(({ position, events }) => events.map((event) => ({ ...event, position })))
    await this.#database.query(
      'put_aside_replayed',
      `WITH marked AS (
         UPDATE dead_letters SET replayed_at = now()
         WHERE app = $1 AND topic = $2 AND part = $3 AND "offset" = ANY ($4::bigint[]) AND replayed_at IS NULL
         RETURNING "offset" AS position
       )
       INSERT INTO outbox (event_id, topic, key, headers, value)
       SELECT e.id, e.topic, e.key, e.headers::jsonb, e.value
       FROM unnest($5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bytea[])
         WITH ORDINALITY AS e(position, id, topic, key, headers, value, n)
       JOIN marked USING (position) ORDER BY e.n
       ON CONFLICT (event_id) DO NOTHING`,
      [
        INGEST_APP,
        source,
        INGEST_PARTITION,
        letters.map(({ position }) => position),
        events.map(({ position }) => position),
        events.map(({ id }) => id),
        events.map(({ topic }) => topic),
        events.map(({ key }) => printable(key)),
        events.map(({ headers }) => printableJson(headers)),
        events.map(({ value }) => value),
      ],
    )
  }
}
