import type { ErrorCode } from '../../domain/errors.ts'
import type { Topic } from '../bus/topics.ts'
import { deadLetterTopic } from '../bus/topics.ts'
import type { Queryable } from './connection.ts'
import { printable, printableJson } from './printable.ts'

/** Something given up on: where it came from, why, and its bytes. */
export interface DeadLetter {
  readonly partition: number
  readonly offset: number
  readonly code: ErrorCode
  readonly reason: string
  readonly key: string | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, string>>
  /** Which feed of a source told it. */
  readonly feed?: string
}

/** What went wrong can quote the bytes that were wrong; the bytes themselves are kept whole. */
const REASON_LENGTH_MAX = 1000
export const INGEST_APP = 'ingest'
export const INGEST_PARTITION = -1

/**
 * Row and `<dlqOf>.dlq` event in one statement. A letter that is there already is not told again, even after its event
 * has left the outbox.
 */
export async function appendDeadLetters(
  database: Queryable,
  app: string,
  topic: string,
  dlqOf: string,
  letters: readonly DeadLetter[],
): Promise<void> {
  if (letters.length === 0) return
  await database.query({
    name: 'dead-letters-append',
    text: `WITH letters AS (
             SELECT * FROM unnest($4::int[], $5::bigint[], $6::text[], $7::text[], $8::bytea[], $9::text[], $10::text[], $11::text[])
               AS l(part, "offset", code, reason, value, key, headers, feed)
           ), fresh AS (
             INSERT INTO dead_letters (app, topic, part, "offset", code, reason, value, feed)
             SELECT $1, $2, part, "offset", code, reason, value, feed FROM letters
             ON CONFLICT DO NOTHING RETURNING part, "offset"
           )
           INSERT INTO outbox (event_id, topic, key, headers, value)
           SELECT concat_ws('|', 'dlq', $1::text, $2::text, part, "offset"), $3, key, headers::jsonb, value
           FROM letters JOIN fresh USING (part, "offset") ORDER BY part, "offset"
           ON CONFLICT (event_id) DO NOTHING`,
    values: [
      app,
      topic,
      deadLetterTopic(dlqOf),
      letters.map((l) => l.partition),
      letters.map((l) => l.offset),
      letters.map((l) => l.code),
      letters.map((l) => readable(l.reason)),
      letters.map((l) => l.value),
      letters.map((l) => printable(l.key ?? '')),
      letters.map((l) => printableJson(deadLetterHeaders(topic, l))),
      letters.map((l) => l.feed ?? null),
    ],
  })
}

/** The row alone, where the bus is what would not take it. */
export async function keepDeadLetter(
  database: Queryable,
  app: string,
  topic: string,
  letter: Omit<DeadLetter, 'key' | 'headers' | 'feed'>,
): Promise<void> {
  await database.query(
    `INSERT INTO dead_letters (app, topic, part, "offset", code, reason, value) VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT DO NOTHING`,
    [app, topic, letter.partition, letter.offset, letter.code, readable(letter.reason), letter.value],
  )
}

const deadLetterHeaders = (topic: string, letter: DeadLetter): Record<string, string> => ({
  ...letter.headers,
  ...originHeaders(topic, letter.partition, letter.offset),
  ...(letter.feed !== undefined && { 'x-original-feed': letter.feed }),
  'x-error-code': letter.code,
  'x-error-reason': readable(letter.reason),
})

/** Where a record that was put aside had come from. */
export const originHeaders = (topic: string, partition: number, offset: number): Record<string, string> => ({
  'x-original-topic': topic,
  'x-original-partition': String(partition),
  'x-original-offset': String(offset),
})

const readable = (reason: string) => printable(reason.slice(0, REASON_LENGTH_MAX))

export interface StoredDeadLetter {
  readonly app: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly code: string
  readonly reason: string
  readonly value: Buffer | null
  readonly createdAt: Date
  readonly feed: string | null
}

/** What a source told that is not a fact. */
export interface SourceReject {
  readonly position: number
  readonly feed?: string
  /** Where it would have gone; `stock-data` where it does not say. */
  readonly topic?: Topic
  readonly reason: string
  readonly original: Buffer
}

const COLUMNS = `app, topic, part AS partition, "offset", code, reason, value, created_at AS "createdAt", feed`

/** What was given up on: where sources put what is not a fact, and where operators look. */
export class DeadLetters {
  readonly #database: Queryable

  constructor(database: Queryable) {
    this.#database = database
  }

  /** Idempotent by source and position. Stored at once, and on its way to the dead-letter topic. */
  async append(source: string, rejects: readonly SourceReject[]): Promise<void> {
    // The last of equals: one statement may not insert a row twice.
    const byPosition = new Map(rejects.map((reject) => [reject.position, reject]))
    const byTopic = Map.groupBy(byPosition.values(), ({ topic = 'stock-data' }) => topic)
    for (const [topic, group] of byTopic)
      await appendDeadLetters(
        this.#database,
        INGEST_APP,
        source,
        topic,
        group.map(({ position, feed, reason, original }) => ({
          partition: INGEST_PARTITION,
          offset: position,
          code: 'INVALID_EVENT',
          reason,
          key: source,
          value: original,
          headers: {},
          ...(feed !== undefined && { feed }),
        })),
      )
  }

  /** Per app and topic (for sources: app `ingest` and the source's name). */
  async count(app: string, topic: string): Promise<number> {
    const { rows } = await this.#database.query<{ count: string }>(
      'SELECT count(*) FROM dead_letters WHERE app = $1 AND topic = $2',
      [app, topic],
    )
    return Number(rows[0].count)
  }

  /** The newest first, at most `first`. */
  async list(app: string, topic: string, first: number): Promise<StoredDeadLetter[]> {
    const { rows } = await this.#database.query<Row>(
      `SELECT ${COLUMNS} FROM dead_letters WHERE app = $1 AND topic = $2
       ORDER BY created_at DESC, part, "offset" DESC LIMIT $3`,
      [app, topic, first],
    )
    return rows.map(letterOf)
  }
}

type Row = StoredDeadLetter & { offset: string }

const letterOf = (row: Row): StoredDeadLetter => ({ ...row, offset: Number(row.offset) })
