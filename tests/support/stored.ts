import pg from 'pg'
import { silentLog } from '../../platform/log.ts'
import { startEmbeddedPostgres } from '../../platform/store/embedded-postgres.ts'

/** What a platform left in its data folder, or has in the database it was told to use; read with plain SQL. */
export interface Stored extends AsyncDisposable {
  rows<T extends unknown[]>(sql: string, values?: unknown[]): Promise<T[]>
}

export async function openStored(dataDir: string, databaseUrl?: string): Promise<Stored> {
  const server = databaseUrl ? undefined : await startEmbeddedPostgres({ dataDir, log: silentLog })
  const client = new pg.Client({ connectionString: databaseUrl ?? server?.url })
  await client.connect()
  return {
    rows: async <T extends unknown[]>(sql: string, values: unknown[] = []) =>
      (await client.query({ text: sql, values, rowMode: 'array' })).rows as T[],
    async [Symbol.asyncDispose]() {
      await client.end()
      await server?.[Symbol.asyncDispose]()
    },
  }
}

const MS = (column: string) => `(extract(epoch from ${column}) * 1000)::bigint`

/** `symbol|start` → `open|high|low|close|volume|trades`, as `barsOf` of the recomputation. */
export async function storedBars(stored: Stored, view = 'bars_1m'): Promise<Map<string, string>> {
  return new Map(
    await stored.rows<[string, string]>(
      `SELECT symbol || '|' || ${MS('time')}, concat_ws('|', open, high, low, close, volume, trades) FROM ${view}`,
    ),
  )
}

/** symbol → `time|price|size`. */
export async function storedQuotes(stored: Stored): Promise<Map<string, string>> {
  return new Map(
    await stored.rows<[string, string]>(`SELECT symbol, ${MS('time')} || '|' || price || '|' || size FROM quotes`),
  )
}

/** `symbol|time|price|size` of every tick, in the order of the tape. */
export async function storedTicks(stored: Stored): Promise<string[]> {
  const rows = await stored.rows<[string]>(
    `SELECT symbol || '|' || ${MS('time')} || '|' || price || '|' || size FROM stock_data ORDER BY seq`,
  )
  return rows.map(([row]) => row)
}
