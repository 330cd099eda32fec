import type pg from 'pg'
import { PlatformError } from '../../domain/errors.ts'
import type { Database } from './database.ts'
import { storeError } from './store-error.ts'

/** How long a killed reader's lock may linger before we say that there is another one. */
const LOCK_WAIT_MS = 5_000
const LOCK_POLL_MS = 100
/** First key of the two-part advisory lock; the second is the source. */
const LOCK_CLASS = 1_936_683_619

/**
 * Which sources this process alone may read. All its locks are held by one connection, however many sources there are.
 * They end with the process however that dies, and with the connection: should two read for a moment, positions and natural
 * keys let processors drop what comes twice.
 */
export class SourceLocks {
  readonly #database: Database
  readonly #held = new Set<string>()
  #connection: pg.PoolClient | undefined
  /** One statement at a time on the one connection. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Makes this process the source's one reader until disposed.
   * @throws LIMIT_EXCEEDED where another process, or this one, has been reading it for LOCK_WAIT_MS.
   */
  async lock(source: string, waitMs: number = LOCK_WAIT_MS): Promise<AsyncDisposable> {
    const untilMs = Date.now() + waitMs
    while (!(await this.#tryLock(source))) {
      if (Date.now() >= untilMs)
        throw new PlatformError(
          'LIMIT_EXCEEDED',
          `Source ${source} is being read by another process, and one at a time may read it. Stop that one first`,
        )
      await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS))
    }
    let released = false
    return {
      [Symbol.asyncDispose]: async () => {
        if (released) return
        released = true
        await this.#unlock(source)
      },
    }
  }

  /** The database lets one connection lock twice, so within the process we tell ourselves apart. */
  async #tryLock(source: string): Promise<boolean> {
    if (this.#held.has(source)) return false
    this.#held.add(source)
    return this.#inTurn(async () => {
      try {
        this.#connection ??= await this.#database.checkout()
        const { rows } = await this.#connection.query<{ mine: boolean }>(
          'SELECT pg_try_advisory_lock($1, hashtext($2)) AS mine',
          [LOCK_CLASS, source],
        )
        if (!rows[0].mine) this.#forget(source)
        return rows[0].mine
      } catch (error) {
        this.#held.delete(source)
        this.#abandon()
        throw storeError(`lock source ${source}`, this.#database.url, error)
      }
    })
  }

  #unlock(source: string): Promise<void> {
    return this.#inTurn(async () => {
      try {
        await this.#connection?.query('SELECT pg_advisory_unlock($1, hashtext($2))', [LOCK_CLASS, source])
        this.#forget(source)
      } catch {
        // Closing the connection is the one release that cannot fail; the other locks on it were lost with it.
        this.#held.delete(source)
        this.#abandon()
      }
    })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }

  #forget(source: string): void {
    this.#held.delete(source)
    if (this.#held.size === 0) this.#abandon()
  }

  #abandon(): void {
    this.#connection?.release(true)
    this.#connection = undefined
  }
}
