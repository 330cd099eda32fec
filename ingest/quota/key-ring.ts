import { createHash } from 'node:crypto'
import { isPlatformError } from '../../domain/errors.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import { VendorError } from '../vendor-error.ts'
import { Budget, type Lease } from './budget.ts'
import type { QuotaStore, QuotaWindow } from './quota.ts'

/** A request whose turn is further away than this is refused with when to come back, rather than waited for. */
const SPEND_WAIT_MAX_MS = 5_000
/** Nobody tells when a request under way ends, so whoever waits for it looks again. */
const LOOK_AGAIN_MS = 250
const LOAD_RETRY_MS = 1_000

export interface KeyRingOptions {
  /** Names the budgets: the vendor, or `rss:www.federalreserve.gov` where a source asks several. */
  readonly name: string
  /** Empty: the vendor needs none, and the budget is our address's. */
  readonly keys: readonly string[]
  /** What each key may ask. */
  readonly windows: readonly QuotaWindow[]
  readonly store: QuotaStore
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** `key1,key2` as in a setting. */
export const keysOf = (setting: string | undefined): readonly string[] =>
  [...new Set((setting ?? '').split(',').map((key) => key.trim()))].filter((key) => key !== '')

/** The keys of one vendor, each with a budget of its own. Requests go out with the key that has the most left. */
export class KeyRing {
  readonly name: string
  /** For whoever must keep them out of sight. */
  readonly keys: readonly string[]
  readonly #budgets: readonly Budget[]
  readonly #clock: Clock
  readonly #log: Log
  #loaded: Promise<void> | undefined
  #next = 0

  constructor(options: KeyRingOptions) {
    const { name, windows, clock, log } = options
    this.name = name
    this.keys = options.keys
    this.#clock = clock
    this.#log = log
    const keys = options.keys.length > 0 ? options.keys : [undefined]
    this.#budgets = keys.map((key) => new Budget({ ...options, key, quota: { name: nameOf(name, key), windows } }))
  }

  /** What was spent before this start. Waits while the store is away. @throws what the store throws for good. */
  load(signal: AbortSignal): Promise<void> {
    this.#loaded ??= this.#load(signal).catch((error: unknown) => {
      this.#loaded = undefined
      throw error
    })
    return this.#loaded
  }

  /** The earliest moment when one key has room for so many; never where all keys were refused. */
  freeAtMs(count: number, nowMs: number): number {
    return Math.min(...this.#budgets.map((budget) => budget.freeAtMs(count, nowMs)))
  }

  /** What all keys together have left of the day; undefined where days are not counted. */
  today(nowMs: number): { readonly left: number; readonly requests: number; readonly endsAtMs: number } | undefined {
    const days = this.#budgets.map((budget) => budget.today(nowMs)).filter((day) => day !== undefined)
    if (days.length === 0) return undefined
    return {
      left: days.reduce((sum, { left }) => sum + left, 0),
      requests: days.reduce((sum, { requests }) => sum + requests, 0),
      endsAtMs: Math.min(...days.map(({ endsAtMs }) => endsAtMs)),
    }
  }

  /** When the last request ended, over restarts; undefined where none was made. */
  get lastMs(): number | undefined {
    const times = this.#budgets.map(({ lastMs }) => lastMs).filter((timeMs) => timeMs !== undefined)
    return times.length > 0 ? Math.max(...times) : undefined
  }

  /** False once the vendor has refused every key. */
  get usable(): boolean {
    return this.#budgets.some(({ usable }) => usable)
  }

  /**
   * One request, to be sent at once. Waits for a turn that is near.
   * @throws VendorError VENDOR_LIMIT with the moment when there is room again; VENDOR_REFUSED where no key is left.
   */
  async spend(signal: AbortSignal): Promise<Lease> {
    await this.load(signal)
    const deadlineMs = this.#clock.now() + SPEND_WAIT_MAX_MS
    for (;;) {
      if (signal.aborted) throw new VendorError('VENDOR_UNAVAILABLE', `${this.name} was not asked: stopped before`)
      const nowMs = this.#clock.now()
      const budget = this.#roomiest(nowMs)
      if (budget) {
        const lease = await budget.take(signal)
        if (lease) return lease
        continue
      }
      const freeMs = this.freeAtMs(1, nowMs)
      if (freeMs > deadlineMs) throw this.#noRoom(freeMs)
      await this.#clock.sleep(Math.min(freeMs - nowMs, LOOK_AGAIN_MS), signal)
    }
  }

  /** Of those with room now the one with the most left of its day, in turns where they are alike. */
  #roomiest(nowMs: number): Budget | undefined {
    const first = this.#next++ % this.#budgets.length
    const turns = [...this.#budgets.slice(first), ...this.#budgets.slice(0, first)]
    const left = (budget: Budget) => budget.today(nowMs)?.left ?? 0
    return turns.filter((budget) => budget.freeAtMs(1, nowMs) <= nowMs).toSorted((a, b) => left(b) - left(a))[0]
  }

  #noRoom(freeMs: number): VendorError {
    if (!Number.isFinite(freeMs))
      return new VendorError('VENDOR_REFUSED', `${this.name} has refused every key it was given`, { ofKey: true })
    const when = new Date(freeMs).toISOString()
    return new VendorError('VENDOR_LIMIT', `${this.name} may not be asked again before ${when}`, { retryAtMs: freeMs })
  }

  async #load(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await Promise.all(this.#budgets.map((budget) => budget.load()))
        return
      } catch (error) {
        if (!isPlatformError(error) || !error.retryable) throw error
        this.#log.debug(
          { err: error, budget: this.name },
          'What is spent of a quota could not be read; nothing is asked',
        )
        await this.#clock.sleep(LOAD_RETRY_MS, signal)
      }
    }
    throw new VendorError('VENDOR_UNAVAILABLE', `${this.name} was not asked: stopped before`)
  }
}

/** A print of the key rather than its place in the setting: a budget follows its key when somebody changes their order. */
const nameOf = (name: string, key: string | undefined) =>
  key === undefined ? name : `${name}#${createHash('sha256').update(`${name} ${key}`).digest('hex').slice(0, 8)}`
