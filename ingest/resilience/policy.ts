import {
  type BulkheadPolicy,
  bulkhead,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  halfJitterGenerator,
  handleWhen,
  type IBackoff,
  isBrokenCircuitError,
  isBulkheadRejectedError,
  isTaskCancelledError,
  type RetryPolicy,
  retry,
  TimeoutStrategy,
  timeout,
} from 'cockatiel'
import { isPlatformError } from '../../domain/errors.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import { VendorError } from '../vendor-error.ts'

export interface VendorPolicy {
  /** For a whole answer, however slowly it drips. */
  readonly timeoutMs: number
  /** After the first; only of what may pass by itself. */
  readonly retriesMax: number
  readonly retryMsMin: number
  readonly retryMsMax: number
  /** Failures one after the other, after which nothing is asked for a while. */
  readonly failuresMax: number
  /** Until a probe is sent; doubled, with jitter, as long as probes fail. */
  readonly openMsMin: number
  readonly openMsMax: number
  /** Requests under way at once. */
  readonly concurrencyMax: number
  /** Requests that wait for one of those to end. */
  readonly queueMax: number
}

export const POLICY_DEFAULTS: VendorPolicy = {
  timeoutMs: 10_000,
  retriesMax: 2,
  retryMsMin: 300,
  retryMsMax: 5_000,
  failuresMax: 5,
  openMsMin: 5_000,
  openMsMax: 300_000,
  concurrencyMax: 4,
  queueMax: 100,
}

export interface Attempt {
  readonly signal: AbortSignal
  /** Waiting for a turn is not the vendor's fault: only what runs in here is measured. */
  withinTime<R>(work: (signal: AbortSignal) => Promise<R>): Promise<R>
}

export interface PolicyOptions {
  readonly vendor: string
  readonly title: string
  readonly policy?: Partial<VendorPolicy>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** One vendor's: at most so many at once, each tried a few times, none while the vendor is known to be away. */
export class ResiliencePolicy {
  readonly #options: PolicyOptions
  readonly #limits: VendorPolicy
  readonly #bulkhead: BulkheadPolicy
  readonly #retry: RetryPolicy
  readonly #breaker: CircuitBreakerPolicy
  #probeAtMs = 0
  #lastFailure = ''

  constructor(options: PolicyOptions) {
    const limits = { ...POLICY_DEFAULTS, ...options.policy }
    this.#options = options
    this.#limits = limits
    const unavailable = handleWhen((error) => isPlatformError(error, 'VENDOR_UNAVAILABLE'))
    this.#bulkhead = bulkhead(limits.concurrencyMax, limits.queueMax)
    this.#retry = retry(unavailable, {
      maxAttempts: limits.retriesMax,
      backoff: new ExponentialBackoff({ initialDelay: limits.retryMsMin, maxDelay: limits.retryMsMax }),
    })
    const openings = new ExponentialBackoff({
      initialDelay: limits.openMsMin,
      maxDelay: limits.openMsMax,
      generator: halfJitterGenerator,
    })
    this.#breaker = circuitBreaker(unavailable, {
      breaker: new ConsecutiveBreaker(limits.failuresMax),
      halfOpenAfter: { next: () => this.#opening(openings.next()) },
    })
    this.#watch()
  }

  get state(): 'closed' | 'open' | 'half-open' {
    if (this.#breaker.state === CircuitState.Closed) return 'closed'
    return this.#breaker.state === CircuitState.HalfOpen ? 'half-open' : 'open'
  }

  /** Rejects at once when the signal aborts; what is under way then ends alone, and nobody hears of it. */
  async run<T>(work: (attempt: Attempt) => Promise<T>, signal: AbortSignal): Promise<T> {
    const stopped = Promise.withResolvers<never>()
    const stop = () => stopped.reject(this.#stopped())
    if (signal.aborted) throw this.#stopped()
    signal.addEventListener('abort', stop, { once: true })
    try {
      return await Promise.race([this.#guarded(work, signal), stopped.promise])
    } catch (error) {
      throw this.#inOurWords(error)
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  #guarded<T>(work: (attempt: Attempt) => Promise<T>, signal: AbortSignal): Promise<T> {
    // The breaker is inside: a retry that meets it open ends there, with an error of the breaker's own.
    const tried = () =>
      this.#breaker.execute(() => {
        // The pause between two tries does not end early, so a try may begin long after the end.
        if (signal.aborted) throw new Stopped()
        return work({ signal, withinTime: (timed) => this.#timed(timed, signal) })
      }, signal)
    return this.#bulkhead.execute(() => this.#retry.execute(tried, signal), signal)
  }

  async #timed<R>(work: (signal: AbortSignal) => Promise<R>, signal: AbortSignal): Promise<R> {
    const { timeoutMs } = this.#limits
    const { clock } = this.#options
    try {
      return await timeout(clock.wallMs?.(timeoutMs) ?? timeoutMs, TimeoutStrategy.Aggressive).execute(
        (context) => work(context.signal),
        signal,
      )
    } catch (error) {
      if (signal.aborted) throw new Stopped()
      if (!isTaskCancelledError(error)) throw error
      throw new VendorError('VENDOR_UNAVAILABLE', `${this.#options.title} did not answer within ${timeoutMs} ms`)
    }
  }

  #inOurWords(error: unknown): unknown {
    const { title, metrics, vendor } = this.#options
    if (isBrokenCircuitError(error)) {
      const again = new Date(this.#probeAtMs).toISOString()
      return new VendorError('VENDOR_UNAVAILABLE', `${this.#lastFailure}; ${title} is asked again at ${again}`, {
        retryAtMs: this.#probeAtMs,
      })
    }
    if (isBulkheadRejectedError(error)) {
      metrics.vendorCrowded.inc({ vendor })
      const { concurrencyMax, queueMax } = this.#limits
      const most = concurrencyMax + queueMax
      return new VendorError('VENDOR_UNAVAILABLE', `${title} was not asked: ${most} requests wait for it already`)
    }
    return error instanceof Stopped || isTaskCancelledError(error) ? this.#stopped() : error
  }

  #stopped(): VendorError {
    return new VendorError('VENDOR_UNAVAILABLE', `${this.#options.title} was not waited for: we were stopped`)
  }

  /** The breaker keeps its times to itself; whoever is turned away wants to know when to come back. */
  #opening(pause: IBackoff<unknown>): IBackoff<unknown> {
    this.#probeAtMs = this.#options.clock.now() + pause.duration
    return { duration: pause.duration, next: (context) => this.#opening(pause.next(context)) }
  }

  #watch(): void {
    const { metrics, vendor, title, log } = this.#options
    metrics.vendorBreaker.set({ vendor }, 0)
    this.#breaker.onFailure(({ reason }) => {
      if ('error' in reason && reason.error instanceof Error) this.#lastFailure = reason.error.message
    })
    this.#retry.onRetry(() => metrics.vendorRetries.inc({ vendor }))
    this.#breaker.onBreak(() => {
      metrics.vendorBreaker.set({ vendor }, 1)
      log.info({ vendor, probeAtMs: this.#probeAtMs }, `${title} fails again and again; it is left alone for a while`)
    })
    this.#breaker.onHalfOpen(() => metrics.vendorBreaker.set({ vendor }, 0.5))
    this.#breaker.onReset(() => {
      metrics.vendorBreaker.set({ vendor }, 0)
      log.info({ vendor }, `${title} answers again`)
    })
  }
}

/** Not the vendor's failure, so neither retried nor counted. */
class Stopped extends Error {
  override readonly name = 'Stopped'
}
