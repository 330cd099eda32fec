import { NEWS_CATEGORIES } from '../../../ingest/sources/finnhub/feeds.ts'
import { finnhub } from '../../../ingest/sources/finnhub/finnhub.ts'
import { fromFinnhub, toFinnhub } from '../../../ingest/sources/finnhub/symbols.ts'
import type { Clock } from '../../../platform/clock.ts'
import type { VendorAnswer } from './faults.ts'
import type { PolledVendorCase, VendorFake } from './polled-vendor-case.ts'
import type { FakePrint, StreamedVendorCase, StreamFake } from './streamed-vendor-case.ts'
import type { VendorQuestion } from './vendor-server.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** A Friday, half an hour after the opening bell. */
const START_MS = Date.parse('2026-11-20T15:00:00Z')
const KEYS = ['finnhub-key-that-nobody-may-see', 'another-finnhub-key-of-the-same']
const STOCKS = ['AAPL', 'BRK.B']
/** The most that one answer about the news holds. */
const NEWS_MAX = 100

interface FakeArticle {
  readonly id: number
  readonly category: string
  readonly atMs: number
  readonly related: string
}

/** One every so often for ever: its number is that of its time, so that two looks at it are the same. */
function articlesBetween(
  fromMs: number,
  toMs: number,
  { everyMs, category, related }: { everyMs: number; category: string; related: string },
): FakeArticle[] {
  const articles: FakeArticle[] = []
  const salt = (STOCKS.indexOf(related) + 1) * 10 + (NEWS_CATEGORIES as readonly string[]).indexOf(category)
  for (let number = Math.floor(toMs / everyMs); number * everyMs >= fromMs; number--)
    articles.push({ id: number * 100 + salt, category, atMs: number * everyMs, related })
  return articles
}

const ofMarket = (category: string, nowMs: number) =>
  articlesBetween(START_MS - DAY_MS, nowMs, { everyMs: 20 * MINUTE_MS, category, related: '' })

const ofCompany = (symbol: string, fromMs: number, toMs: number) =>
  articlesBetween(fromMs, toMs, { everyMs: 4 * HOUR_MS, category: 'company', related: symbol })

const toldOf = ({ id, category, atMs, related }: FakeArticle) => ({
  category,
  datetime: atMs / 1_000,
  headline: `Article ${id}`,
  id,
  image: '',
  related,
  source: 'Example Wire',
  summary: '',
  url: `https://example.com/news/${id}`,
})

/** Its newest price is as of the second before, and the same however often it is asked for. */
function quoteOf(symbol: string, nowMs: number) {
  if (!STOCKS.includes(symbol)) return { c: 0, d: null, dp: null, h: 0, l: 0, o: 0, pc: 0, t: 0 }
  const t = Math.floor(nowMs / 1_000) - 1
  const c = 200 + (t % 50) / 10
  return { c, d: c - 200, dp: (c - 200) / 2, h: 205, l: 199, o: 200, pc: 200, t }
}

function answer({ path, query, headers }: VendorQuestion, nowMs: number): VendorAnswer {
  const symbol = query.get('symbol') ?? ''
  if (!KEYS.includes(headers['x-finnhub-token'] ?? '')) return { status: 401, body: { error: 'Invalid API key' } }
  switch (path) {
    case '/quote':
      return { body: quoteOf(symbol, nowMs) }
    case '/company-news': {
      const [fromMs, toMs] = ['from', 'to'].map((name) => Date.parse(query.get(name) ?? ''))
      return { body: ofCompany(symbol, fromMs, Math.min(nowMs, toMs + DAY_MS - 1)).map(toldOf) }
    }
    case '/news': {
      const minId = Number(query.get('minId') ?? 0)
      const articles = ofMarket(query.get('category') ?? '', nowMs).filter(({ id }) => id > minId)
      return { body: articles.slice(0, NEWS_MAX).map(toldOf) }
    }
    default:
      return { status: 403, body: { error: "You don't have access to this resource." } }
  }
}

const polledFake = (clock: Clock): VendorFake => ({
  answer: (question) => answer(question, clock.now()),
  told: (nowMs) =>
    [
      ...NEWS_CATEGORIES.flatMap((category) => ofMarket(category, nowMs)),
      ...STOCKS.flatMap((symbol) => ofCompany(symbol, START_MS - 6 * DAY_MS, nowMs)),
    ].map(({ id }) => `news-data finnhub finnhub:${id}`),
})

const streamFake = (): StreamFake => ({
  converse: () => {
    const names = new Set<string>()
    let seconds = 0
    return {
      hear: (frame) => {
        const { type, symbol } = JSON.parse(frame)
        if (type === 'subscribe') names.add(symbol)
      },
      frameOf: (print) => (names.has(toFinnhub(print.symbol)) ? frameOf(print) : undefined),
      alive: () => (seconds++ % 60 === 0 ? ['{"type":"ping"}'] : []),
    }
  },
  answer: (question, tape) => {
    const last = tape(fromFinnhub(question.query.get('symbol') ?? '') ?? '').at(-1)
    return answer(question, last?.eventTimeMs ?? START_MS)
  },
})

/** Beside the trade there is a change of the quote, in the form of a trade of nothing. */
const frameOf = ({ symbol, price, size, eventTimeMs }: FakePrint) =>
  JSON.stringify({
    type: 'trade',
    data: [
      { s: toFinnhub(symbol), p: price + 1, t: eventTimeMs, v: 0, c: ['12'] },
      { s: toFinnhub(symbol), p: price, t: eventTimeMs, v: size, c: null },
    ],
  })

const shared = { source: finnhub, variables: { FINNHUB_KEY: KEYS.join(',') }, keys: KEYS, startMs: START_MS }

export const finnhubCase: PolledVendorCase = {
  ...shared,
  symbols: STOCKS,
  keyOf: ({ headers }) => headers['x-finnhub-token'],
  limits: [
    { kind: 'sliding', requests: 60, perMs: MINUTE_MS },
    { kind: 'sliding', requests: 30, perMs: 1_000 },
  ],
  timesFaster: 300,
  errorBody: '{"error":"API limit reached. Please try again later. Remaining Limit: 0"}',
  fake: polledFake,
}

export const finnhubStreamCase: StreamedVendorCase = {
  ...shared,
  symbols: [...STOCKS, 'EUR-USD'],
  numbering: 'arrival',
  // Nothing is published but that there may be one socket per key; this is twice what we promise.
  limits: { attempts: { count: 20, perMs: MINUTE_MS }, messages: { count: 50, perMs: 1_000 }, sockets: 1 },
  timesFaster: 20,
  socketPath: '',
  complaint: '{"type":"error","msg":"Something went wrong"}',
  fake: streamFake,
}
