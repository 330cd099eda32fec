import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'

const TOLD_EVERY_MS = 15_000
/** What a process told is believed for so long, also where it died meanwhile. */
const BELIEVED_MS = 60_000
/** Symbols that one process tells of; beyond it those with the fewest watchers are left out, and counted. */
const SYMBOLS_MAX = 10_000

/** Where quota planners of sources read who watches what. `platform/store` answers; tests answer from memory. */
export interface InterestStore {
  /** All that this holder says now, in place of what it said before; believed for so long. */
  hold(
    holder: string,
    interest: ReadonlyMap<string, { readonly alertRules: number; readonly watchers: number }>,
    forMs: number,
  ): Promise<void>
}

export interface WatchersOptions {
  readonly store: InterestStore
  readonly clock: Clock
  readonly metrics: Metrics
  readonly log: Log
}

/**
 * How many listen to which symbol in this process, told to the store as long as somebody does: sources whose requests are
 * counted spend them on what is watched. Equal subscriptions that a gateway runs as one count as one. While the store is
 * away nothing is told; the next round tells all of it.
 */
export class Watchers implements AsyncDisposable {
  readonly #options: WatchersOptions
  readonly #holder = randomUUID()
  readonly #counts = new Map<string, number>()
  readonly #stop = new AbortController()
  readonly #running: Promise<void>
  /** The store holds something of ours that has not expired. */
  #held = false

  constructor(options: WatchersOptions) {
    this.#options = options
    this.#running = this.#run()
  }

  /** Counts one watcher of each of these; call the result once to count it out again. */
  watch(symbols: readonly string[]): () => Promise<void> {
    for (const symbol of symbols) this.#counts.set(symbol, (this.#counts.get(symbol) ?? 0) + 1)
    let watching = true
    return async () => {
      if (!watching) return
      watching = false
      for (const symbol of symbols) {
        const left = (this.#counts.get(symbol) ?? 0) - 1
        if (left > 0) this.#counts.set(symbol, left)
        else this.#counts.delete(symbol)
      }
    }
  }

  /** Takes back what this process holds. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#running
    this.#counts.clear()
    await this.#tell()
  }

  async #run(): Promise<void> {
    const { clock } = this.#options
    for (;;) {
      await clock.sleep(TOLD_EVERY_MS, this.#stop.signal)
      if (this.#stop.signal.aborted) return
      await this.#tell()
    }
  }

  async #tell(): Promise<void> {
    const { store, metrics, log } = this.#options
    const told = mostWatched(this.#counts)
    metrics.watchedSymbols.set({ state: 'told' }, told.size)
    metrics.watchedSymbols.set({ state: 'left_out' }, this.#counts.size - told.size)
    if (told.size === 0 && !this.#held) return
    try {
      await store.hold(this.#holder, told, BELIEVED_MS)
      this.#held = told.size > 0
    } catch (error) {
      log.warn({ err: error }, 'could not tell who watches which symbols; the next round tells it')
    }
  }
}

function mostWatched(counts: ReadonlyMap<string, number>) {
  const most = [...counts].sort(([, a], [, b]) => b - a).slice(0, SYMBOLS_MAX)
  return new Map(most.map(([symbol, watchers]) => [symbol, { alertRules: 0, watchers }]))
}
