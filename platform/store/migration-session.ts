import { createHash } from 'node:crypto'
import type { QueryResultRow } from 'pg'
import { PlatformError } from '../../domain/errors.ts'
import { isUnavailable } from './store-error.ts'

/** One connection that runs SQL: pg's client, or a database inside the test process. */
export interface MigrationSession {
  query<Row extends QueryResultRow>(sql: string, values?: unknown[]): Promise<{ rows: Row[] }>
  /** Several statements at once. */
  script(sql: string): Promise<unknown>
}

export const checksumOf = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex')

/** All of it or nothing. */
export async function inTransaction(session: MigrationSession, run: () => Promise<void>): Promise<void> {
  try {
    await session.query('BEGIN')
    await run()
    await session.query('COMMIT')
  } catch (error) {
    try {
      await session.query('ROLLBACK')
    } catch {
      // The connection is gone and the server rolls back by itself. What counts is why it failed.
    }
    throw error
  }
}

/** A database that went away is not the script's fault: that error passes as it is, and the next start tries again. */
export const scriptFailed = (what: string, cause: unknown): unknown =>
  isUnavailable(cause)
    ? cause
    : new PlatformError(
        'STORE_INCOMPATIBLE',
        `${what} could not be applied: ${cause instanceof Error ? cause.message : cause}`,
        { cause },
      )

export const editedAfterwards = (what: string): PlatformError =>
  new PlatformError(
    'STORE_INCOMPATIBLE',
    `${what} was edited after it had been applied to this database. Restore the file and make the change in a new one`,
  )
