import type { Connection } from './connection.ts'

export interface KeyedRow {
  readonly key: string
  readonly value: string
}

export interface KeyedChange {
  readonly partition: number
  readonly key: string
  /** undefined: forget the key. */
  readonly value: string | undefined
}

/** Under the lock of the checkpoint rows, so that no other owner can commit between position and state. */
export async function loadKeyedState(
  connection: Connection,
  app: string,
  topic: string,
  partitions: readonly number[],
): Promise<ReadonlyMap<number, readonly KeyedRow[]>> {
  const { rows } = await connection.query<KeyedRow & { part: number }>(
    'SELECT part, key, value FROM keyed_state WHERE app = $1 AND topic = $2 AND part = ANY ($3) ORDER BY part, key',
    [app, topic, partitions],
  )
  const byPartition = new Map<number, KeyedRow[]>()
  for (const row of rows) {
    const own = byPartition.get(row.part)
    if (own) own.push(row)
    else byPartition.set(row.part, [row])
  }
  return byPartition
}

/** Only the keys that changed, in the transaction that changed them. Each partition and key at most once. */
export async function saveKeyedState(
  connection: Connection,
  app: string,
  topic: string,
  changes: readonly KeyedChange[],
): Promise<void> {
  const kept = changes.filter(({ value }) => value !== undefined)
  if (kept.length > 0)
    await connection.query({
      name: 'keyed-state-save',
      text: `INSERT INTO keyed_state (app, topic, part, key, value)
             SELECT $1, $2, * FROM unnest($3::int[], $4::text[], $5::text[])
             ON CONFLICT (app, topic, part, key) DO UPDATE SET value = EXCLUDED.value`,
      values: [app, topic, kept.map((c) => c.partition), kept.map((c) => c.key), kept.map((c) => c.value)],
    })
  const gone = changes.filter(({ value }) => value === undefined)
  if (gone.length > 0)
    await connection.query({
      name: 'keyed-state-forget',
      text: `DELETE FROM keyed_state k USING unnest($3::int[], $4::text[]) AS g(part, key)
             WHERE k.app = $1 AND k.topic = $2 AND k.part = g.part AND k.key = g.key`,
      values: [app, topic, gone.map((c) => c.partition), gone.map((c) => c.key)],
    })
}
