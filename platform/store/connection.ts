import type { Pool, PoolClient } from 'pg'

/** One session with the database, taken from the pool. Whoever takes it gives it back, or destroys it after an error. */
export type Connection = PoolClient

/** What runs a single statement: a pool or a connection inside a transaction. */
export type Queryable = Pick<Pool, 'query'> | Pick<PoolClient, 'query'>

export interface WriterSettings {
  /** off: a crash of the database may take back what was committed in its last fraction of a second. */
  readonly synchronousCommit: 'on' | 'off'
  /** A writer frozen inside a transaction holds its locks: after this the server ends it. */
  readonly transactionTimeoutMs: number
}

/** PostgreSQL before 17 has no transaction_timeout; there, only the time between statements is bounded. */
export async function configureWriter(connection: Connection, settings: WriterSettings): Promise<void> {
  await connection.query(
    `SELECT set_config('synchronous_commit', $1, false), set_config('idle_in_transaction_session_timeout', $2, false),
       CASE WHEN current_setting('server_version_num')::int >= 170000 THEN set_config('transaction_timeout', $2, false) END`,
    [settings.synchronousCommit, String(settings.transactionTimeoutMs)],
  )
}

/** Back to the pool as it came: whoever borrows it next does not commit as this writer did, nor within its limits. */
export async function returnWriter(connection: Connection): Promise<void> {
  try {
    await connection.query('RESET ALL')
    connection.release()
  } catch {
    // It is lost, and nobody needs it now.
    connection.release(true)
  }
}

/** SQLSTATE of an error that the server answered with. */
export function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}

export const UNIQUE_VIOLATION = '23505'
