import { z } from 'zod'
import { article } from '../../../domain/article.ts'
import { quoteSnapshot } from '../../../domain/quote-snapshot.ts'
import type { VendorSource } from '../../../ingest/catalogue.ts'
import { JsonAnswer } from '../../../ingest/json-answer.ts'
import { numberIn } from '../../../ingest/polling/cursor-values.ts'
import { factsOn } from '../../../ingest/polling/facts-on.ts'
import type { Feed } from '../../../ingest/polling/feed.ts'
import { polledSource } from '../../../ingest/polling/polled-source.ts'
import { KeyRing, keysOf } from '../../../ingest/quota/key-ring.ts'
import type { QuotaWindow } from '../../../ingest/quota/quota.ts'
import { openVendorHttp } from '../../../ingest/resilience/open-vendor-http.ts'
import type { VendorHttp } from '../../../ingest/resilience/vendor-http.ts'
import { VendorError } from '../../../ingest/vendor-error.ts'
import type { Clock } from '../../../platform/clock.ts'
import { nameOf, type PolledVendorCase, type VendorFake } from './polled-vendor-case.ts'

// A vendor that does not exist: news by number and quotes by symbol. It proves the suite, and shows how a vendor registers.

const NAME = 'simulated'
const START_MS = Date.parse('2026-11-20T15:00:00Z')
const MINUTE_MS = 60_000
const ARTICLES_PER_PAGE = 3
const LIMITS: readonly QuotaWindow[] = [
  { kind: 'sliding', requests: 30, perMs: MINUTE_MS },
  { kind: 'day', requests: 2_000, timeZone: 'America/New_York' },
]

const errorSchema = z.object({ error: z.string() })
const articleSchema = z.object({ number: z.number().int(), title: z.string(), atMs: z.number().int() })
const newsSchema = z.object({ articles: z.array(z.unknown()) })
const quoteSchema = z.object({ price: z.number(), atMs: z.number().int() })

/** @throws VendorError, also where an error came with status 200 */
function answerOf(body: Buffer): JsonAnswer {
  const answer = new JsonAnswer(NAME, body)
  const failed = errorSchema.safeParse(answer.value)
  if (failed.success) throw new VendorError('VENDOR_LIMIT', `${NAME}: ${failed.data.error}`, { original: body })
  return answer
}

function parseNews(body: Buffer, ingestTimeMs: number) {
  const answer = answerOf(body)
  return answer.items(answer.as(newsSchema).articles, {
    where: 'articles',
    schema: articleSchema,
    read: ({ number, title, atMs }) => articleNumbered(number, title, atMs, ingestTimeMs),
    alone: (item) => ({ articles: [item] }),
  })
}

const articleNumbered = (number: number, headline: string, publishedAtMs: number, ingestTimeMs: number) =>
  article({
    id: `${NAME}:${number}`,
    source: NAME,
    licence: 'REDISTRIBUTABLE',
    kind: 'NEWS',
    headline,
    summary: '',
    url: `https://news.example/${number}`,
    publisher: 'Made Up',
    language: 'en',
    publishedAtMs,
    ingestTimeMs,
    symbols: [],
    vendorSentiment: null,
    filing: null,
  })

function parseQuote(symbol: string, body: Buffer, ingestTimeMs: number) {
  const answer = answerOf(body)
  return answer.items([answer.value], {
    where: 'quote',
    schema: quoteSchema,
    read: ({ price, atMs }) =>
      quoteSnapshot({
        symbol,
        source: NAME,
        licence: 'REDISTRIBUTABLE',
        price,
        previousClose: null,
        dayVolume: null,
        eventTimeMs: atMs,
        ingestTimeMs,
        delayed: false,
      }),
    alone: (item) => item,
  })
}

const everyMinute: Feed['dueMs'] = (nowMs, askedMs) => (askedMs === undefined ? nowMs : askedMs + MINUTE_MS)

function newsFeed(http: VendorHttp, now: () => number): Feed {
  return {
    name: 'news',
    topic: 'news-data',
    cost: 1,
    dueMs: everyMinute,
    ask: async (cursor, signal) => {
      const after = numberIn(cursor, 'after') ?? -1
      const request = { path: '/news', query: { after } }
      const read = await http.get(request, ({ body, receivedAtMs }) => parseNews(body, receivedAtMs), signal)
      const numbers = read.facts.map(({ id }) => Number(id.slice(NAME.length + 1)))
      return { ...factsOn('news-data', read), cursor: { after: Math.max(after, ...numbers) } }
    },
    reparse: (original) => factsOn('news-data', parseNews(original, now())),
  }
}

function quoteFeed(symbol: string, http: VendorHttp, now: () => number): Feed {
  return {
    name: `quote:${symbol}`,
    symbols: [symbol],
    tellsPrices: true,
    topic: 'stock-quotes',
    cost: 1,
    dueMs: everyMinute,
    ask: async (_cursor, signal) => {
      const request = { path: '/quote', query: { symbol } }
      const read = await http.get(request, ({ body, receivedAtMs }) => parseQuote(symbol, body, receivedAtMs), signal)
      return factsOn('stock-quotes', read)
    },
    reparse: (original) => factsOn('stock-quotes', parseQuote(symbol, original, now())),
  }
}

const madeUpSource: VendorSource = {
  name: NAME,
  needs: ['NEWSAPI_KEY'],
  open(context) {
    const { settings, clock, log, metrics, quotas: store } = context
    const keys = keysOf(settings.variables.NEWSAPI_KEY)
    const quota = new KeyRing({ name: NAME, keys, windows: LIMITS, store, clock, log, metrics })
    const http = openVendorHttp({
      vendor: NAME,
      title: 'Made Up',
      baseUrl: settings.urls[NAME]?.http ?? '',
      userAgent: 'investor-updates-test',
      quota,
      sign: (key) => ({ headers: { 'x-api-key': key } }),
      policy: { timeoutMs: 1_000 },
      clock,
      log,
      metrics,
    })
    const feedsOf = (symbols: readonly string[]) => [
      newsFeed(http, clock.now),
      ...symbols.map((symbol) => quoteFeed(symbol, http, clock.now)),
    ]
    return polledSource({ name: NAME, quota, feedsOf, context })
  },
}

const titleOf = (number: number) => `Headline ${number}`
const publishedMs = (number: number) => START_MS + number * MINUTE_MS
const newest = (nowMs: number) => Math.floor((nowMs - START_MS) / MINUTE_MS)

/** One article a minute, told by number, three at a time. */
const fake = (clock: Clock): VendorFake => ({
  answer: ({ path, query }) => {
    const nowMs = clock.now()
    if (path === '/quote') return { body: { price: 100, atMs: nowMs } }
    const first = Number(query.get('after')) + 1
    const count = Math.max(0, Math.min(ARTICLES_PER_PAGE, newest(nowMs) - first + 1))
    const articles = Array.from({ length: count }, (_, i) => ({
      number: first + i,
      title: titleOf(first + i),
      atMs: publishedMs(first + i),
    }))
    return { body: { articles } }
  },
  told: (nowMs) =>
    Array.from({ length: newest(nowMs) + 1 }, (_, number) =>
      nameOf({ topic: 'news-data', event: articleNumbered(number, titleOf(number), publishedMs(number), nowMs) }),
    ),
})

const KEYS = ['made-up-key-number-one', 'made-up-key-number-two']

export const madeUp: PolledVendorCase = {
  source: madeUpSource,
  variables: { NEWSAPI_KEY: KEYS.join(',') },
  symbols: ['AAPL', 'MSFT'],
  keys: KEYS,
  keyOf: ({ headers }) => headers['x-api-key'],
  limits: LIMITS,
  startMs: START_MS,
  timesFaster: 300,
  errorBody: '{"error":"You ask too much"}',
  fake,
}
