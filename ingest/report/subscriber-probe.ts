import { type Client, createClient } from 'graphql-ws'
import { build, type Histogram } from 'hdr-histogram-js'
import { WebSocket } from 'ws'
import type { Clock } from '../../platform/clock.ts'

/** Subscriptions a probe opens at the most: it is there to measure, not to be the load. */
const SYMBOLS_MAX = 50

const TICKS = 'subscription ($symbols: [ID!]!) { ticks(symbols: $symbols) { ingestTime } }'

/**
 * A client like any other, on a socket of its own, that measures how long a tick took from the moment it was read to the
 * moment it arrived here.
 */
export class SubscriberProbe implements AsyncDisposable {
  readonly #client: Client
  readonly #clock: Clock
  readonly #latencyMs: Histogram = build({ lowestDiscernibleValue: 1, highestTrackableValue: 600_000 })
  readonly #symbols = new Set<string>()
  #received = 0

  constructor(url: string, clock: Clock) {
    this.#clock = clock
    this.#client = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 5, lazy: false })
  }

  /** Listens to these too. The instruments must exist. */
  listen(symbols: Iterable<string>): void {
    const fresh = [...symbols].filter((symbol) => !this.#symbols.has(symbol)).slice(0, SYMBOLS_MAX - this.#symbols.size)
    if (fresh.length === 0) return
    for (const symbol of fresh) this.#symbols.add(symbol)
    this.#client.subscribe<{ ticks: { ingestTime: string } }>(
      { query: TICKS, variables: { symbols: fresh } },
      {
        next: ({ data }) => {
          if (!data) return
          this.#received++
          this.#latencyMs.recordValue(Math.max(0, this.#clock.now() - Date.parse(data.ticks.ingestTime)))
        },
        // A probe that cannot subscribe measured nothing, and says so by its count.
        error: () => undefined,
        complete: () => undefined,
      },
    )
  }

  get received(): number {
    return this.#received
  }

  /** Whole milliseconds; null where nothing arrived. */
  latencyMs(percentile: number): number | null {
    return this.#received === 0 ? null : this.#latencyMs.getValueAtPercentile(percentile)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.dispose()
  }
}
