import { readFileSync } from 'node:fs'
import { DateTime } from 'luxon'
import { lastUsCloseMs, NEW_YORK } from '../../../ingest/exchange-clock.ts'
import type { QuotaWindow } from '../../../ingest/quota/quota.ts'
import { alphaVantage } from '../../../ingest/sources/alpha-vantage/alpha-vantage.ts'
import { parseQuote } from '../../../ingest/sources/alpha-vantage/parse.ts'
import { parseNews } from '../../../ingest/sources/alpha-vantage/parse-news.ts'
import type { Clock } from '../../../platform/clock.ts'
import type { VendorAnswer } from './faults.ts'
import { nameOf, type PolledVendorCase, type VendorFake } from './polled-vendor-case.ts'
import type { VendorQuestion } from './vendor-server.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** A Monday evening in New York, with the day's quotes just made. */
const START_MS = Date.parse('2026-11-17T00:00:00Z')
export const ALPHA_VANTAGE_KEYS = ['ALPHAVANTAGE0KEY1', 'ALPHAVANTAGE0KEY2']
/** Free data are made new some time after the bell. */
const MADE_AFTER_MS = 90 * MINUTE_MS
const BARS_MAX = 100
const REQUESTS_PER_DAY = 25
/** Of each free key. */
export const ALPHA_VANTAGE_LIMITS: readonly QuotaWindow[] = [
  { kind: 'day', requests: REQUESTS_PER_DAY, timeZone: NEW_YORK },
  { kind: 'sliding', requests: 1, perMs: 1_000 },
]

const payload = (name: string): Readonly<Record<string, unknown>> =>
  JSON.parse(
    readFileSync(new URL(`../../../ingest/sources/alpha-vantage/payloads/${name}.json`, import.meta.url), 'utf8'),
  )
const QUOTE = payload('global-quote')['Global Quote'] as object
const [MATCH] = payload('symbol-search').bestMatches as readonly object[]
const [ARTICLE] = payload('news-sentiment').feed as readonly object[]

const inNewYork = (ms: number, format: string) => DateTime.fromMillis(ms, { zone: NEW_YORK }).toFormat(format)
const dateOf = (ms: number) => inNewYork(ms, 'yyyy-MM-dd')

/** Nothing that is told changes but on the half-hour, and holidays and time zones are dear. */
const STEP_MS = 30 * MINUTE_MS
function byStep<T>(of: (nowMs: number) => T): (nowMs: number) => T {
  const known = new Map<number, T>()
  return (nowMs) => {
    const stepMs = nowMs - (nowMs % STEP_MS)
    const value = known.get(stepMs) ?? of(stepMs)
    known.set(stepMs, value)
    return value
  }
}

/** The close that what is told now is as of. */
const toldCloseMs = byStep((nowMs) => lastUsCloseMs(nowMs - MADE_AFTER_MS))

/** Another price each day and for each symbol, the same whenever it is asked for. */
const priceOf = (symbol: string, closeMs: number) =>
  (100 + ([...symbol].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 50) + ((closeMs / DAY_MS) % 10)).toFixed(
    4,
  )

function quoteOf(symbol: string, nowMs: number): object {
  const closeMs = toldCloseMs(nowMs)
  return {
    'Global Quote': {
      ...QUOTE,
      '01. symbol': symbol,
      '05. price': priceOf(symbol, closeMs),
      '07. latest trading day': dateOf(closeMs),
      '08. previous close': priceOf(symbol, lastUsCloseMs(closeMs - 1)),
    },
  }
}

/** When the newest hundred bars of five minutes of regular trading began, with the local time, the newest first. */
const barStarts = byStep((nowMs): readonly (readonly [ms: number, local: string])[] => {
  const starts: [number, string][] = []
  for (let closeMs = toldCloseMs(nowMs); starts.length < BARS_MAX; closeMs = lastUsCloseMs(closeMs - 1)) {
    const openMs = DateTime.fromMillis(closeMs, { zone: NEW_YORK }).set({ hour: 9, minute: 30 }).toMillis()
    for (let ms = closeMs - 5 * MINUTE_MS; ms >= openMs && starts.length < BARS_MAX; ms -= 5 * MINUTE_MS)
      starts.push([ms, inNewYork(ms, 'yyyy-MM-dd HH:mm:ss')])
  }
  return starts
})

function barsOf(symbol: string, nowMs: number): object {
  const starts = barStarts(nowMs)
  const series = starts.map(([ms, local]) => {
    const price = priceOf(symbol, ms)
    const prices = { '1. open': price, '2. high': price, '3. low': price, '4. close': price }
    return [local, { ...prices, '5. volume': '120884' }]
  })
  return {
    'Meta Data': {
      '1. Information': 'Intraday (5min) open, high, low, close prices and volume',
      '2. Symbol': symbol,
      '3. Last Refreshed': starts[0]?.[1],
      '4. Interval': '5min',
      '5. Output Size': 'Compact',
      '6. Time Zone': 'US/Eastern',
    },
    'Time Series (5min)': Object.fromEntries(series),
  }
}

/** An article an hour, on the hour, the newest first. */
function newsSince(sinceMs: number, nowMs: number, limit: number): object {
  const feed: object[] = []
  for (let hour = Math.floor(nowMs / HOUR_MS); hour * HOUR_MS >= sinceMs && feed.length < limit; hour--)
    feed.push({
      ...ARTICLE,
      title: `IBM &amp; hour ${hour}`,
      url: `https://www.example.com/hours/${hour}?utm_source=feed`,
      time_published: new Date(hour * HOUR_MS).toISOString().replaceAll(/[-:]|\.\d+Z/g, ''),
    })
  return { ...payload('news-sentiment'), items: String(feed.length), feed }
}

const NEWS_FROM_MS = START_MS - DAY_MS
const sinceOf = (stamp: string | null) =>
  stamp === null ? NEWS_FROM_MS : DateTime.fromFormat(stamp, "yyyyMMdd'T'HHmm", { zone: 'utc' }).toMillis()

/** What one key was answered, for it does not answer more than that. */
class Allowance {
  #lastMs = Number.NEGATIVE_INFINITY
  readonly #days = new Map<string, number>()

  /** The notice that is sent in place of an answer. */
  refusal(nowMs: number): object | undefined {
    const day = dateOf(nowMs)
    const today = this.#days.get(day) ?? 0
    if (nowMs - this.#lastMs < 1_000) return payload('notice-per-second')
    if (today >= REQUESTS_PER_DAY) return payload('notice-per-day')
    this.#lastMs = nowMs
    this.#days.set(day, today + 1)
    return undefined
  }
}

function dataFor({ query }: VendorQuestion, nowMs: number): object {
  const symbol = query.get('symbol') ?? ''
  switch (query.get('function')) {
    case 'GLOBAL_QUOTE':
      return /^[A-Z0-9.-]{1,12}$/.test(symbol) ? quoteOf(symbol, nowMs) : payload('global-quote-unknown')
    case 'TIME_SERIES_INTRADAY':
      return barsOf(symbol, nowMs)
    case 'NEWS_SENTIMENT':
      return newsSince(sinceOf(query.get('time_from')), nowMs, Number(query.get('limit') ?? 50))
    case 'SYMBOL_SEARCH':
      return { bestMatches: [{ ...MATCH, '1. symbol': query.get('keywords'), '8. currency': 'USD' }] }
    default:
      return payload('error-call')
  }
}

export const alphaVantageFake =
  (symbols: readonly string[]) =>
  (clock: Clock): VendorFake => {
    const allowances = new Map(ALPHA_VANTAGE_KEYS.map((key) => [key, new Allowance()]))
    const answer = (question: VendorQuestion): VendorAnswer => {
      if (question.path !== '/query') return { status: 404, body: '<html><body>Not found</body></html>' }
      const nowMs = clock.now()
      const allowance = allowances.get(question.query.get('apikey') ?? '')
      if (!allowance) return { body: payload('error-key') }
      return { body: allowance.refusal(nowMs) ?? dataFor(question, nowMs) }
    }
    return { answer, told: byStep((nowMs) => [...namesOfQuotes(symbols, nowMs), ...namesOfNews(nowMs)]) }
  }

/** Of the newest day, for a quote of the day before can be had no longer. */
const namesOfQuotes = (symbols: readonly string[], nowMs: number): readonly string[] =>
  symbols.flatMap((symbol) => {
    const body = Buffer.from(JSON.stringify(quoteOf(symbol.replaceAll('.', '-'), nowMs)))
    const { facts } = parseQuote(body, { symbol, unitsPerCurrency: 1 }, nowMs)
    return facts.map((event) => nameOf({ topic: 'stock-quotes', event }))
  })

function namesOfNews(nowMs: number): readonly string[] {
  const body = Buffer.from(JSON.stringify(newsSince(NEWS_FROM_MS, nowMs, 1_000)))
  return parseNews(body, nowMs).facts.map((event) => nameOf({ topic: 'news-data', event }))
}

const SYMBOLS = ['AAPL', 'MSFT', 'BRK.B', 'ACME']

export const alphaVantageCase: PolledVendorCase = {
  source: alphaVantage,
  variables: { ALPHA_VANTAGE_KEY: ALPHA_VANTAGE_KEYS.join(',') },
  symbols: SYMBOLS,
  keys: ALPHA_VANTAGE_KEYS,
  keyOf: ({ query }) => query.get('apikey') ?? undefined,
  limits: ALPHA_VANTAGE_LIMITS,
  startMs: START_MS,
  timesFaster: 8_000,
  errorBody: JSON.stringify(payload('notice-per-second')),
  fake: alphaVantageFake(SYMBOLS),
}
