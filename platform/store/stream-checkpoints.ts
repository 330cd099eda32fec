import type { Connection, Queryable } from './connection.ts'
import { type KeyedRow, loadKeyedState } from './keyed-state.ts'

/** How far one source has come in one partition. */
export interface SourceMark {
  /** The highest position processed: everything up to it is a duplicate. -1 where the source does not count. */
  readonly position: number
  /** Event time that this source has passed, as far as we wait for stragglers. */
  readonly watermarkMs: number
  /** Wall clock of its last record. Only for telling quiet partitions from busy ones. */
  readonly seenAtMs: number
}
export type SourceMarks = ReadonlyMap<string, SourceMark>

/** Ownership of one partition, from one claim to the next. */
export interface Claim {
  readonly partition: number
  /** Grows by one with every claim: whoever holds an older one has lost the partition. */
  readonly epoch: number
  readonly nextOffset: number
  readonly sources: SourceMarks
  readonly state: readonly KeyedRow[]
}

export interface Move {
  readonly partition: number
  readonly epoch: number
  readonly fromOffset: number
  readonly toOffset: number
  readonly sources: SourceMarks
}

/** What a move compares before it sets. Both, always; tests switch one off to prove what it is needed for. */
export interface MoveGuards {
  readonly offset: boolean
  readonly epoch: boolean
}

/** The compare-and-set as SQL, to be run alone or as the first part of a larger statement. */
export interface Moving {
  /** Another one for other guards: it names prepared statements. */
  readonly name: string
  /** An UPDATE that returns `part` of those that moved. Its parameters are $1 to $7. */
  readonly update: string
  readonly values: readonly unknown[]
}

/**
 * How far an app has come in each partition of a topic: the truth about ownership and position. The bus's own offsets are
 * only a hint. Everything here runs on a connection of the caller's, inside its transaction where the name says so.
 */
export class StreamCheckpoints {
  readonly #app: string
  readonly #topic: string
  readonly #guards: MoveGuards

  constructor(app: string, topic: string, guards: MoveGuards = { offset: true, epoch: true }) {
    this.#app = app
    this.#topic = topic
    this.#guards = guards
  }

  /**
   * Takes the partitions, waiting for the transaction of the one who has them. Position and keyed state belong together,
   * because both are read under the same lock. `firstOffsets` is where a partition starts that was never claimed.
   * Nothing is claimed where `wanted` has turned false while it waited: that would fence who has taken over since.
   */
  async claim(
    connection: Connection,
    firstOffsets: ReadonlyMap<number, number>,
    lockTimeoutMs: number,
    wanted: () => boolean,
  ): Promise<Claim[]> {
    const partitions = [...firstOffsets.keys()]
    await connection.query('BEGIN')
    // Durable at once, whatever the processor uses: an epoch that a crash could take back could be given out twice.
    await connection.query(
      `SELECT set_config('synchronous_commit', 'on', true), set_config('lock_timeout', $1, true)`,
      [String(lockTimeoutMs)],
    )
    await connection.query(
      `INSERT INTO stream_checkpoint (app, topic, part, next_offset)
       SELECT $1, $2, * FROM unnest($3::int[], $4::bigint[]) ON CONFLICT DO NOTHING`,
      [this.#app, this.#topic, partitions, [...firstOffsets.values()]],
    )
    // In order of partitions, so that two claims never wait for each other.
    await connection.query(
      'SELECT FROM stream_checkpoint WHERE app = $1 AND topic = $2 AND part = ANY ($3) ORDER BY part FOR UPDATE',
      [this.#app, this.#topic, partitions],
    )
    if (!wanted()) {
      await connection.query('ROLLBACK')
      return []
    }
    const { rows } = await connection.query<{ part: number; epoch: string; next_offset: string; sources: StoredMarks }>(
      `UPDATE stream_checkpoint SET epoch = epoch + 1 WHERE app = $1 AND topic = $2 AND part = ANY ($3)
       RETURNING part, epoch, next_offset, sources`,
      [this.#app, this.#topic, partitions],
    )
    const state = await loadKeyedState(connection, this.#app, this.#topic, partitions)
    await connection.query('COMMIT')
    return rows.map((row) => ({
      partition: row.part,
      epoch: Number(row.epoch),
      nextOffset: Number(row.next_offset),
      sources: marksFrom(row.sources),
      state: state.get(row.part) ?? [],
    }))
  }

  /**
   * Compare-and-set, inside the caller's transaction and before anything else in it. Answers which partitions moved; the
   * others are fenced: somebody else claimed them, or the database lost commits that the caller had seen.
   */
  async move(connection: Connection, moves: readonly Move[]): Promise<ReadonlySet<number>> {
    const { name, update, values } = this.moving(moves)
    const { rows } = await connection.query<{ part: number }>({ name, text: update, values: [...values] })
    return new Set(rows.map((row) => row.part))
  }

  /** What `move` does, for whoever writes its results in the same statement. */
  moving(moves: readonly Move[]): Moving {
    const { epoch, offset } = this.#guards
    return {
      name: `checkpoint-move-${epoch}-${offset}`,
      update: `UPDATE stream_checkpoint c SET next_offset = v.new, sources = v.sources::jsonb, updated_at = now()
               FROM unnest($3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[]) AS v(part, epoch, old, new, sources)
               WHERE c.app = $1 AND c.topic = $2 AND c.part = v.part
                 ${epoch ? 'AND c.epoch = v.epoch' : ''} ${offset ? 'AND c.next_offset = v.old' : ''}
               RETURNING c.part`,
      values: [
        this.#app,
        this.#topic,
        moves.map((move) => move.partition),
        moves.map((move) => move.epoch),
        moves.map((move) => move.fromOffset),
        moves.map((move) => move.toOffset),
        moves.map((move) => toStored(move.sources)),
      ],
    }
  }

  async epochs(database: Queryable, partitions: readonly number[]): Promise<ReadonlyMap<number, number>> {
    const { rows } = await database.query<{ part: number; epoch: string }>(
      'SELECT part, epoch FROM stream_checkpoint WHERE app = $1 AND topic = $2 AND part = ANY ($3)',
      [this.#app, this.#topic, partitions],
    )
    return new Map(rows.map((row) => [row.part, Number(row.epoch)]))
  }

  /** Of all partitions, whoever owns them. */
  async sources(database: Queryable): Promise<ReadonlyMap<number, SourceMarks>> {
    const { rows } = await database.query<{ part: number; sources: StoredMarks }>(
      'SELECT part, sources FROM stream_checkpoint WHERE app = $1 AND topic = $2',
      [this.#app, this.#topic],
    )
    return new Map(rows.map((row) => [row.part, marksFrom(row.sources)]))
  }
}

/**
 * For a bus whose log is gone with the process: every partition goes on at the highest offset that any app had reached,
 * and all apps are set to it. Sources tell again what some app had not processed; the position of each fact keeps the
 * others from processing it twice. Offsets stay unique for ever, so identifiers made from them do too.
 *
 * Run it before anything consumes. Partitions that no app ever claimed are not in the answer: they start at 0.
 */
export async function rebase(
  database: Queryable,
  topics: readonly string[],
): Promise<ReadonlyMap<string, ReadonlyMap<number, number>>> {
  const { rows } = await database.query<{ topic: string; part: number; next_offset: string }>(
    `WITH highest AS (
       SELECT topic, part, max(next_offset) AS next_offset FROM stream_checkpoint WHERE topic = ANY ($1) GROUP BY topic, part
     ), moved AS (
       UPDATE stream_checkpoint c SET next_offset = h.next_offset FROM highest h
       WHERE c.topic = h.topic AND c.part = h.part AND c.next_offset < h.next_offset
     )
     SELECT topic, part, next_offset FROM highest`,
    [topics],
  )
  const firstOffsets = new Map<string, Map<number, number>>(topics.map((topic) => [topic, new Map()]))
  for (const row of rows) firstOffsets.get(row.topic)?.set(row.part, Number(row.next_offset))
  return firstOffsets
}

/** As in the column: `{ "<source>": { "position": 17, "watermark": 1381152600000, "seenAt": 1790000000000 } }`. */
type StoredMarks = Record<string, { position: number; watermark: number; seenAt?: number }>

const marksFrom = (stored: StoredMarks): SourceMarks =>
  new Map(
    Object.entries(stored).map(([source, { position, watermark, seenAt }]) => [
      source,
      { position, watermarkMs: watermark, seenAtMs: seenAt ?? 0 },
    ]),
  )

function toStored(marks: SourceMarks): string {
  // Not by assignment: a source may have any name, `__proto__` too.
  const stored: StoredMarks = Object.fromEntries(
    Array.from(marks, ([source, { position, watermarkMs, seenAtMs }]) => [
      source,
      { position, watermark: watermarkMs, seenAt: seenAtMs },
    ]),
  )
  return JSON.stringify(stored)
}
