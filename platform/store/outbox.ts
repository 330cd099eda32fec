import type { Connection, Queryable } from './connection.ts'
import { printable, printableJson } from './printable.ts'

/** An event on its way to the bus, stored in the transaction that caused it. */
export interface OutboxEvent {
  /** Follows from the cause, so that the same cause stores it once. Consumers see it as header `ce_id`. */
  readonly id: string
  readonly topic: string
  readonly key: string
  readonly headers: Readonly<Record<string, string>>
  readonly value: Buffer | null
}

export interface WaitingEvent extends OutboxEvent {
  /** Order of the table. Events of one key have it in the order of their transactions. */
  readonly row: string
}

export async function appendToOutbox(connection: Connection, events: readonly OutboxEvent[]): Promise<void> {
  if (events.length === 0) return
  await connection.query({
    name: 'outbox-append',
    text: `INSERT INTO outbox (event_id, topic, key, headers, value)
           SELECT id, topic, key, headers::jsonb, value
           FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[]) AS e(id, topic, key, headers, value)
           ON CONFLICT (event_id) DO NOTHING`,
    values: [
      events.map((e) => e.id),
      events.map((e) => e.topic),
      events.map((e) => printable(e.key)),
      events.map((e) => printableJson(e.headers)),
      events.map((e) => e.value),
    ],
  })
}

/** The oldest events, at most `countMax` and, but for the first, at most `bytesMax` of values. */
export async function oldestInOutbox(database: Queryable, countMax: number, bytesMax: number): Promise<WaitingEvent[]> {
  const { rows } = await database.query<WaitingEvent>({
    name: 'outbox-oldest',
    text: `SELECT id::text AS "row", event_id AS id, topic, key, headers, value FROM (
             SELECT *, sum(coalesce(octet_length(value), 0)) OVER (ORDER BY id) AS bytes, row_number() OVER (ORDER BY id) AS n
             FROM (SELECT * FROM outbox ORDER BY id LIMIT $1) oldest
           ) counted WHERE bytes <= $2 OR n = 1 ORDER BY counted.id`,
    values: [countMax, bytesMax],
  })
  return rows
}

export async function removeFromOutbox(database: Queryable, rows: readonly string[]): Promise<void> {
  await database.query({
    name: 'outbox-remove',
    text: 'DELETE FROM outbox WHERE id = ANY ($1::bigint[])',
    values: [rows],
  })
}

/** Any number: it only has to be ours alone among the advisory locks of the database. */
const RELAY_LOCK = 7_240_001

/**
 * True where this session is the one that may relay, until it ends. A holder that asks nothing for `frozenAfterMs` is
 * taken for frozen and its session is ended by the server, so that another can go on.
 */
export async function becomeRelay(connection: Connection, frozenAfterMs: number): Promise<boolean> {
  const { rows } = await connection.query<{ leads: boolean }>(
    `SELECT set_config('idle_session_timeout', $1, false), pg_try_advisory_lock($2) AS leads`,
    [String(frozenAfterMs), RELAY_LOCK],
  )
  return rows[0].leads
}

export async function countOutbox(database: Queryable): Promise<number> {
  const { rows } = await database.query<{ count: string }>('SELECT count(*) FROM outbox')
  return Number(rows[0].count)
}
