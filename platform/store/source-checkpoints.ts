import type pg from 'pg'
import { PlatformError } from '../../domain/errors.ts'
import type { Database } from './database.ts'
import { storeError } from './store-error.ts'

/** How long a killed reader's lock may linger before we say that there is another one. */
const LOCK_WAIT_MS = 5_000
const LOCK_POLL_MS = 100
/** First key of the two-part advisory lock; the second is the source. */
const LOCK_CLASS = 1_936_683_619

/** How far each source was read, and who reads it. */
export class SourceCheckpoints {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** The last one saved, as plain JSON; undefined where the source was never read. */
  async load(source: string): Promise<unknown | undefined> {
    const rows = await this.#database.query<{ checkpoint: unknown }>(
      'source_checkpoint_load',
      'SELECT checkpoint FROM source_checkpoint WHERE source = $1',
      [source],
    )
    return rows[0]?.checkpoint
  }

  /**
   * Replaces the one before. Once it has resolved it survives a crash, and with it all that was committed before it,
   * rows that did not wait for the disk included: the log is flushed in order. So it is synchronous by itself, whatever
   * the connection was last used for.
   */
  async save(source: string, checkpoint: unknown): Promise<void> {
    await this.#database.query(
      'source_checkpoint_save',
      `WITH durable AS MATERIALIZED (SELECT set_config('synchronous_commit', 'on', true))
       INSERT INTO source_checkpoint (source, checkpoint) SELECT $1, $2::jsonb FROM durable
       ON CONFLICT (source) DO UPDATE SET checkpoint = excluded.checkpoint, updated_at = now()`,
      [source, JSON.stringify(checkpoint)],
    )
  }

  /**
   * Makes this process the source's one reader until disposed. Holds a connection of the pool. It ends with the process
   * however that dies, and with the connection: should two read for a moment, positions let processors drop the second.
   * @throws LIMIT_EXCEEDED where another process has been reading it for LOCK_WAIT_MS.
   */
  async lock(source: string, waitMs: number = LOCK_WAIT_MS): Promise<AsyncDisposable> {
    const client = await this.#database.checkout()
    try {
      await this.#acquire(client, source, waitMs)
    } catch (error) {
      client.release(true)
      throw storeError(`lock source ${source}`, this.#database.url, error)
    }
    let released = false
    return {
      // Closing the connection is the one release that cannot fail.
      [Symbol.asyncDispose]: async () => {
        if (!released) client.release(true)
        released = true
      },
    }
  }

  async #acquire(client: pg.PoolClient, source: string, waitMs: number): Promise<void> {
    const untilMs = Date.now() + waitMs
    for (;;) {
      const { rows } = await client.query<{ mine: boolean }>('SELECT pg_try_advisory_lock($1, hashtext($2)) AS mine', [
        LOCK_CLASS,
        source,
      ])
      if (rows[0].mine) return
      if (Date.now() >= untilMs)
        throw new PlatformError(
          'LIMIT_EXCEEDED',
          `Source ${source} is being read by another process, and one at a time may read it. Stop that one first`,
        )
      await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS))
    }
  }
}
