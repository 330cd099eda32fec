import { isPlatformError, PlatformError } from '../domain/errors.ts'
import { type Clock, systemClock } from './clock.ts'
import type { Log } from './log.ts'

export const STOP_LIMIT_MS = 20_000

/** Why a run came to its end. The first reason counts. */
export type Ending =
  | { readonly why: 'finished' }
  | { readonly why: 'asked'; readonly by: string }
  | { readonly why: 'failed'; readonly part: string; readonly error: unknown }

export interface StopReport {
  /** Parts that had not stopped when their time was up. They are left behind as they are. */
  readonly late: readonly string[]
  /** Parts whose stopping failed. */
  readonly failed: readonly string[]
}

interface Part {
  readonly name: string
  readonly opened: Promise<unknown>
}

export interface LifecycleOptions {
  readonly log: Log
  readonly clock?: Clock
  /** For all parts together. Each may take an equal share of what is left; what one does not need, the next may. */
  readonly stopLimitMs?: number
}

/** Starts parts one after the other and stops them in reverse order, within a limit, whatever happens in between. */
export class Lifecycle implements AsyncDisposable {
  readonly #log: Log
  readonly #clock: Clock
  readonly #stopLimitMs: number
  readonly #parts: Part[] = []
  readonly #abort = new AbortController()
  readonly #ended = Promise.withResolvers<Ending>()
  #ending: Ending | undefined
  #stopped: Promise<StopReport> | undefined

  constructor({ log, clock = systemClock, stopLimitMs = STOP_LIMIT_MS }: LifecycleOptions) {
    this.#log = log
    this.#clock = clock
    this.#stopLimitMs = stopLimitMs
  }

  /** Aborted when stopping begins, before the first part is stopped. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Resolves with the first reason to stop. Somebody has to call `stop` then. */
  get ended(): Promise<Ending> {
    return this.#ended.promise
  }

  /**
   * Starts a part. What it opens is disposed when everything stops, and also when it is done opening only after that.
   * Rejects with the part's own error, once what was started before it has been stopped.
   */
  async start<T>(name: string, open: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#stopped) throw stopping(name)
    const startedMs = this.#clock.now()
    const opened = open(this.signal)
    const part: Part = { name, opened }
    this.#parts.push(part)
    try {
      await opened
    } catch (error) {
      this.#forget(part)
      if (!this.signal.aborted) this.fail(name, error)
      await this.stop()
      throw error
    }
    if (this.#stopped) throw stopping(name)
    this.#log.debug({ part: name, tookMs: this.#clock.now() - startedMs }, 'Started')
    return opened
  }

  /** The run has done what it was for. */
  finish(): void {
    this.#end({ why: 'finished' })
  }

  /** Somebody outside wants it to stop. */
  ask(by: string): void {
    this.#end({ why: 'asked', by })
  }

  /** A part has ended and will not come back. */
  fail(part: string, error: unknown): void {
    if (this.#ending) this.#log.warn({ part, err: error }, 'Failed while the run was ending')
    this.#end({ why: 'failed', part, error })
  }

  /** Stops every part, the last started first. Called again, it waits for the same stop. Never rejects. */
  stop(): Promise<StopReport> {
    this.#stopped ??= this.#stopAll()
    return this.#stopped
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #forget(part: Part): void {
    const index = this.#parts.indexOf(part)
    // A stop that is under way has taken it already.
    if (index >= 0) this.#parts.splice(index, 1)
  }

  #end(ending: Ending): void {
    this.#ending ??= ending
    this.#ended.resolve(this.#ending)
  }

  async #stopAll(): Promise<StopReport> {
    this.#abort.abort()
    const late: string[] = []
    const failed: string[] = []
    const dueMs = this.#clock.now() + this.#stopLimitMs
    for (let part = this.#parts.pop(); part; part = this.#parts.pop()) {
      const shareMs = (dueMs - this.#clock.now()) / (this.#parts.length + 1)
      const outcome = await this.#stopPart(part, shareMs)
      if (outcome === 'late') {
        late.push(part.name)
        this.#log.error({ part: part.name, waitedMs: Math.round(shareMs) }, 'Did not stop in time and was left behind')
      }
      if (outcome === 'failed') failed.push(part.name)
    }
    return { late, failed }
  }

  async #stopPart(part: Part, limitMs: number): Promise<'stopped' | 'failed' | 'late'> {
    const done = new AbortController()
    const dispose = async () => {
      // One that did not open has nothing to be stopped, and `start` has said so.
      const opened = await part.opened.catch(() => undefined)
      try {
        if (isAsyncDisposable(opened)) await opened[Symbol.asyncDispose]()
        this.#log.debug({ part: part.name }, 'Stopped')
        return 'stopped'
      } catch (error) {
        this.#log.error({ part: part.name, err: error }, 'Failed to stop')
        return 'failed'
      }
    }
    const limit = this.#clock.sleep(limitMs, done.signal).then(() => 'late' as const)
    const outcome = await Promise.race([dispose(), limit])
    done.abort()
    return outcome
  }
}

const stopping = (name: string) =>
  new PlatformError('INVALID_ARGUMENT', `${name} was not started: everything is being stopped`)

const isAsyncDisposable = (value: unknown): value is AsyncDisposable =>
  typeof value === 'object' && value !== null && Symbol.asyncDispose in value

/** The part of `process` that a run needs; a test brings its own. */
export type Host = Pick<NodeJS.EventEmitter, 'on' | 'off'> & { exit(code: number): void }

const SIGNAL_NUMBER = { SIGINT: 2, SIGTERM: 15 } as const

/**
 * Runs until a signal, `finish()`, or a failure; then stops everything in order and exits. 0: it did what it was asked to.
 * 1: a part failed, an error nobody caught, or a part that did not stop in time. A second signal, or a second error nobody
 * caught, exits at once.
 */
export async function runUntilStopped(
  start: (lifecycle: Lifecycle) => Promise<void>,
  { host = process, ...options }: LifecycleOptions & { readonly host?: Host },
): Promise<void> {
  const { log } = options
  const lifecycle = new Lifecycle(options)
  const remove = listen(host, lifecycle, log)
  start(lifecycle).then(
    // What the start left behind goes now, and not while somebody waits for a tick. There is only a gc with --expose-gc.
    () => globalThis.gc?.(),
    (error: unknown) => {
      // A start cut short by a stop is no failure of its own.
      if (!lifecycle.signal.aborted) lifecycle.fail('start', error)
    },
  )
  const ending = await lifecycle.ended
  if (ending.why === 'failed') log.fatal(detail(ending), `${ending.part} failed: ${reason(ending)}`)
  else log.info(ending, 'Stopping')
  const report = await lifecycle.stop()
  remove()
  host.exit(ending.why === 'failed' || report.late.length > 0 || report.failed.length > 0 ? 1 : 0)
}

function listen(host: Host, lifecycle: Lifecycle, log: Log): () => void {
  let asked = false
  let failed = false
  const onSignal = (signal: keyof typeof SIGNAL_NUMBER) => {
    if (asked) {
      log.warn({ signal }, 'Asked a second time, not waiting any longer')
      host.exit(128 + SIGNAL_NUMBER[signal])
    }
    asked = true
    lifecycle.ask(signal)
  }
  const onUncaught = (error: unknown, origin: string) => {
    log.fatal({ err: error, origin }, 'An error that nobody caught')
    if (failed) host.exit(1)
    failed = true
    lifecycle.fail(origin, error)
  }
  // Node makes an unhandled rejection an uncaught exception unless somebody listens for it alone; the origin tells.
  const listeners = { SIGINT: onSignal, SIGTERM: onSignal, uncaughtException: onUncaught }
  for (const [event, listener] of Object.entries(listeners)) host.on(event, listener)
  return () => {
    for (const [event, listener] of Object.entries(listeners)) host.off(event, listener)
  }
}

/** What was expected to go wrong is a code and a sentence; only of a bug does it matter where in the code it was. */
const detail = ({ part, error }: { part: string; error: unknown }) =>
  isPlatformError(error) ? { part, code: error.code } : { part, err: error }

const reason = ({ error }: { error: unknown }) => (error instanceof Error ? error.message : String(error))
