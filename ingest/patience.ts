import { isPlatformError } from '../domain/errors.ts'
import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'

/** What ingest waits for. Each has its own outage, and its own line in the log. */
export type Dependency = 'bus' | 'store'

export interface PatienceContext {
  readonly source: string
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** Once aborted nothing is tried again; a call in flight may still end. */
  readonly stop: AbortSignal
  /** Once aborted nothing is waited for either. */
  readonly giveUp: AbortSignal
  readonly backoffMsMin: number
  readonly backoffMsMax: number
}

/** We were told to stop before it worked. Whether the last try was done behind our back is unknown. */
export class GaveUp extends Error {
  override readonly name = 'GaveUp'
}

/**
 * Tries the very same call until it succeeds. An outage of the bus or of the store makes a source stand still; it never
 * loses a fact and never ends the source, so there is no limit on how often, only on how fast. An error that will not pass
 * by itself is thrown at once.
 */
export class Patience {
  readonly #context: PatienceContext
  readonly #waitingSinceMs = new Map<Dependency, number>()

  constructor(context: PatienceContext) {
    this.#context = context
  }

  /** @throws GaveUp when told to stop before it worked. */
  async until(on: Dependency, what: string, attempt: () => Promise<void>): Promise<void> {
    const { clock, stop, giveUp } = this.#context
    for (let failures = 0; ; ) {
      try {
        await unlessAborted(attempt, giveUp, what)
        if (failures > 0) this.#recovered(on, what, failures)
        return
      } catch (error) {
        if (!isPlatformError(error) || !error.retryable) throw error
        failures++
        this.#failed(on, what, error)
        await clock.sleep(this.#pauseMs(failures), stop)
        if (stop.aborted) throw new GaveUp(`Stopped before it could ${what}`, { cause: error })
      }
    }
  }

  #failed(on: Dependency, what: string, error: Error): void {
    const { source, clock, log, metrics } = this.#context
    metrics.ingestRetries.inc({ source, on })
    if (this.#waitingSinceMs.has(on)) return
    this.#waitingSinceMs.set(on, clock.now())
    metrics.ingestWaiting.set({ source, on }, 1)
    log.warn({ source, err: error }, `${source} could not ${what}; it tries until it works`)
  }

  #recovered(on: Dependency, what: string, failures: number): void {
    const { source, clock, log, metrics } = this.#context
    const sinceMs = this.#waitingSinceMs.get(on)
    if (sinceMs === undefined) return
    this.#waitingSinceMs.delete(on)
    metrics.ingestWaiting.set({ source, on }, 0)
    log.info({ source, failures, waitedMs: clock.now() - sinceMs }, `${source} could ${what} again`)
  }

  /** Doubles up to the cap; the jitter keeps several sources from knocking at the same moment. */
  #pauseMs(failures: number): number {
    const { backoffMsMin, backoffMsMax } = this.#context
    const capMs = Math.min(backoffMsMax, backoffMsMin * 2 ** Math.min(failures - 1, 30))
    return capMs * (0.5 + Math.random() / 2)
  }
}

/** A call whose end we stopped waiting for may still fail later; by then nobody can act on it. */
function unlessAborted(attempt: () => Promise<void>, signal: AbortSignal, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const gaveUp = () => reject(new GaveUp(`Gave up waiting to ${what}`))
    if (signal.aborted) return gaveUp()
    signal.addEventListener('abort', gaveUp, { once: true })
    attempt()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', gaveUp))
  })
}
