import pg from 'pg'
import { PlatformError } from '../../domain/errors.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { type Cluster, openCluster } from './embedded-cluster.ts'
import { clusterUrl, nearestUrl, runServer, type Server, type Settings, stopServer } from './embedded-server.ts'

export interface EmbeddedPostgresOptions {
  /** Everything lies in here; made where it does not exist. Belongs to one running process at a time. */
  readonly dataDir: string
  readonly log: Log
  /** False gives up crash safety for speed. For tests. Default true. */
  readonly durable?: boolean
  /** Server settings on top of ours. */
  readonly settings?: Settings
  readonly database?: string
  readonly metrics?: Metrics
}

/** A real PostgreSQL beside this process: loopback and a Unix socket only, random password, data kept over restarts and crashes. */
export interface EmbeddedPostgres extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** It was already running: a process of ours was killed and left it behind. */
  readonly adopted: boolean
  /** Stops the server and waits for it. The second call does nothing. */
  stop(): Promise<void>
}

/** For a laptop that takes in ticks: few checkpoints, little memory, no replication. `synchronous_commit` stays on: each
 * transaction that may lose its last moments in a crash says so itself. */
const LAPTOP: Settings = {
  listen_addresses: '127.0.0.1',
  // More than any pool of ours may have (DATABASE_POOL_MAX).
  max_connections: '250',
  shared_buffers: '128MB',
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  wal_level: 'minimal',
  max_wal_senders: '0',
  wal_compression: 'on',
  autovacuum_naptime: '30s',
  // Compiling a plan costs more than any query of ours saves by it.
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C',
}
const NOT_DURABLE: Settings = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }

/** pg_advisory_lock key, in the database `postgres`: who runs this server. */
const OWNER_LOCK = 1_229_870_897
/** A killed owner's connection is noticed by the server at once, but not within the same millisecond. */
const OWNER_WAIT_MS = 3_000
const OWNER_POLL_MS = 50
const REVIVE_PAUSE_MS = 200
const REVIVE_PAUSE_MAX_MS = 10_000

/**
 * Starts PostgreSQL on a folder, or adopts the one that a killed process of ours left running on it. While we live it is
 * kept alive: should it crash, it is started again on the same port, and whoever uses it connects anew.
 *
 * The owner holds an advisory lock in the server for as long as it lives. A second process on the same folder finds it
 * taken and is refused; after a `kill -9` the lock is free, because the server sees the connection end. So nobody adopts
 * a server that its owner is about to stop, and no process id is ever mistaken for another's.
 *
 * @throws STORE_UNAVAILABLE where it does not start, or another live process runs it.
 * @throws STORE_INCOMPATIBLE where the folder was made by another major version or holds something else.
 * @throws INVALID_CONFIG where this machine cannot run it (platform, permissions).
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { dataDir, log, durable = true, database = 'investor_updates' } = options
  const cluster = await openCluster({ dataDir, durable, log })
  const settings = { ...LAPTOP, ...(durable ? {} : NOT_DURABLE), ...options.settings }
  const server = await runServer(cluster, settings, log)
  if (server.adopted)
    log.info({ pid: server.pid }, 'adopted the embedded PostgreSQL that a killed process left running')
  const postgres = new OwnedPostgres({ cluster, settings, server, database, log, metrics: options.metrics })
  try {
    await postgres.own()
  } catch (error) {
    // What was running before us is somebody else's to stop.
    if (!server.adopted) await stopServer(cluster, server, log)
    throw error
  }
  return postgres
}

interface Owned {
  readonly cluster: Cluster
  readonly settings: Settings
  readonly server: Server
  readonly database: string
  readonly log: Log
  readonly metrics: Metrics | undefined
}

class OwnedPostgres implements EmbeddedPostgres {
  readonly url: string
  readonly port: number
  readonly adopted: boolean
  readonly #with: Omit<Owned, 'server'>
  #server: Server
  #owner: pg.Client | undefined
  #reviving: Promise<void> | undefined
  #stopped: Promise<void> | undefined

  constructor({ server, ...owned }: Owned) {
    this.url = nearestUrl(owned.cluster, server.port, owned.database)
    this.port = server.port
    this.adopted = server.adopted
    this.#with = owned
    this.#server = server
  }

  get pid(): number {
    return this.#server.pid
  }

  async own(): Promise<void> {
    const owner = await takeOwnership(this.#with.cluster, this.port)
    await createDatabase(owner, this.#with.database)
    this.#owner = owner
    owner.once('end', () => {
      if (!this.#stopped) this.#reviving ??= this.#revive()
    })
  }

  /** The server crashed, was killed, or threw all connections out and is recovering. Ends when it runs, or we stop. */
  async #revive(): Promise<void> {
    const { cluster, settings, log, metrics } = this.#with
    log.error({ pid: this.pid }, 'the embedded PostgreSQL went away, bringing it back')
    metrics?.embeddedPostgresRestarts.inc()
    for (let pauseMs = REVIVE_PAUSE_MS; !this.#stopped; pauseMs = Math.min(pauseMs * 2, REVIVE_PAUSE_MAX_MS)) {
      try {
        this.#server = await runServer(cluster, settings, log, this.port)
        await this.own()
        log.warn({ pid: this.pid }, 'the embedded PostgreSQL is back; nothing that was committed durably is lost')
        break
      } catch (error) {
        log.error({ err: error, pauseMs }, 'the embedded PostgreSQL did not come back yet')
        await new Promise((resolve) => setTimeout(resolve, pauseMs))
      }
    }
    this.#reviving = undefined
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    const { cluster, log } = this.#with
    await this.#reviving
    await this.#owner?.end().catch((error) => log.debug({ err: error }, 'the owner connection was already closed'))
    await stopServer(cluster, this.#server, log)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

async function takeOwnership(cluster: Cluster, port: number): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: clusterUrl(cluster, port, 'postgres'),
    application_name: 'investor-updates owner',
    keepAlive: true,
    connectionTimeoutMillis: OWNER_WAIT_MS,
  })
  client.on('error', () => {}) // An `end` follows, and that is acted on.
  await client.connect()
  const untilMs = Date.now() + OWNER_WAIT_MS
  for (;;) {
    const { rows } = await client.query<{ mine: boolean }>('SELECT pg_try_advisory_lock($1) AS mine', [OWNER_LOCK])
    if (rows[0].mine) return client
    if (Date.now() > untilMs) break
    await new Promise((resolve) => setTimeout(resolve, OWNER_POLL_MS))
  }
  await client.end()
  throw new PlatformError(
    'STORE_UNAVAILABLE',
    `Another running process uses the embedded PostgreSQL in ${cluster.dir}. Stop it, or give this one a DATA_DIR of its own`,
  )
}

async function createDatabase(client: pg.Client, name: string): Promise<void> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])
  if (!rowCount) await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`)
}
