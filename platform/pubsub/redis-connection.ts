import { EventEmitter, once } from 'node:events'
import type { ConnectionOptions } from 'node:tls'
import { Redis, ReplyError } from 'ioredis'
import { PlatformError } from '../../domain/errors.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'

/** A Redis that does not answer for this long is away, also when its socket is still open. */
const ANSWER_TIMEOUT_MS = 2_000
/** How often a connection that nobody uses is asked whether it is alive. */
const HEARTBEAT_MS = 2_000
/** How long a socket that we end may take to close before it is destroyed. */
const GOODBYE_TIMEOUT_MS = 500
const RECONNECT_DELAY_MAX_MS = 1_000

export interface RedisConnectionOptions {
  /** `redis://` or, for TLS, `rediss://`, with user and password where needed. */
  readonly url: string
  /** For `rediss://`: certificate authority, client certificate and the like. */
  readonly tls?: ConnectionOptions
  readonly metrics: Metrics
  readonly log: Log
}

/**
 * One connection that comes back by itself. It never keeps commands for later: while Redis is away they fail at once, so
 * nothing piles up here. What it says about Redis, in errors and in the log, never holds the password.
 */
export class RedisConnection implements AsyncDisposable {
  readonly redis: Redis
  readonly #name: string
  readonly #address: string
  readonly #metrics: Metrics
  readonly #log: Log
  readonly #prepare: () => Promise<void>
  readonly #events = new EventEmitter().setMaxListeners(0)
  readonly #heartbeat: NodeJS.Timeout
  #prepared = false
  #attempted = false
  #wasLive = false
  #away = false
  #closing = false
  #reason = `no answer within ${ANSWER_TIMEOUT_MS} ms`

  /** `prepare` runs after each connect; the connection is live when it has resolved. It is asked again if it rejects. */
  constructor(name: string, options: RedisConnectionOptions, prepare: () => Promise<void> = () => Promise.resolve()) {
    const url = parseUrl(options.url)
    this.#name = name
    this.#address = `${url.hostname}:${url.port || 6379}`
    this.#metrics = options.metrics
    this.#log = options.log
    this.#prepare = prepare
    // Pub/sub knows no databases, so none is selected.
    url.pathname = ''
    this.redis = new Redis(url.href, {
      ...(options.tls && { tls: options.tls }),
      connectionName: `investor-updates-${name}`,
      connectTimeout: ANSWER_TIMEOUT_MS,
      commandTimeout: ANSWER_TIMEOUT_MS,
      disconnectTimeout: GOODBYE_TIMEOUT_MS,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      // Zero: what was under way when the connection broke is rejected then, not left without an answer.
      maxRetriesPerRequest: 0,
      autoResubscribe: false,
      retryStrategy: (attempts) => Math.min(50 * 2 ** Math.min(attempts, 10), RECONNECT_DELAY_MAX_MS),
    })
    this.redis.on('error', (error) => this.#lost(reasonOf(error)))
    this.redis.on('close', () => this.#lost('the connection was closed'))
    this.redis.on('ready', () => void this.#connected())
    this.#heartbeat = setInterval(() => void this.#beat(), HEARTBEAT_MS).unref()
  }

  get live(): boolean {
    return this.#prepared && this.redis.status === 'ready'
  }

  /** The first connection is waited for; after that, being away is said at once. @throws PUBSUB_UNAVAILABLE */
  async reach(): Promise<void> {
    if (this.live) return
    if (!this.#attempted) await this.#happens('attempted', ANSWER_TIMEOUT_MS)
    if (!this.live) throw this.unavailable()
  }

  /** Waits for it to come back, at most this long. @throws PUBSUB_UNAVAILABLE */
  async reachWithin(timeoutMs: number): Promise<void> {
    if (this.live) return
    await this.#happens('live', timeoutMs)
    if (!this.live) throw this.unavailable()
  }

  /** The sentence for a failed command. ioredis attaches the command with its arguments to an error, so no `cause`. */
  unavailable(error?: unknown): PlatformError {
    const why = error instanceof ReplyError ? `refused: ${reasonOf(error)}` : `cannot be reached: ${this.#why(error)}`
    return new PlatformError('PUBSUB_UNAVAILABLE', `Redis at ${this.#address} ${why}`)
  }

  /** A command had no answer in time: the socket may be dead without saying so. */
  suspect(error: unknown): void {
    if (!(error instanceof ReplyError)) this.renew(error)
  }

  /** Connects anew, and prepares anew with it. */
  renew(error: unknown): void {
    if (!this.live) return
    this.#lost(reasonOf(error))
    this.redis.disconnect(true)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    clearInterval(this.#heartbeat)
    // Quit lets what was published before be answered.
    if (this.live)
      await this.redis.quit().catch((error: unknown) => this.#log.debug({ reason: reasonOf(error) }, 'Quit'))
    this.#lost('it has been closed here')
    // Nobody needs to wait any longer for what will not come.
    this.#events.emit('live')
    // Between two attempts there is no socket, so no end of one will be told.
    const ends = this.redis.status !== 'reconnecting' && this.redis.status !== 'end'
    const ended = ends ? this.#happens('end', ANSWER_TIMEOUT_MS) : undefined
    this.redis.once('end', () => this.#events.emit('end'))
    this.redis.disconnect()
    await ended
  }

  async #connected(): Promise<void> {
    try {
      await this.#prepare()
    } catch (error) {
      this.#lost(reasonOf(error))
      setTimeout(() => this.redis.status === 'ready' && this.redis.disconnect(true), RECONNECT_DELAY_MAX_MS).unref()
      return
    }
    if (this.redis.status !== 'ready') return
    this.#prepared = true
    if (this.#wasLive) this.#metrics.pubsubReconnects.inc({ connection: this.#name })
    if (this.#away) this.#log.info({ redis: this.#address, connection: this.#name }, 'Redis is back')
    this.#wasLive = true
    this.#away = false
    this.#attempt()
    this.#events.emit('live')
  }

  #lost(reason: string): void {
    this.#prepared = false
    // The close that follows an error knows less than the error.
    if (!this.#away) this.#reason = reason
    if (!this.#away && !this.#closing)
      this.#log.warn({ redis: this.#address, connection: this.#name, reason }, 'Redis is away, trying to reconnect')
    this.#away = true
    this.#attempt()
  }

  #attempt(): void {
    if (this.#attempted) return
    this.#attempted = true
    this.#events.emit('attempted')
  }

  async #beat(): Promise<void> {
    if (this.redis.status !== 'ready') return
    try {
      await this.redis.ping()
    } catch (error) {
      this.suspect(error)
    }
  }

  /** Resolves when it happened or the time is up. */
  async #happens(event: 'attempted' | 'live' | 'end', timeoutMs: number): Promise<void> {
    if (this.#closing && event !== 'end') return
    const timeout = AbortSignal.timeout(timeoutMs)
    await once(this.#events, event, { signal: timeout }).catch((error: unknown) => {
      if (!timeout.aborted) throw error
    })
  }

  #why(error: unknown): string {
    return error === undefined || this.#away ? this.#reason : reasonOf(error)
  }
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && (url.protocol === 'redis:' || url.protocol === 'rediss:') && url.hostname !== '') return url
  // The text itself may hold a password.
  throw new PlatformError('INVALID_CONFIG', 'A Redis address must be redis://host:port, or rediss://host:port for TLS')
}

/** Node leaves the message empty where every address of a name refused. */
const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return error.message || ('code' in error ? String(error.code) : error.name)
}
