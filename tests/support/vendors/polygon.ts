import { parseBars, parseNews } from '../../../ingest/sources/polygon/parse.ts'
import { polygon } from '../../../ingest/sources/polygon/polygon.ts'
import type { Clock } from '../../../platform/clock.ts'
import type { VendorAnswer } from './faults.ts'
import { nameOf, type PolledVendorCase, type VendorFake } from './polled-vendor-case.ts'
import type { FakePrint, FakeTape, StreamedVendorCase, StreamFake } from './streamed-vendor-case.ts'
import { madeUpBar, type UsSession, usSessions } from './us-sessions.ts'
import type { VendorQuestion } from './vendor-server.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const KEYS = ['polygon-key-that-nobody-may-see', 'polygon-other-key-nobody-may-see']
const SYMBOLS = ['AAPL', 'BRK.B', 'MSFT', 'NVDA', 'TSLA']
const START_MS = Date.parse('2026-11-20T15:30:00Z')
const PAGE = 30
/** Nobody traded before. */
const LISTED_MS = START_MS - 60 * DAY_MS
/** Nobody trades more often. */
const TRADED_EVERY_MS = 5 * MINUTE_MS
const ARTICLE_EVERY_MS = 30 * MINUTE_MS
/** Everybody else who trades. */
const OTHERS = ['ZVZZT', 'TESTW']

const keyOf = ({ headers }: VendorQuestion) => headers.authorization?.replace('Bearer ', '')
const fine = (body: object): VendorAnswer => ({ body: { status: 'OK', request_id: '1f0c2d', ...body } })
const refused = (status: number, body: object): VendorAnswer => ({ status, body: { request_id: '1f0c2d', ...body } })
const unknownKey = refused(401, { status: 'ERROR', error: 'Unknown API Key' })
const tooEarly = refused(403, {
  status: 'NOT_AUTHORIZED',
  message:
    "Attempted to request today's data before end of day. Please upgrade your plan at https://polygon.io/pricing",
})

function told(symbol: string, madeOfMs: number, t = madeOfMs) {
  const { open, high, low, close, volume, trades } = madeUpBar(symbol, madeOfMs)
  return { o: open, h: high, l: low, c: close, v: volume, vw: close, n: trades, t }
}

const timeOf = (text: string): number => (/^\d+$/.test(text) ? Number(text) : Date.parse(`${text}T00:00:00Z`))

/** One day of everybody; of the whole market a day is stamped with its close. */
function grouped(date: string, nowMs: number): VendorAnswer {
  const [session] = usSessions(timeOf(date), timeOf(date) + DAY_MS).filter((each) => each.date === date)
  if (session === undefined) return fine({ queryCount: 0, resultsCount: 0, adjusted: true })
  if (nowMs < session.dayEndMs) return tooEarly
  const results = [...SYMBOLS, ...OTHERS].map((T) => ({ T, ...told(T, session.dayMs, session.closeMs) }))
  return fine({ queryCount: results.length, resultsCount: results.length, adjusted: true, results })
}

const barsBetween = (symbol: string, timespan: string, fromMs: number, toMs: number) =>
  usSessions(Math.max(fromMs, LISTED_MS), toMs)
    .flatMap((session) => (timespan === 'day' ? [session.dayMs] : minutesOf(session)))
    .filter((startMs) => startMs >= Math.max(fromMs, LISTED_MS) && startMs <= toMs)
    .map((startMs) => told(symbol, startMs))

const minutesOf = ({ openMs, closeMs }: UsSession) =>
  Array.from({ length: (closeMs - openMs) / TRADED_EVERY_MS }, (_, i) => openMs + i * TRADED_EVERY_MS)

function aggregates(question: VendorQuestion, nowMs: number): VendorAnswer {
  const [symbol = '', , , timespan = '', from = '', to = ''] = question.path.split('/').slice(4)
  // A day as an end is that whole day.
  const toMs = /^\d+$/.test(to) ? Number(to) : timeOf(to) + DAY_MS - 1
  const unfinished = usSessions(nowMs, nowMs).find(({ dayMs, dayEndMs }) => dayMs <= nowMs && nowMs < dayEndMs)
  if (unfinished && toMs > unfinished.dayMs) return tooEarly
  const all = barsBetween(symbol, timespan, timeOf(from), toMs)
  return paged(question, all, { ticker: symbol, adjusted: true })
}

const articleAt = (atMs: number) => ({
  id: `b2f1${atMs}`,
  publisher: { name: 'The Motley Fool', homepage_url: 'https://www.fool.com/' },
  title: `What happened at ${new Date(atMs).toISOString()}`,
  author: 'A. Writer',
  published_utc: new Date(atMs).toISOString().replace('.000Z', 'Z'),
  article_url: `https://www.fool.com/${atMs}/`,
  tickers: ['AAPL', 'X:BTCUSD'],
  insights: [{ ticker: 'AAPL', sentiment: 'positive', sentiment_reasoning: 'It is cited.' }],
})

function articlesBetween(fromMs: number, toMs: number): object[] {
  const firstMs = Math.ceil(fromMs / ARTICLE_EVERY_MS) * ARTICLE_EVERY_MS
  const count = Math.max(0, Math.floor((toMs - firstMs) / ARTICLE_EVERY_MS) + 1)
  return Array.from({ length: count }, (_, i) => articleAt(firstMs + i * ARTICLE_EVERY_MS))
}

/** Addresses to go on at name the host by its old name, and hold no key. */
function paged({ path, query }: VendorQuestion, all: readonly object[], around: object): VendorAnswer {
  const [skipped = 0, whole = ''] = JSON.parse(query.get('cursor') ?? '[]')
  const question = whole || query.toString()
  const next = skipped + PAGE
  const cursor = encodeURIComponent(JSON.stringify([next, question]))
  const more = next < all.length ? { next_url: `https://api.polygon.io${path}?${query}&cursor=${cursor}` } : {}
  const results = all.slice(skipped, next)
  return fine({ ...around, status: 'DELAYED', count: results.length, results, ...more })
}

const fake = (clock: Clock): VendorFake => ({
  answer: (question) => {
    const { path, query } = question
    const nowMs = clock.now()
    if (!KEYS.includes(keyOf(question) ?? '')) return unknownKey
    if (path.startsWith('/v2/aggs/grouped/')) return grouped(path.slice(-10), nowMs)
    if (path.startsWith('/v2/aggs/ticker/')) return aggregates(question, nowMs)
    if (path !== '/v2/reference/news') return refused(404, { status: 'NOT_FOUND', message: 'page not found' })
    return paged(question, articlesBetween(Date.parse(query.get('published_utc.gte') ?? ''), nowMs), {})
  },
  told: (nowMs) => {
    const body = (value: object) => Buffer.from(JSON.stringify(value))
    const settled = usSessions(LISTED_MS + DAY_MS, nowMs).filter(({ closeMs }) => closeMs + 12 * HOUR_MS < nowMs)
    const daysMs = settled.map(({ dayMs }) => dayMs)
    const minutesMs = settled.filter(({ dayMs }) => dayMs > START_MS - 2 * DAY_MS).flatMap(minutesOf)
    const bars = (interval: '1m' | '1d', startsMs: readonly number[]) =>
      SYMBOLS.flatMap((ticker) => {
        const results = startsMs.map((startMs) => told(ticker, startMs))
        return parseBars(body({ status: 'OK', ticker, results }), interval, nowMs).facts
      }).map((event) => nameOf({ topic: 'stock-history', event }))
    const quotes = settled
      .filter(({ dayMs }) => dayMs > START_MS - 2 * DAY_MS)
      .flatMap(({ closeMs }) => SYMBOLS.map((symbol) => quoteName(symbol, closeMs)))
    const news = body({ status: 'OK', results: articlesBetween(START_MS, nowMs - MINUTE_MS) })
    return [
      ...bars('1d', daysMs),
      ...bars('1m', minutesMs),
      ...quotes,
      ...parseNews(news, nowMs).facts.map((event) => nameOf({ topic: 'news-data', event })),
    ]
  },
})

const quoteName = (symbol: string, eventTimeMs: number) =>
  nameOf({
    topic: 'stock-quotes',
    event: {
      symbol,
      source: 'polygon',
      licence: 'PERSONAL',
      price: 1,
      previousClose: null,
      dayVolume: null,
      eventTimeMs,
      ingestTimeMs: eventTimeMs,
      delayed: true,
    },
  })

export const polygonCase: PolledVendorCase = {
  source: polygon,
  variables: { POLYGON_KEY: KEYS.join(',') },
  symbols: SYMBOLS,
  keys: KEYS,
  keyOf,
  limits: [{ kind: 'sliding', requests: 5, perMs: MINUTE_MS }],
  startMs: START_MS,
  timesFaster: 30,
  errorBody: `{"status":"ERROR","request_id":"0f9","error":"Something went wrong for ${KEYS.join(' and ')}"}`,
  fake,
}

const tradeOf = ({ symbol, id, price, size, eventTimeMs }: FakePrint) => ({
  ev: 'T',
  sym: symbol,
  x: 4,
  i: String(id),
  z: 3,
  p: price,
  s: size,
  c: [0],
  t: eventTimeMs,
  q: id * 3,
})

/** In nanoseconds, all of them within the millisecond that the socket tells. */
function tradeHistory({ path, query }: VendorQuestion, tape: FakeTape): VendorAnswer {
  const symbol = path.split('/').at(-1) ?? ''
  const [fromMs, afterId] = JSON.parse(query.get('cursor') ?? `[${Number(query.get('timestamp.gte')) / 1e6},0]`)
  const all = tape(symbol).filter(({ id, eventTimeMs }) => eventTimeMs >= fromMs && id > afterId)
  const page = all.slice(0, PAGE)
  const cursor = encodeURIComponent(JSON.stringify([fromMs, page.at(-1)?.id]))
  return fine({
    results: page.map(({ id, price, size, eventTimeMs }) => ({
      ...{ id: String(id), exchange: 4, price, size, sequence_number: id * 3, tape: 3, conditions: [0] },
      sip_timestamp: eventTimeMs * 1e6 + (id % 4) * 250_000,
    })),
    ...(page.length < all.length && { next_url: `https://api.polygon.io${path}?cursor=${cursor}` }),
  })
}

const streamFake = (): StreamFake => ({
  converse: (say) => {
    const status = (name: string, message: string) => say(JSON.stringify([{ ev: 'status', status: name, message }]))
    const subscribed = new Set<string>()
    let isIn = false
    status('connected', 'Connected Successfully')
    return {
      hear: (frame) => {
        const { action, params } = JSON.parse(frame)
        if (action === 'auth') {
          isIn = params === KEYS[0]
          status(isIn ? 'auth_success' : 'auth_failed', isIn ? 'authenticated' : 'authentication failed')
        } else if (!isIn) status('error', 'not authorized')
        else
          for (const name of params.split(',')) {
            subscribed.add(name)
            status('success', `subscribed to: ${name}`)
          }
      },
      frameOf: (print) => (subscribed.has(`T.${print.symbol}`) ? JSON.stringify([tradeOf(print)]) : undefined),
    }
  },
  answer: (question, tape) => {
    if (!KEYS.includes(keyOf(question) ?? '')) return unknownKey
    const { path } = question
    if (path.startsWith('/v3/trades/')) return tradeHistory(question, tape)
    if (!path.includes('/grouped/')) return fine({ ticker: path.split('/')[4], resultsCount: 0 })
    return fine({ results: OTHERS.map((T) => ({ T, ...told(T, timeOf(path.slice(-10))) })) })
  },
})

export const polygonStreamCase: StreamedVendorCase = {
  source: polygon,
  variables: { POLYGON_KEY: KEYS.join(','), POLYGON_WS: 'live' },
  symbols: SYMBOLS,
  numbering: 'time',
  keys: KEYS,
  limits: { attempts: { count: 12, perMs: MINUTE_MS }, messages: { count: 10, perMs: 1_000 }, sockets: 1 },
  startMs: Date.parse('2026-11-20T15:00:00Z'),
  timesFaster: 20,
  socketPath: '',
  complaint: `[{"ev":"status","status":"error","message":"invalid request of ${KEYS[0]}"}]`,
  fake: streamFake,
}
