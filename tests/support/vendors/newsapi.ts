import { NameMatcher } from '../../../domain/name-matcher.ts'
import { newsapi } from '../../../ingest/sources/newsapi/newsapi.ts'
import { parseArticles } from '../../../ingest/sources/newsapi/parse.ts'
import type { Clock } from '../../../platform/clock.ts'
import { nameOf, type PolledVendorCase, type VendorFake } from './polled-vendor-case.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const START_MS = Date.parse('2026-11-20T15:00:00Z')
const KEY = 'newsapi-key-that-nobody-may-see'
/** A developer's key hears of an article a day after it was published. */
const DELAY_MS = DAY_MS
const PAGE_SIZE_MAX = 100

/** One an hour, on the hour, the newest first. */
function articlesBetween(fromMs: number, toMs: number): object[] {
  const articles: object[] = []
  for (let hour = Math.floor(toMs / HOUR_MS); hour * HOUR_MS >= fromMs; hour--)
    articles.push({
      source: { id: null, name: 'Example Wire' },
      author: null,
      title: `Apple tells of hour ${hour} - Example Wire`,
      description: null,
      url: `https://example.com/hours/${hour}`,
      urlToImage: null,
      publishedAt: new Date(hour * HOUR_MS).toISOString(),
      content: null,
    })
  return articles
}

const bodyOf = (articles: readonly object[]) => ({
  status: 'ok',
  totalResults: articles.length,
  articles: articles.slice(0, PAGE_SIZE_MAX),
})

const fake = (clock: Clock): VendorFake => ({
  answer: ({ path, query, headers }) => {
    if (headers['x-api-key'] !== KEY)
      return { status: 401, body: { status: 'error', code: 'apiKeyInvalid', message: 'Your API key is invalid.' } }
    if (path === '/top-headlines') return { body: bodyOf([]) }
    const fromMs = Date.parse(`${query.get('from')}Z`)
    return { body: bodyOf(articlesBetween(fromMs, clock.now() - DELAY_MS)) }
  },
  // Older ones are told too, unless our start takes long: an hour of theirs is less than a second of ours.
  told: (nowMs) => {
    const body = Buffer.from(JSON.stringify(bodyOf(articlesBetween(START_MS - DAY_MS, nowMs - DELAY_MS))))
    return parseArticles(body, new NameMatcher([]), nowMs).facts.map((event) => nameOf({ topic: 'news-data', event }))
  },
})

export const newsapiCase: PolledVendorCase = {
  source: newsapi,
  variables: { NEWSAPI_KEY: KEY },
  symbols: ['AAPL', 'MSFT'],
  keys: [KEY],
  keyOf: ({ headers }) => headers['x-api-key'],
  limits: [
    { kind: 'sliding', requests: 100, perMs: DAY_MS },
    { kind: 'sliding', requests: 50, perMs: DAY_MS / 2 },
  ],
  startMs: START_MS,
  timesFaster: 4_000,
  errorBody: '{"status":"error","code":"unexpectedError","message":"It is our fault"}',
  fake,
}
