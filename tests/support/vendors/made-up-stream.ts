import { z } from 'zod'
import type { VendorSource } from '../../../ingest/catalogue.ts'
import { JsonAnswer } from '../../../ingest/json-answer.ts'
import { KeyRing } from '../../../ingest/quota/key-ring.ts'
import { openVendorHttp } from '../../../ingest/resilience/open-vendor-http.ts'
import type { VendorHttp } from '../../../ingest/resilience/vendor-http.ts'
import { checked, readMessages } from '../../../ingest/streaming/json-messages.ts'
import type { StreamEvent, StreamProtocol, TradeHistory } from '../../../ingest/streaming/stream-protocol.ts'
import { streamedSource } from '../../../ingest/streaming/streamed-source.ts'
import { VendorError } from '../../../ingest/vendor-error.ts'
import type { StreamedVendorCase, StreamFake } from './streamed-vendor-case.ts'

// A venue that does not exist: numbered trades, a heartbeat, and a history by number. It proves the suite, and shows how a
// vendor registers.

const NAME = 'simulated'
const PAGE = 20
/** Twice what is made use of: frames that were sent apart may arrive together. */
const LIMITS = { attempts: { count: 60, perMs: 60_000 }, messages: { count: 10, perMs: 1_000 }, sockets: 1 }

const tradeSchema = z.object({
  symbol: z.string(),
  id: z.int(),
  price: z.number(),
  size: z.number(),
  eventTimeMs: z.int(),
})
const aliveSchema = z.object({ symbol: z.string(), lastId: z.int() })
const pageSchema = z.object({ trades: z.array(z.unknown()) })

const read = (frame: Buffer): readonly StreamEvent[] =>
  readMessages('Made Up', frame, (message) => {
    if (message.type === 'trade') return [{ kind: 'print', ...checked(tradeSchema, message) }]
    if (message.type === 'alive') return [{ kind: 'heartbeat', ...checked(aliveSchema, message) }]
    if (message.type === 'error')
      return [{ kind: 'error', error: new VendorError('VENDOR_ANSWER', 'Made Up complains') }]
    return []
  })

const historyOf = (http: VendorHttp): TradeHistory => ({
  asksAlways: false,
  async *prints({ symbol, after, beforeId = Number.MAX_SAFE_INTEGER }, signal) {
    for (let last = after.id; last < beforeId - 1; ) {
      const request = { path: '/trades', query: { symbol, after: last } }
      const page = await http.get(
        request,
        ({ body }) => {
          const answer = new JsonAnswer('Made Up', body)
          const { facts, rejects } = answer.items(answer.as(pageSchema).trades, {
            where: 'trades',
            schema: tradeSchema,
            read: (trade, original) => ({ ...trade, original }),
            alone: (item) => ({ trades: [item] }),
          })
          return { prints: facts, rejects }
        },
        signal,
      )
      const newest = page.prints.at(-1)
      if (newest === undefined) return
      last = newest.id
      yield page
    }
  },
})

const protocolOf = (url: string, symbols: readonly string[], history: TradeHistory): StreamProtocol => ({
  vendor: NAME,
  symbols,
  numbering: 'trade-id',
  limits: {
    attempts: { count: 30, perMs: 60_000 },
    messages: { count: 5, perMs: 1_000 },
    backOffMsMin: 500,
    backOffMsMax: 10_000,
    connectTimeoutMs: 5_000,
    readyTimeoutMs: undefined,
    silence: { framesMs: 10_000, pingsCount: false },
    overlap: false,
    frameBytesMax: 65_536,
  },
  url: () => url,
  keyed: false,
  converse: () => ({
    opening: () => symbols.map((symbol) => JSON.stringify({ subscribe: symbol })),
    read,
  }),
  history,
})

const madeUpSource: VendorSource = {
  name: NAME,
  needs: [],
  open({ settings, clock, log, metrics, quotas: store, tellTrouble }) {
    const windows = [{ kind: 'sliding', requests: 100, perMs: 1_000 }] as const
    const quota = new KeyRing({ name: NAME, keys: [], windows, store, clock, log, metrics })
    const { http: baseUrl = '', ws = '' } = settings.urls[NAME] ?? {}
    const policy = { timeoutMs: 2_000 }
    const http = openVendorHttp({
      vendor: NAME,
      title: 'Made Up',
      baseUrl,
      userAgent: 'investor-updates-test',
      quota,
      policy,
      clock,
      log,
      metrics,
    })
    return streamedSource({
      protocol: protocolOf(ws, settings.symbols, historyOf(http)),
      clock,
      log,
      metrics,
      tellTrouble: (trouble) => tellTrouble(NAME, trouble),
    })
  },
}

const fake = (): StreamFake => ({
  converse: () => {
    const symbols = new Set<string>()
    return {
      hear: (frame) => symbols.add(JSON.parse(frame).subscribe),
      frameOf: (print) => (symbols.has(print.symbol) ? JSON.stringify({ type: 'trade', ...print }) : undefined),
      alive: (tape) =>
        [...symbols].map((symbol) => JSON.stringify({ type: 'alive', symbol, lastId: tape(symbol).at(-1)?.id ?? 0 })),
    }
  },
  answer: ({ query }, tape) => {
    const after = Number(query.get('after'))
    const trades = tape(query.get('symbol') ?? '').filter(({ id }) => id > after)
    return { body: { trades: trades.slice(0, PAGE) } }
  },
})

export const madeUpStream: StreamedVendorCase = {
  source: madeUpSource,
  variables: {},
  symbols: ['AAPL', 'BRK.B', 'BTC-USD', 'EUR-USD', 'MSFT', 'NVDA', 'TSLA'],
  numbering: 'trade-id',
  keys: [],
  limits: LIMITS,
  startMs: Date.parse('2026-11-20T15:00:00Z'),
  timesFaster: 20,
  socketPath: '/stream',
  complaint: '{"type":"error"}',
  fake,
}
