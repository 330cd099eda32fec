import { isPlatformError, PlatformError } from '../../domain/errors.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import type { Quota, QuotaStore } from './quota.ts'
import { Spent } from './spent.ts'

/** What is stored as spent is to be sent within this. */
const RESERVED_FOR_MS = 1_000
/** And what was sent when we were killed reaches the vendor within this. */
export const ARRIVES_WITHIN_MS = 2_000
/** Where a vendor says no and not until when. Doubled each time it says no again. */
const PAUSE_MS = 60_000
const PAUSE_MAX_MS = 3_600_000
/** Nobody's word keeps us away for longer: then we ask once more. */
const PAUSE_TOLD_MAX_MS = 86_400_000
const STORE_RETRY_MS = 500

export interface BudgetOptions {
  readonly quota: Quota
  /** Undefined where the vendor needs none. */
  readonly key: string | undefined
  readonly store: QuotaStore
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** One request that may be sent now. Whoever holds it says how it went: exactly one of `ended`, `unsent`. */
export interface Lease {
  readonly key: string | undefined
  /** There was an answer, or there will be none. Resolves when that is stored, where it came later than was thought. */
  ended(): Promise<void>
  /** It never reached the vendor, so it costs nothing. */
  unsent(): void
  /** The vendor says that this was too much. Resolves when that is stored. */
  limited(retryAtMs: number | undefined): Promise<void>
  /** The vendor does not take this key. */
  refused(): void
  /** It was answered as it should be, so the next pause begins short again. */
  answered(): void
}

/**
 * What one key may still ask. Every request is in the store as spent before it is sent, so a process that is killed at any
 * moment leaves behind at least as much as the vendor has counted. Fast vendors' are stored a few at a time, and those that
 * took longer once more when they end.
 */
export class Budget {
  readonly key: string | undefined
  readonly quota: Quota
  readonly #options: BudgetOptions
  readonly #spent: Spent
  /** Requests per save, so that a fast vendor does not cost a write each. */
  readonly #block: number
  #turn: Promise<void> = Promise.resolve()
  #waiting = 0
  #reserved = { left: 0, untilMs: 0 }
  #pausedUntilMs = 0
  #pauseMs = PAUSE_MS
  #refused = false

  constructor(options: BudgetOptions) {
    this.key = options.key
    this.quota = options.quota
    this.#options = options
    if (options.quota.windows.length === 0)
      throw new PlatformError(
        'INVALID_ARGUMENT',
        `The quota of ${options.quota.name} needs a limit, be it of politeness`,
      )
    this.#spent = new Spent(options.quota.windows)
    const perSave = options.quota.windows.map((window) =>
      window.kind === 'day' ? 1 : Math.floor((window.requests / window.perMs) * RESERVED_FOR_MS),
    )
    this.#block = Math.max(1, Math.min(...perSave))
  }

  /** @throws what the store throws */
  async load(): Promise<void> {
    const { store, clock, quota } = this.#options
    const stored = await store.load(quota.name)
    const nowMs = clock.now()
    if (stored) {
      this.#spent.restore(stored, nowMs + RESERVED_FOR_MS + ARRIVES_WITHIN_MS)
      this.#pausedUntilMs = Math.min(stored.pausedUntilMs, nowMs + PAUSE_TOLD_MAX_MS)
    }
    this.#tell(nowMs)
  }

  get usable(): boolean {
    return !this.#refused
  }

  /** The earliest moment with room for so many requests; never where the key was refused. */
  freeAtMs(count: number, nowMs: number): number {
    if (this.#refused) return Number.POSITIVE_INFINITY
    return Math.max(this.#pausedUntilMs, this.#spent.freeAtMs(count, nowMs))
  }

  today(nowMs: number): ReturnType<Spent['today']> {
    return this.#refused ? undefined : this.#spent.today(nowMs)
  }

  get lastMs(): number | undefined {
    return this.#spent.lastMs
  }

  /**
   * Takes room that `freeAtMs(1)` has just shown to be there; resolves when it is stored. While the store is away it waits,
   * and so does the vendor. Undefined where the signal aborted first, or the day passed meanwhile.
   * @throws what the store throws for good; nothing is taken then.
   */
  async take(signal: AbortSignal): Promise<Lease | undefined> {
    const { clock } = this.#options
    const days = this.#spent.begin(clock.now())
    let taken = false
    try {
      taken = (await this.#stored(signal)) && this.#spent.daysOf(clock.now()).every((day) => days.includes(day))
    } finally {
      if (!taken) this.#spent.undo(days)
    }
    return taken ? this.#lease(days, this.#reserved.untilMs + ARRIVES_WITHIN_MS) : undefined
  }

  /** `storedUntilMs`: the latest moment at which the vendor has heard of it, as far as the store knows. */
  #lease(days: readonly string[], storedUntilMs: number): Lease {
    const { clock } = this.#options
    this.#tell(clock.now())
    return {
      key: this.key,
      ended: async () => {
        this.#spent.end(days, clock.now())
        if (clock.now() > storedUntilMs) await this.#inTurn(() => this.#save(0))
      },
      unsent: () => this.#spent.undo(days),
      limited: (retryAtMs) => this.#pause(retryAtMs),
      refused: () => {
        this.#refused = true
      },
      answered: () => {
        this.#pauseMs = PAUSE_MS
      },
    }
  }

  /** Those who wait for their turn meanwhile are part of the same save. */
  #stored(signal: AbortSignal): Promise<boolean> {
    this.#waiting++
    return this.#inTurn(async () => {
      this.#waiting--
      while (!signal.aborted) {
        if (this.#reserved.left > 0 && this.#options.clock.now() < this.#reserved.untilMs) {
          this.#reserved.left--
          return true
        }
        if (!(await this.#save(1 + this.#waiting))) await this.#options.clock.sleep(STORE_RETRY_MS, signal)
      }
      return false
    })
  }

  /** One at a time, so that an older save never comes to lie over a newer one. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#turn
    const after = Promise.withResolvers<void>()
    this.#turn = after.promise
    await before
    try {
      return await work()
    } finally {
      after.resolve()
    }
  }

  /** Stores what is spent, `taken` requests that are about to be sent among it. False where the store is away. */
  async #save(taken: number): Promise<boolean> {
    const { store, quota, log, clock } = this.#options
    const nowMs = clock.now()
    const untilMs = nowMs + RESERVED_FOR_MS
    const extra = taken === 0 ? 0 : Math.min(this.#block - 1, this.#spent.free(nowMs))
    const spent = {
      ...this.#spent.snapshot(extra, nowMs, untilMs + ARRIVES_WITHIN_MS),
      pausedUntilMs: this.#pausedUntilMs,
    }
    try {
      await store.save(quota.name, spent)
    } catch (error) {
      if (!isPlatformError(error) || !error.retryable) throw error
      log.debug({ err: error, budget: quota.name }, 'What is spent of a quota could not be stored; nothing is asked')
      return false
    }
    this.#reserved = { left: taken + extra, untilMs }
    return true
  }

  async #pause(retryAtMs: number | undefined): Promise<void> {
    const { clock, log, quota, metrics } = this.#options
    const nowMs = clock.now()
    const untilMs = retryAtMs ?? nowMs + this.#pauseMs
    if (retryAtMs === undefined) this.#pauseMs = Math.min(this.#pauseMs * 2, PAUSE_MAX_MS)
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, Math.min(untilMs, nowMs + PAUSE_TOLD_MAX_MS))
    metrics.quotaPaused.set({ budget: quota.name }, (this.#pausedUntilMs - nowMs) / 1_000)
    const pausedUntil = new Date(this.#pausedUntilMs).toISOString()
    log.info({ budget: quota.name, pausedUntil }, `${quota.name} was told to ask less and pauses until ${pausedUntil}`)
    // Where the store is away and we are killed, the pause is forgotten: that costs one more answer that says no.
    await this.#inTurn(() => this.#save(0))
  }

  #tell(nowMs: number): void {
    const { metrics, quota } = this.#options
    const budget = quota.name
    metrics.quotaPaused.set({ budget }, Math.max(0, this.#pausedUntilMs - nowMs) / 1_000)
    for (const window of quota.windows)
      if (window.kind === 'sliding')
        metrics.quotaLeft.set({ budget, window: `${window.perMs / 1_000}s` }, this.#spent.slidingLeft(window, nowMs))
    const today = this.#spent.today(nowMs)
    if (today) metrics.quotaLeft.set({ budget, window: 'day' }, today.left)
  }
}
