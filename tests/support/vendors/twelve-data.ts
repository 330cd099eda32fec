import { isUsMarketOpen } from '../../../ingest/exchange-clock.ts'
import { fromTwelveData, parseSeries, toTwelveData } from '../../../ingest/sources/twelve-data/parse.ts'
import { twelveData } from '../../../ingest/sources/twelve-data/twelve-data.ts'
import type { Clock } from '../../../platform/clock.ts'
import type { VendorAnswer } from './faults.ts'
import { nameOf, type PolledVendorCase, type VendorFake } from './polled-vendor-case.ts'
import type { FakePrint, StreamedVendorCase, StreamFake } from './streamed-vendor-case.ts'
import type { VendorQuestion } from './vendor-server.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** A Friday, half an hour after the opening bell. */
const START_MS = Date.parse('2026-11-20T15:00:00Z')
const KEYS = ['twelve-data-key-that-nobody-may-see', 'another-twelve-data-key-of-the-same']
const SYMBOLS = ['AAPL', 'MSFT', 'EUR-USD', 'BTC-USD']
const BARS_MAX = 5_000
/** It remembers no bars from before this. */
const FIRST_MS: Readonly<Record<string, number>> = { '1min': START_MS - 3_600_000, '1day': START_MS - 5 * DAY_MS }

const errorOf = (code: number, message: string) => ({ code, message, status: 'error' })
const keyOf = ({ headers }: VendorQuestion) => headers.authorization?.replace('apikey ', '')

/** A price follows from its time, so that two looks at it are the same. */
const priceAt = (timeMs: number) => (1 + ((timeMs / MINUTE_MS) % 60) / 100).toFixed(5)

function quoteOf(symbol: string, nowMs: number) {
  const last = Math.floor(nowMs / 1_000) - 1
  return {
    symbol,
    name: symbol,
    exchange: 'NASDAQ',
    mic_code: 'XNAS',
    currency: 'USD',
    datetime: new Date(nowMs).toISOString().slice(0, 10),
    timestamp: Math.floor(nowMs / DAY_MS) * (DAY_MS / 1_000),
    last_quote_at: last,
    close: priceAt(Math.floor(last / 60) * MINUTE_MS),
    previous_close: '1.00000',
    is_market_open: true,
  }
}

/** The newest bars, newest first; the first of them may still be in the making. Stocks have none while nothing trades. */
function seriesOf(symbol: string, interval: string, count: number, nowMs: number) {
  const stepMs = interval === '1day' ? DAY_MS : MINUTE_MS
  const values: object[] = []
  for (let atMs = Math.floor(nowMs / stepMs) * stepMs; atMs >= FIRST_MS[interval]; atMs -= stepMs) {
    if (values.length >= count) break
    if (!symbol.includes('/') && interval === '1min' && !isUsMarketOpen(atMs)) continue
    const datetime = new Date(atMs)
      .toISOString()
      .replace('T', ' ')
      .slice(0, interval === '1min' ? 19 : 10)
    const price = priceAt(atMs)
    values.push({ datetime, open: price, high: price, low: price, close: price, volume: '100' })
  }
  return { meta: { symbol, interval, currency: 'USD', exchange_timezone: 'America/New_York' }, values, status: 'ok' }
}

function answer(question: VendorQuestion, nowMs: number): VendorAnswer {
  const { path, query } = question
  const symbol = query.get('symbol') ?? ''
  if (!KEYS.includes(keyOf(question) ?? ''))
    return { status: 401, body: errorOf(401, '**apikey** parameter is incorrect or not specified.') }
  if (!SYMBOLS.includes(fromTwelveData(symbol)))
    return { status: 404, body: errorOf(404, `**symbol** not found: ${symbol}.`) }
  if (path === '/quote') return { body: quoteOf(symbol, nowMs) }
  const count = Math.min(BARS_MAX, Number(query.get('outputsize') ?? 30))
  return { body: seriesOf(symbol, query.get('interval') ?? '', count, nowMs) }
}

/** The newest bars come hours later; but those from before the start come with the first answer about them. */
const polledFake = (clock: Clock): VendorFake => ({
  answer: (question) => answer(question, clock.now()),
  isToldAtFirst: true,
  told: () =>
    SYMBOLS.map(toTwelveData)
      .flatMap((symbol) => {
        const [minutes, days] = ['1min', '1day'].map((interval) =>
          Buffer.from(JSON.stringify(seriesOf(symbol, interval, BARS_MAX, START_MS))),
        )
        return [...parseSeries(minutes, '1m', START_MS).facts, ...parseSeries(days, '1d', START_MS).facts]
      })
      .map((event) => nameOf({ topic: 'stock-history', event })),
})

const streamFake = (): StreamFake => ({
  converse: (say) => {
    const names = new Set<string>()
    return {
      hear: (frame) => {
        const { action, params } = JSON.parse(frame)
        if (action === 'heartbeat') say('{"event":"heartbeat","status":"ok"}')
        if (action !== 'subscribe') return
        for (const name of params.symbols.split(',')) names.add(name)
        const success = [...names].map((symbol) => ({ symbol, exchange: 'NASDAQ', type: 'Common Stock' }))
        say(JSON.stringify({ event: 'subscribe-status', status: 'ok', success, fails: null }))
      },
      frameOf: (print) => (names.has(toTwelveData(print.symbol)) ? frameOf(print) : undefined),
    }
  },
  // A plan for the stream alone: what comes of it comes all the same, and no quote can be taken for one of the stream.
  answer: ({ path }) => ({ status: 403, body: errorOf(403, `${path} is available exclusively with pro plans.`) }),
})

const frameOf = ({ symbol, price, eventTimeMs }: FakePrint) =>
  JSON.stringify({
    event: 'price',
    symbol: toTwelveData(symbol),
    currency: 'USD',
    exchange: 'NASDAQ',
    type: 'Common Stock',
    timestamp: Math.floor(eventTimeMs / 1_000),
    price,
  })

export const twelveDataCase: PolledVendorCase = {
  source: twelveData,
  // One of them: there is more to ask for at first than it may ask in its first minute.
  variables: { TWELVE_DATA_KEY: KEYS[0] },
  symbols: SYMBOLS,
  keys: KEYS,
  keyOf,
  limits: [
    { kind: 'sliding', requests: 8, perMs: MINUTE_MS },
    { kind: 'day', requests: 800, timeZone: 'UTC' },
  ],
  startMs: START_MS,
  timesFaster: 150,
  errorBody: JSON.stringify(errorOf(429, 'You have run out of API credits for the current minute.')),
  fake: polledFake,
}

export const twelveDataStreamCase: StreamedVendorCase = {
  source: twelveData,
  variables: { TWELVE_DATA_KEY: KEYS.join(',') },
  keys: KEYS,
  startMs: START_MS,
  symbols: ['AAPL', 'BRK.B', 'EUR-USD', 'BTC-USD', 'MSFT', 'NVDA', 'TSLA', 'USD-JPY'],
  numbering: 'arrival',
  tells: 'quotes',
  // One socket on the free plan; nothing is published of how often. This is twice what we promise.
  limits: { attempts: { count: 6, perMs: MINUTE_MS }, messages: { count: 20, perMs: 1_000 }, sockets: 1 },
  timesFaster: 20,
  socketPath: '/v1/quotes/price',
  complaint: JSON.stringify({ status: 'error', message: 'Something went wrong' }),
  fake: streamFake,
}
