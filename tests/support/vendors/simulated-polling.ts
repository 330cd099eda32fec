import type { Feed } from '../../../ingest/polling/feed.ts'
import type { PolledCheckpoint } from '../../../ingest/polling/feed-progress.ts'
import { polledSource } from '../../../ingest/polling/polled-source.ts'
import { KeyRing } from '../../../ingest/quota/key-ring.ts'
import type { Interest, QuotaWindow } from '../../../ingest/quota/quota.ts'
import { ManualClock } from '../../../platform/clock.ts'
import { silentLog } from '../../../platform/log.ts'
import { openMetrics } from '../../../platform/metrics.ts'
import { MemoryQuotas } from './memory-quotas.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

export interface SimulatedPolling {
  readonly symbols: readonly string[]
  readonly windows: readonly QuotaWindow[]
  readonly startMs: number
  readonly keys?: readonly string[]
  readonly dueMs?: Feed['dueMs']
}

export interface SimulatedAsk {
  readonly atMs: number
  readonly symbol: string
  readonly key: string
}

/** From 14:30 to 21:00 UTC, every day: when a stock of New York has a new price each minute. */
export const minutelyInMarketHours: Feed['dueMs'] = (nowMs, askedMs) => {
  const atMs = askedMs === undefined ? nowMs : Math.max(nowMs, askedMs + MINUTE_MS)
  const midnightMs = atMs - (atMs % DAY_MS)
  const openMs = midnightMs + 14.5 * 60 * MINUTE_MS
  if (atMs < openMs) return openMs
  return atMs < midnightMs + 21 * 60 * MINUTE_MS ? atMs : openMs + DAY_MS
}

/** A vendor of quotes in simulated time, read as in production: only the network is left out. */
export class SimulatedVendor {
  readonly clock: ManualClock
  readonly asks: SimulatedAsk[] = []
  readonly interest = new Map<string, Interest>()
  plan: ReadonlyMap<string, number> = new Map()
  readonly #options: SimulatedPolling
  readonly #quotas = new MemoryQuotas()
  #checkpoint: PolledCheckpoint | undefined
  #life: AbortController | undefined
  #reading: Promise<void> = Promise.resolve()

  constructor(options: SimulatedPolling) {
    this.#options = options
    this.clock = new ManualClock(options.startMs)
  }

  /** Resolves when the first asks are done, and it sleeps. */
  async start(): Promise<void> {
    const life = new AbortController()
    this.#life = life
    const ring = new KeyRing({
      name: 'finnhub',
      keys: this.#options.keys ?? [],
      windows: this.#options.windows,
      store: this.#quotas,
      ...this.#around(),
    })
    const source = polledSource({
      name: 'finnhub',
      quota: ring,
      feedsOf: (symbols) => symbols.map((symbol) => this.#feed(symbol, ring)),
      context: {
        settings: { variables: {}, symbols: this.#options.symbols, urls: {} },
        interest: { current: () => this.interest },
        tellPlan: (_source, plan) => {
          this.plan = new Map(plan.map(({ symbol, nextUpdateAtMs }) => [symbol, nextUpdateAtMs]))
        },
        tellTrouble: () => undefined,
        ...this.#around(),
      },
    })
    this.#reading = (async () => {
      for await (const { checkpoint } of source.read(this.#checkpoint, life.signal))
        if (!life.signal.aborted) this.#checkpoint = JSON.parse(JSON.stringify(checkpoint))
    })()
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  }

  /** Without a goodbye: nothing of what happens in it from now on is known to the next life. */
  async kill(): Promise<void> {
    this.#life?.abort()
    await this.#reading
  }

  #around() {
    return { clock: this.clock, log: silentLog, metrics: openMetrics() }
  }

  #feed(symbol: string, ring: KeyRing): Feed {
    return {
      name: `quote:${symbol}`,
      symbols: [symbol],
      tellsPrices: true,
      topic: 'stock-quotes',
      cost: 1,
      dueMs: this.#options.dueMs ?? minutelyInMarketHours,
      ask: async (_cursor, signal) => {
        const lease = await ring.spend(signal)
        this.asks.push({ atMs: this.clock.now(), symbol, key: lease.key ?? '' })
        await lease.ended()
        return { facts: [], rejects: [] }
      },
      reparse: () => ({ facts: [], rejects: [] }),
    }
  }
}
