import { z } from 'zod'
import { quoteSnapshot } from '../../../domain/quote-snapshot.ts'
import { VENDORS, type VendorName } from '../../../domain/vendors.ts'
import { JsonAnswer } from '../../../ingest/json-answer.ts'
import type { Feed } from '../../../ingest/polling/feed.ts'
import { polledSource } from '../../../ingest/polling/polled-source.ts'
import { KeyRing } from '../../../ingest/quota/key-ring.ts'
import { openVendorHttp } from '../../../ingest/resilience/open-vendor-http.ts'
import { systemClock } from '../../../platform/clock.ts'
import { silentLog } from '../../../platform/log.ts'
import { openMetrics } from '../../../platform/metrics.ts'
import { MemoryQuotas } from './memory-quotas.ts'
import { VendorServer } from './vendor-server.ts'

const SYMBOL = 'AAPL'
const answerSchema = z.object({ price: z.number(), sentMs: z.number() })
/** So that a vendor that hangs is given up often, and asked again. */
const TIMEOUT_MS = 300

/**
 * A vendor of this machine with one price, read every few milliseconds by the same polled source, budget and policy as any
 * other; and how long each price took from its server to here.
 */
export class QuickVendor implements AsyncDisposable {
  readonly server: VendorServer
  /** Of each price, in milliseconds, in the order in which they came. */
  readonly tookMs: number[] = []
  readonly #stop = new AbortController()
  readonly #reading: Promise<void>

  private constructor(server: VendorServer, name: VendorName, everyMs: number) {
    this.server = server
    this.#reading = this.#read(name, everyMs)
  }

  static async start(name: VendorName, everyMs: number): Promise<QuickVendor> {
    const server = await VendorServer.start({ answer: () => ({ body: { price: 1, sentMs: performance.now() } }) })
    return new QuickVendor(server, name, everyMs)
  }

  async #read(name: VendorName, everyMs: number): Promise<void> {
    for await (const { facts } of openSource(name, this.server.url, everyMs).read(undefined, this.#stop.signal))
      for (const { event } of facts ?? [])
        if ('dayVolume' in event) this.tookMs.push(performance.now() - (event.dayVolume ?? 0))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#reading
    await this.server[Symbol.asyncDispose]()
  }
}

function openSource(name: VendorName, baseUrl: string, everyMs: number) {
  const around = { clock: systemClock, log: silentLog, metrics: openMetrics() }
  const windows = [{ kind: 'sliding', requests: 10_000, perMs: 1_000 }] as const
  const quota = new KeyRing({ name, keys: [], windows, store: new MemoryQuotas(), ...around })
  const http = openVendorHttp({
    vendor: name,
    title: VENDORS[name].title,
    baseUrl,
    userAgent: 'investor-updates-test',
    quota,
    policy: { timeoutMs: TIMEOUT_MS, retryMsMin: 1, retryMsMax: 10 },
    ...around,
  })
  const feed: Feed = {
    name: 'price',
    symbols: [SYMBOL],
    topic: 'stock-quotes',
    cost: 1,
    dueMs: (nowMs, askedMs) => (askedMs === undefined ? nowMs : askedMs + everyMs),
    ask: async (_cursor, signal) => {
      const read = ({ body }: { readonly body: Buffer }) => new JsonAnswer(VENDORS[name].title, body).as(answerSchema)
      return { facts: [factOf(name, await http.get({ path: '/price' }, read, signal))], rejects: [] }
    },
    reparse: () => ({ facts: [], rejects: [] }),
  }
  return polledSource({
    name,
    quota,
    feedsOf: () => [feed],
    context: {
      settings: { variables: {}, symbols: [SYMBOL], urls: {} },
      interest: { current: () => new Map() },
      tellPlan: () => {},
      tellTrouble: () => {},
      ...around,
    },
  })
}

/** When it was sent goes along as the volume. */
function factOf(source: VendorName, { price, sentMs }: z.infer<typeof answerSchema>) {
  const nowMs = Date.now()
  const event = quoteSnapshot({
    symbol: SYMBOL,
    source,
    licence: 'PERSONAL',
    price,
    previousClose: null,
    dayVolume: sentMs,
    eventTimeMs: nowMs,
    ingestTimeMs: nowMs,
    delayed: false,
  })
  return { topic: 'stock-quotes' as const, event }
}
