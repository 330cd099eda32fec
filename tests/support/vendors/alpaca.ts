import { alpaca } from '../../../ingest/sources/alpaca/alpaca.ts'
import { parseBars, parseNews, parseSnapshots } from '../../../ingest/sources/alpaca/parse.ts'
import { NEWS_PATH } from '../../../ingest/sources/alpaca/stream.ts'
import type { Clock } from '../../../platform/clock.ts'
import type { VendorAnswer } from './faults.ts'
import { nameOf, type PolledVendorCase, type VendorFake } from './polled-vendor-case.ts'
import type { FakePrint, FakeTape, StreamedVendorCase, StreamFake } from './streamed-vendor-case.ts'
import { madeUpBar, usSessions } from './us-sessions.ts'
import type { VendorQuestion } from './vendor-server.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const KEY_ID = 'PKTHATNOBODYMAYSEE00'
const SECRET = 'alpaca-secret-that-nobody-may-see'
const SYMBOLS = ['AAPL', 'BRK.B', 'MSFT']
const START_MS = Date.parse('2026-11-20T15:30:00Z')
const SIP_DELAY_MS = 15 * MINUTE_MS
const BARS_PER_PAGE = 400
const ARTICLES_PER_PAGE = 50
const TRADES_PER_PAGE = 40
const ARTICLE_EVERY_MS = 10 * MINUTE_MS
/** The last time that anything traded on IEX: once a day, at this time. */
const TRADED_AT_MS = 10 * 60 * MINUTE_MS

const isKeyOf = ({ headers }: VendorQuestion) =>
  headers['apca-api-key-id'] === KEY_ID && headers['apca-api-secret-key'] === SECRET
const forbidden: VendorAnswer = { status: 403, body: { message: 'forbidden.' } }

const toldAt = (symbol: string, atMs: number) => {
  const { open, high, low, close, volume, trades } = madeUpBar(symbol, atMs)
  return { t: new Date(atMs).toISOString(), o: open, h: high, l: low, c: close, v: volume, n: trades, vw: close }
}

function startsOf(interval: string, fromMs: number, untilMs: number): number[] {
  const sessions = usSessions(fromMs, untilMs)
  const starts = interval === '1Day' ? sessions.map(({ dayMs }) => dayMs) : sessions.flatMap(minutesOf)
  return starts.filter((startMs) => startMs >= fromMs && startMs <= untilMs)
}

const minutesOf = ({ openMs, closeMs }: { openMs: number; closeMs: number }) =>
  Array.from({ length: (closeMs - openMs) / MINUTE_MS }, (_, i) => openMs + i * MINUTE_MS)

/** Symbol by symbol, and page by page: a token says how many bars came before. */
function bars(query: URLSearchParams, nowMs: number): VendorAnswer {
  const untilMs = Date.parse(query.get('end') ?? new Date(nowMs).toISOString())
  if (query.get('feed') === 'sip' && untilMs > nowMs - SIP_DELAY_MS)
    return {
      status: 403,
      body: { code: 40310000, message: 'subscription does not permit querying recent SIP data' },
    }
  const starts = startsOf(query.get('timeframe') ?? '', Date.parse(query.get('start') ?? ''), untilMs)
  const all = (query.get('symbols') ?? '').split(',').flatMap((symbol) => starts.map((atMs) => ({ symbol, atMs })))
  return paged(query, all, BARS_PER_PAGE, (items) => ({
    bars: Object.fromEntries(
      [...Map.groupBy(items, ({ symbol }) => symbol)].map(([symbol, each]) => [
        symbol,
        each.map(({ atMs }) => toldAt(symbol, atMs)),
      ]),
    ),
  }))
}

const articleAt = (atMs: number) => ({
  id: atMs / ARTICLE_EVERY_MS,
  headline: `Something happened at ${new Date(atMs).toISOString()}`,
  author: 'Benzinga Newsdesk',
  created_at: new Date(atMs).toISOString(),
  updated_at: new Date(atMs).toISOString(),
  summary: '',
  content: '',
  url: null,
  images: [],
  symbols: ['AAPL', 'BTCUSD'],
  source: 'benzinga',
})

function articlesBetween(fromMs: number, untilMs: number): object[] {
  const firstMs = Math.ceil(fromMs / ARTICLE_EVERY_MS) * ARTICLE_EVERY_MS
  const count = Math.max(0, Math.floor((untilMs - firstMs) / ARTICLE_EVERY_MS) + 1)
  return Array.from({ length: count }, (_, i) => articleAt(firstMs + i * ARTICLE_EVERY_MS))
}

function paged<T>(
  query: URLSearchParams,
  all: readonly T[],
  perPage: number,
  body: (items: readonly T[]) => object,
): VendorAnswer {
  const from = Number(query.get('page_token') ?? '0')
  if (!Number.isInteger(from) || from > all.length) return { status: 400, body: { message: 'invalid page token' } }
  const next = from + perPage
  const next_page_token = next < all.length ? String(next) : null
  return { body: { ...body(all.slice(from, next)), next_page_token } }
}

function snapshots(symbols: readonly string[], nowMs: number): Record<string, unknown> {
  const traded = usSessions(nowMs - 7 * DAY_MS, nowMs)
    .map(({ dayMs }) => dayMs + TRADED_AT_MS)
    .findLast((atMs) => atMs <= nowMs)
  const snapshot = traded && {
    latestTrade: { t: new Date(traded).toISOString().replace('Z', '456789Z'), x: 'V', p: 101.5, s: 10, i: 7, z: 'C' },
    prevDailyBar: toldAt('AAPL', traded - DAY_MS),
  }
  return Object.fromEntries(symbols.map((symbol) => [symbol, snapshot ?? null]))
}

const fake = (clock: Clock): VendorFake => ({
  answer: (question) => {
    const { path, query } = question
    if (!isKeyOf(question)) return forbidden
    if (path === '/v2/stocks/bars') return bars(query, clock.now())
    if (path === '/v2/stocks/snapshots')
      return { body: snapshots((query.get('symbols') ?? '').split(','), clock.now()) }
    if (path !== '/v1beta1/news') return { status: 404, body: { message: 'endpoint not found.' } }
    const articles = articlesBetween(Date.parse(query.get('start') ?? ''), clock.now())
    return paged(query, articles, ARTICLES_PER_PAGE, (news) => ({ news }))
  },
  told: (nowMs) => {
    const body = (value: object) => Buffer.from(JSON.stringify(value))
    const barsOf = (timeframe: string, fromMs: number, untilMs: number) => ({
      bars: Object.fromEntries(
        SYMBOLS.map((symbol) => [symbol, startsOf(timeframe, fromMs, untilMs).map((atMs) => toldAt(symbol, atMs))]),
      ),
      next_page_token: null,
    })
    const news = { news: articlesBetween(START_MS, nowMs - MINUTE_MS), next_page_token: null }
    const minutes = body(barsOf('1Min', START_MS - 60 * MINUTE_MS, nowMs - 25 * MINUTE_MS))
    const days = body(barsOf('1Day', START_MS - 700 * DAY_MS, START_MS - DAY_MS))
    return [
      ...parseBars(minutes, '1m', nowMs).facts.map((event) => nameOf({ topic: 'stock-history', event })),
      ...parseBars(days, '1d', nowMs).facts.map((event) => nameOf({ topic: 'stock-history', event })),
      ...parseNews(body(news), nowMs).facts.map((event) => nameOf({ topic: 'news-data', event })),
      ...parseSnapshots(body(snapshots(SYMBOLS, START_MS)), nowMs).facts.map((event) =>
        nameOf({ topic: 'stock-quotes', event }),
      ),
    ]
  },
})

const variables = { ALPACA_KEY_ID: KEY_ID, ALPACA_SECRET_KEY: SECRET }
const keys = [KEY_ID, SECRET]

export const alpacaCase: PolledVendorCase = {
  source: alpaca,
  variables,
  symbols: SYMBOLS,
  keys,
  keyOf: ({ headers }) => headers['apca-api-key-id'],
  limits: [{ kind: 'sliding', requests: 200, perMs: MINUTE_MS }],
  startMs: START_MS,
  timesFaster: 600,
  errorBody: `{"code":50010000,"message":"internal server error, ${KEY_ID} ${SECRET}"}`,
  fake,
}

const tradeOf = ({ symbol, id, price, size, eventTimeMs }: FakePrint) => ({
  T: 't',
  S: symbol,
  i: id,
  x: 'V',
  p: price,
  s: size,
  c: ['@'],
  z: 'C',
  t: new Date(eventTimeMs).toISOString().replace('Z', '456789Z'),
})

/** Symbol by symbol; a token names the trade that the next page comes after. */
function tradeHistory(query: URLSearchParams, tape: FakeTape): VendorAnswer {
  const fromMs = Date.parse(query.get('start') ?? '')
  const all = (query.get('symbols') ?? '')
    .split(',')
    .flatMap((symbol) => tape(symbol).filter(({ eventTimeMs }) => eventTimeMs >= fromMs))
  const tokenOf = ({ symbol, id }: FakePrint) => `${symbol}|${id}`
  const begin = all.findIndex((print) => tokenOf(print) === query.get('page_token')) + 1
  const page = all.slice(begin, begin + TRADES_PER_PAGE)
  const last = page.at(-1)
  const trades = Object.fromEntries(
    [...Map.groupBy(page, ({ symbol }) => symbol)].map(([symbol, prints]) => [symbol, prints.map(tradeOf)]),
  )
  return { body: { trades, next_page_token: last && last !== all.at(-1) ? tokenOf(last) : null } }
}

const streamFake = (): StreamFake => {
  let articles = 0
  return {
    converse: (say, path) => {
      const send = (message: object) => say(JSON.stringify([message]))
      let isIn = false
      let trades: readonly string[] = []
      let news: readonly string[] = []
      send({ T: 'success', msg: 'connected' })
      return {
        hear: (frame) => {
          const { action, key, secret, ...wanted } = JSON.parse(frame)
          if (action === 'auth') {
            isIn = key === KEY_ID && secret === SECRET
            send(isIn ? { T: 'success', msg: 'authenticated' } : { T: 'error', code: 402, msg: 'auth failed' })
          } else if (!isIn) send({ T: 'error', code: 401, msg: 'not authenticated' })
          else {
            if (path === NEWS_PATH) news = wanted.news ?? []
            else trades = wanted.trades ?? []
            send({ T: 'subscription', trades, quotes: [], bars: [], news, corrections: trades, cancelErrors: trades })
          }
        },
        frameOf: (print) => (trades.includes(print.symbol) ? JSON.stringify([tradeOf(print)]) : undefined),
        alive: () => {
          if (!news.includes('*')) return []
          return [JSON.stringify([{ T: 'n', ...articleAt(START_MS), id: ++articles }])]
        },
      }
    },
    answer: (question, tape) => {
      if (!isKeyOf(question)) return forbidden
      if (question.path === '/v2/stocks/trades') return tradeHistory(question.query, tape)
      if (question.path === '/v2/stocks/snapshots') return { body: {} }
      return {
        body:
          question.path === '/v1beta1/news' ? { news: [], next_page_token: null } : { bars: {}, next_page_token: null },
      }
    },
  }
}

export const alpacaStreamCase: StreamedVendorCase = {
  source: alpaca,
  variables,
  symbols: SYMBOLS,
  numbering: 'time',
  keys,
  limits: { attempts: { count: 12, perMs: MINUTE_MS }, messages: { count: 10, perMs: 1_000 }, sockets: 1 },
  startMs: Date.parse('2026-11-20T15:00:00Z'),
  timesFaster: 20,
  socketPath: '',
  besidePaths: [NEWS_PATH],
  complaint: `[{"T":"error","code":400,"msg":"invalid syntax, ${KEY_ID} ${SECRET}"}]`,
  fake: streamFake,
}
