import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import { VendorError } from '../vendor-error.ts'
import { Attempts } from './attempts.ts'
import { Connection, type MarketEvent } from './connection.ts'
import { type Quiet, Silence } from './silence.ts'
import type { StreamProtocol } from './stream-protocol.ts'

const TICK_MS = 100
/** The process stood still for longer than this: see Silence.excuse. */
const STALLED_MS = 2_000
/** A planned change is made so long before the vendor would close: at most, for short lives a tenth. */
const CHANGE_EARLY_MS = 600_000

export interface LinkListener {
  told(event: MarketEvent, frame: Buffer, receivedAtMs: number): void
  garbled(error: VendorError, frame: Buffer): void
  complained(error: VendorError): void
  /** A connection is open and subscribed. `awayMs`: how long there was none; 0 where the change was planned and overlapped. */
  connected(nowMs: number, awayMs: number): void
  silent(quiet: Quiet, nowMs: number): void
  recovered(silentSinceMs: number, nowMs: number): void
  /** Why nothing comes just now; undefined: it comes again. */
  trouble(sentence: string | undefined): void
  /** Several times a second. */
  tick(nowMs: number): void
}

export interface LinkContext {
  readonly name: string
  readonly protocol: StreamProtocol
  readonly listener: LinkListener
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/**
 * Keeps one connection open for as long as the source is read: tries again within the vendor's limits, drops one that is
 * mute, replaces one before its time is over.
 */
export class Link {
  readonly #context: LinkContext
  readonly #attempts: Attempts
  readonly #silence: Silence
  readonly #connections = new Set<Connection>()
  readonly #failed = Promise.withResolvers<never>()
  #isPaused = false
  #silent: Quiet | undefined
  #downSinceMs: number | undefined
  #everConnected = false
  #failures = 0

  constructor(context: LinkContext) {
    this.#context = context
    this.#attempts = new Attempts(context.protocol.limits, context.clock)
    this.#silence = new Silence(context.protocol.limits.silence, context.clock.now())
  }

  /** Stops or goes on reading, so that the vendor waits instead of our memory filling. */
  pause(isPaused: boolean): void {
    this.#isPaused = isPaused
    if (!isPaused) {
      // What was not read was not silent.
      this.#silence.heardFrame(this.#context.clock.now())
      this.#silence.heardPrint(this.#context.clock.now())
    }
    for (const connection of this.#connections) connection.pause(isPaused)
  }

  /** Until the signal aborts. @throws VendorError VENDOR_REFUSED, and whatever the listener throws. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = new AbortController()
    const until = AbortSignal.any([signal, stop.signal])
    const ticking = this.#keepTicking(until)
    try {
      await Promise.race([ticking, this.#keepConnected(until), this.#failed.promise])
    } finally {
      stop.abort()
      for (const connection of this.#connections) connection.terminate()
    }
    await ticking
  }

  get #isConnected(): boolean {
    return [...this.#connections].some((connection) => connection.isReady)
  }

  async #keepConnected(signal: AbortSignal): Promise<void> {
    let current = await this.#connect(signal)
    while (current !== undefined) {
      const reason = await this.#useUp(current, signal)
      if (signal.aborted) return
      if (reason?.code === 'VENDOR_REFUSED') throw this.#refused(reason)
      const isOverlapping = reason === undefined && this.#context.protocol.limits.overlap
      if (!isOverlapping) this.#drop(current, reason ?? planned())
      const next = await this.#connect(signal)
      if (isOverlapping) this.#drop(current, planned())
      current = next
    }
  }

  /** Resolves with why it ended, or with nothing where it should be replaced while it still works. */
  async #useUp(connection: Connection, signal: AbortSignal): Promise<VendorError | undefined> {
    const { clock, log, name, protocol } = this.#context
    const { lifeMsMax } = protocol.limits
    const over = new AbortController()
    const until = AbortSignal.any([signal, over.signal])
    try {
      const life =
        lifeMsMax === undefined
          ? []
          : [clock.sleep(lifeMsMax - Math.min(CHANGE_EARLY_MS, lifeMsMax / 10), until).then(() => undefined)]
      const leaving = connection.leaving.then((reason) => {
        log.info({ source: name, reason }, `${name} is about to be disconnected by its vendor and connects anew`)
        return undefined
      })
      const stopped = Promise.withResolvers<undefined>()
      signal.addEventListener('abort', () => stopped.resolve(undefined), { once: true, signal: over.signal })
      return await Promise.race([connection.ended, leaving, stopped.promise, ...life])
    } finally {
      over.abort()
    }
  }

  #drop(connection: Connection, reason: VendorError): void {
    const { clock } = this.#context
    connection.end(reason)
    const nowMs = clock.now()
    this.#attempts.ended(connection.livedMs(nowMs), reason.retryAtMs)
    if (!this.#isConnected) this.#report(reason)
  }

  /** Tries until it works; undefined when it was stopped before. */
  async #connect(signal: AbortSignal): Promise<Connection | undefined> {
    const { metrics, name } = this.#context
    while (!signal.aborted) {
      await this.#attempts.turn(signal)
      if (signal.aborted) return undefined
      const connection = this.#open()
      const failure = await connection.settled
      metrics.streamConnects.inc({ source: name, outcome: failure === undefined ? 'open' : 'failed' })
      if (failure === undefined) return connection
      if (signal.aborted) return undefined
      if (failure.code === 'VENDOR_REFUSED') throw this.#refused(failure)
      this.#attempts.ended(0, failure.retryAtMs)
      this.#report(failure)
    }
    return undefined
  }

  #open(): Connection {
    const { protocol, listener, clock, metrics, name } = this.#context
    const connection = new Connection(
      protocol,
      {
        ready: (nowMs) => this.#connected(nowMs),
        heard: (nowMs) => this.#heard('frames', nowMs),
        told: (event, frame, receivedAtMs) => {
          if (event.kind === 'print' || event.kind === 'fact') this.#heard('prints', receivedAtMs)
          listener.told(event, frame, receivedAtMs)
        },
        garbled: listener.garbled,
        complained: listener.complained,
        failed: this.#failed.reject,
      },
      clock,
    )
    connection.pause(this.#isPaused)
    this.#connections.add(connection)
    metrics.streamConnections.set({ source: name }, this.#connections.size)
    void connection.ended.then(() => {
      this.#connections.delete(connection)
      metrics.streamConnections.set({ source: name }, this.#connections.size)
      if (!this.#isConnected) this.#downSinceMs ??= clock.now()
    })
    return connection
  }

  #connected(nowMs: number): void {
    const { listener, log, name } = this.#context
    const awayMs = this.#downSinceMs === undefined ? 0 : nowMs - this.#downSinceMs
    if (this.#failures > 0) log.info({ source: name, failures: this.#failures, awayMs }, `${name} is connected again`)
    this.#downSinceMs = undefined
    this.#failures = 0
    this.#everConnected = true
    listener.trouble(undefined)
    listener.connected(nowMs, awayMs)
  }

  /** It is no trouble that may pass: whoever reads the source hears it as its end. */
  #refused(reason: VendorError): VendorError {
    this.#context.listener.trouble(undefined)
    return reason
  }

  /** An outage is one line in the log, however often it is tried. */
  #report(error: VendorError): void {
    const { log, name, listener } = this.#context
    const trouble = `${this.#everConnected ? 'lost its stream' : 'could not reach its stream'}: ${error.message}`
    listener.trouble(trouble)
    const line = `${name} ${trouble}; it tries until it works`
    if (this.#failures++ === 0) log.info({ source: name, code: error.code, retryAtMs: error.retryAtMs }, line)
    else log.debug({ source: name, code: error.code, failures: this.#failures }, line)
  }

  async #keepTicking(signal: AbortSignal): Promise<void> {
    const { clock, listener } = this.#context
    let beforeMs = clock.now()
    while (!signal.aborted) {
      await clock.sleep(TICK_MS, signal)
      if (signal.aborted) return
      const nowMs = clock.now()
      if (nowMs - beforeMs > STALLED_MS) this.#silence.excuse(nowMs - beforeMs)
      beforeMs = nowMs
      for (const connection of this.#connections) connection.tick(nowMs, this.#silence.lastFrameMs)
      if (!this.#isPaused) this.#watch(nowMs)
      listener.tick(nowMs)
    }
  }

  /** Drops what is open and mute, and tells of it once; tells of an outage as soon as it can be called one. */
  #watch(nowMs: number): void {
    const { connectTimeoutMs } = this.#context.protocol.limits
    for (const connection of this.#connections) {
      if (!connection.isReady) continue
      const quiet = this.#silence.tooLong(nowMs, connection.readyAtMs)
      if (quiet === undefined) continue
      this.#tellSilent(quiet, nowMs)
      connection.end(
        new VendorError('VENDOR_UNAVAILABLE', `the stream is open and told no ${quiet.what} for ${quiet.limitMs} ms`),
      )
    }
    if (this.#isConnected) return
    const quiet = this.#silence.tooLong(nowMs, 0, connectTimeoutMs)
    if (quiet !== undefined) this.#tellSilent(quiet, nowMs)
  }

  #tellSilent(quiet: Quiet, nowMs: number): void {
    if (this.#silent !== undefined) return
    this.#silent = quiet
    const { listener, metrics, name } = this.#context
    metrics.streamSilences.inc({ source: name })
    listener.silent(quiet, nowMs)
  }

  #heard(what: 'frames' | 'prints', nowMs: number): void {
    if (what === 'frames') this.#silence.heardFrame(nowMs)
    else this.#silence.heardPrint(nowMs)
    const silent = this.#silent
    if (silent?.what !== what) return
    this.#silent = undefined
    this.#context.listener.recovered(silent.sinceMs, nowMs)
  }
}

const planned = () => new VendorError('VENDOR_UNAVAILABLE', 'it is replaced before its time is over')
