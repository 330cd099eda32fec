import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { PrismaClient } from './generated/client.ts'
import { storeError } from './store-error.ts'
import { TimedClient } from './timed-client.ts'

/** One pool of connections to PostgreSQL, for plain SQL and for Prisma alike. */
export interface Database extends AsyncDisposable {
  readonly url: string
  readonly pool: pg.Pool
  readonly prisma: PrismaClient
  /**
   * One statement that reads, or that may run twice: prepared under its name, measured by it, given up after QUERY_LIMIT_MS.
   * @throws STORE_UNAVAILABLE while the database is away.
   */
  query<Row extends pg.QueryResultRow>(name: string, text: string, values?: readonly unknown[]): Promise<Row[]>
  /**
   * A connection of one's own, for transactions, locks and COPY; `release()` it. Waits for a free one. A statement that is
   * not answered within twice QUERY_LIMIT_MS rejects, and nothing is known of the connection then: `release(true)` it.
   * @throws STORE_UNAVAILABLE where there is none within CONNECT_LIMIT_MS.
   */
  checkout(): Promise<pg.PoolClient>
  /** Rejects with STORE_UNAVAILABLE and a reason while the database cannot be used. For readiness. */
  ping(): Promise<void>
}

export interface DatabaseOptions {
  readonly url: string
  /** Connections at most. Callers wait for a free one. Default 20. */
  readonly poolMax?: number
  /** Shown in pg_stat_activity. */
  readonly applicationName?: string
  readonly log: Log
  readonly metrics?: Metrics
  /** How long `query` waits for an answer; a statement on one's own connection twice as long. Default QUERY_LIMIT_MS. */
  readonly queryLimitMs?: number
}

export const CONNECT_LIMIT_MS = 5_000
/** A database that accepts and never answers is as good as away. */
export const QUERY_LIMIT_MS = 15_000
/** A statement on a connection of one's own may wait for locks, and is given more of them. */
const OWN_STATEMENT_LIMITS = 2
const PING_LIMIT_MS = 2_000
const IDLE_MS = 30_000

/**
 * Connects, so that a wrong address is told at start. Afterwards the pool mends itself: connections that break are thrown
 * away, calls reject meanwhile, and the next call connects anew.
 * @throws STORE_UNAVAILABLE naming host and port; INVALID_CONFIG for a wrong password or a database that does not exist.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const {
    url,
    poolMax = 20,
    applicationName = 'investor-updates',
    log,
    metrics,
    queryLimitMs = QUERY_LIMIT_MS,
  } = options
  let closed: Promise<void> | undefined
  const pool = openPool(url, poolMax, applicationName, OWN_STATEMENT_LIMITS * queryLimitMs, (error) => {
    // A server that is stopped right after us may still cut off connections on their way out.
    if (!closed) log.warn({ err: error }, 'lost a connection to the database')
  })
  const note = metrics ? watchPool(pool, metrics) : () => {}
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool, { disposeExternalPool: false }) })

  const database: Database = {
    url,
    pool,
    prisma,
    async query<Row extends pg.QueryResultRow>(name: string, text: string, values: readonly unknown[] = []) {
      const stop = metrics?.storeLatency.startTimer({ query: name })
      try {
        const config = { name, text, values: [...values], query_timeout: queryLimitMs }
        const result = pool.query<Row>(config)
        note()
        return (await result).rows
      } catch (error) {
        throw storeError(`run ${name}`, url, error)
      } finally {
        stop?.()
      }
    },
    async checkout() {
      try {
        const connection = pool.connect()
        note()
        return await connection
      } catch (error) {
        throw storeError('get a connection', url, error)
      }
    },
    async ping() {
      try {
        await pool.query({ text: 'SELECT 1', query_timeout: PING_LIMIT_MS } as pg.QueryConfig)
      } catch (error) {
        throw storeError('reach the database', url, error)
      }
    },
    [Symbol.asyncDispose]() {
      closed ??= prisma.$disconnect().then(() => pool.end())
      return closed
    },
  }

  try {
    await database.ping()
  } catch (error) {
    await database[Symbol.asyncDispose]()
    throw error
  }
  return database
}

function openPool(
  url: string,
  max: number,
  application_name: string,
  query_timeout: number,
  lost: (error: Error) => void,
): pg.Pool {
  const pool = new pg.Pool({
    Client: TimedClient,
    connectionString: url,
    max,
    application_name,
    query_timeout,
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    idleTimeoutMillis: IDLE_MS,
    keepAlive: true,
  })
  // Without a listener the loss of a connection, idle or checked out, would be an uncaught error and end the process.
  pool.on('connect', (client) => client.on('error', lost))
  pool.on('error', () => {}) // Idle ones: `lost` has told already.
  return pool
}

/** The pool tells when a connection comes or goes; that somebody waits only we know, so the result is called then. */
function watchPool(pool: pg.Pool, metrics: Metrics): () => void {
  const note = () => {
    metrics.storeConnections.set({ state: 'open' }, pool.totalCount)
    metrics.storeConnections.set({ state: 'idle' }, pool.idleCount)
    metrics.storeConnections.set({ state: 'waiting' }, pool.waitingCount)
  }
  pool.on('connect', note).on('acquire', note).on('release', note).on('remove', note)
  return note
}
