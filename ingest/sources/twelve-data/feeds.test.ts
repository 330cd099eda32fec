import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../../platform/clock.ts'
import { toldHttp } from '../../../tests/support/vendors/told-http.ts'
import type { VendorRequest } from '../../resilience/vendor-http.ts'
import { BARS_MAX, errorOf, TwelveDataClient } from './client.ts'
import { twelveDataFeeds } from './feeds.ts'

/** A Friday evening in New York, after the bars of the payloads. */
const FRIDAY_MS = Date.parse('2026-11-20T21:30:00Z')
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const FREE_PER_DAY = 800
const never = new AbortController().signal
const payload = (name: string) => readFileSync(new URL(`payloads/${name}.json`, import.meta.url))
const payloadFor = ({ path, query }: VendorRequest) => {
  if (path === '/quote') return payload('quote')
  return payload(query?.interval === '1day' ? 'series-days' : 'series-minutes')
}

function world(symbols: readonly string[], { creditsPerDay = FREE_PER_DAY, answer = payloadFor } = {}) {
  const clock = new ManualClock(FRIDAY_MS)
  const http = toldHttp(answer, clock.now)
  const feeds = twelveDataFeeds(symbols, { client: new TwelveDataClient(http), creditsPerDay, now: clock.now })
  const named = (name: string) => {
    const feed = feeds.find((each) => each.name === name)
    if (!feed) throw new Error(`there is no feed ${name}, but ${feeds.map((each) => each.name).join(', ')}`)
    return feed
  }
  const everyMs = (name: string) => named(name).dueMs(FRIDAY_MS, FRIDAY_MS) - FRIDAY_MS
  return { clock, http, feeds, named, everyMs }
}

const manyStocks = (count: number) =>
  Array.from({ length: count }, (_, i) => `S${String.fromCharCode(65 + (i % 26), 65 + Math.floor(i / 26))}`)

test('stocks, currencies and coins have quotes and bars; indices and other exchanges have none', () => {
  const { feeds } = world(['AAPL', 'BTC-USD', '^GSPC', 'TSCO.LON', 'EUR-USD'])
  expect(feeds.map(({ name }) => name)).toEqual([
    'quote:AAPL',
    'quote:EUR-USD',
    'quote:BTC-USD',
    'bars-1m:AAPL',
    'bars-1d:AAPL',
    'bars-1m:EUR-USD',
    'bars-1d:EUR-USD',
    'bars-1m:BTC-USD',
    'bars-1d:BTC-USD',
  ])
})

test('every ask costs a credit, because it is about one symbol', async () => {
  const { feeds, http } = world(['AAPL', 'EUR-USD'])
  for (const feed of feeds) await feed.ask(undefined, never)
  expect(feeds.map(({ cost }) => cost)).toEqual(feeds.map(() => 1))
  expect(http.asked.map(({ query }) => query?.symbol)).toEqual([
    ...['AAPL', 'EUR/USD'],
    ...['AAPL', 'AAPL'],
    ...['EUR/USD', 'EUR/USD'],
  ])
})

describe('a quote', () => {
  test('of a stock is due each minute of trading, once after the bell, and then at the next opening', () => {
    const quote = world(['AAPL']).named('quote:AAPL')
    const due = (iso: string) => new Date(quote.dueMs(0, Date.parse(iso))).toISOString()
    expect(due('2026-11-20T17:00:00Z')).toBe('2026-11-20T17:01:00.000Z')
    expect(due('2026-11-20T20:59:30Z')).toBe('2026-11-20T21:30:00.000Z')
    expect(due('2026-11-20T21:30:00Z')).toBe('2026-11-23T14:30:00.000Z')
  })

  test('of a pair is due as often as its share of the day allows, so that stocks are left enough', () => {
    const stocks = manyStocks(10)
    const { everyMs } = world([...stocks, 'EUR-USD', 'GBP-USD', 'BTC-USD', 'ETH-USD'])
    // 702 credits are not for bars: three tenths are for currencies, one for coins.
    expect(everyMs('quote:EUR-USD') / MINUTE_MS).toBeCloseTo(1_440 / (702 * 0.3 * 0.5), 2)
    expect(everyMs('quote:BTC-USD') / MINUTE_MS).toBeCloseTo(1_440 / (702 * 0.1 * 0.5), 2)
  })

  test('has the share of those who are not there', () => {
    expect(world(['EUR-USD']).everyMs('quote:EUR-USD') / MINUTE_MS).toBeCloseTo(1_440 / 793, 2)
  })

  test('is not due more than once a minute, however much a plan allows', () => {
    expect(world(['EUR-USD'], { creditsPerDay: 1_000_000 }).everyMs('quote:EUR-USD')).toBe(MINUTE_MS)
  })
})

describe('bars', () => {
  test('of minutes are due every four hours of trading, those of days when the day is settled', () => {
    const { named } = world(['AAPL', 'EUR-USD'])
    const due = (name: string, iso: string) => new Date(named(name).dueMs(0, Date.parse(iso))).toISOString()
    expect(due('bars-1m:AAPL', '2026-11-20T15:00:00Z')).toBe('2026-11-20T19:00:00.000Z')
    expect(due('bars-1m:AAPL', '2026-11-20T19:00:00Z')).toBe('2026-11-20T23:00:00.000Z')
    expect(due('bars-1m:EUR-USD', '2026-11-20T19:00:00Z')).toBe('2026-11-20T23:00:00.000Z')
    expect(due('bars-1d:AAPL', '2026-11-20T15:00:00Z')).toBe('2026-11-20T21:30:00.000Z')
    expect(due('bars-1d:EUR-USD', '2026-11-20T15:00:00Z')).toBe('2026-11-21T00:30:00.000Z')
    expect(due('bars-1d:EUR-USD', '2026-11-21T00:30:00Z')).toBe('2026-11-22T00:30:00.000Z')
  })

  test('take no more than a third of the day, so that quotes of all come before bars of some', () => {
    const { feeds } = world(manyStocks(100))
    const bars = feeds.filter(({ name }) => name.startsWith('bars-'))
    expect(feeds).toHaveLength(100 + bars.length)
    const perDay = bars.reduce((sum, { name }) => sum + (name.startsWith('bars-1m') ? DAY_MS / (4 * HOUR_MS) : 1), 0)
    expect(perDay).toBeLessThanOrEqual(FREE_PER_DAY / 3)
    expect(perDay).toBeGreaterThan(FREE_PER_DAY / 3 - 7)
  })

  test('are first read far back, and then no further than to those that are known', async () => {
    const { clock, http, named } = world(['AAPL'])
    const bars = named('bars-1m:AAPL')
    const { facts, cursor } = await bars.ask(undefined, never)
    expect(facts).toHaveLength(2)
    expect(cursor).toEqual({ newestMs: Date.parse('2026-11-20T20:59:00Z') })
    const again = await bars.ask(cursor, never)
    expect(again).toEqual({ facts: [], rejects: [], cursor })
    await clock.advance(30 * DAY_MS)
    await bars.ask(cursor, never)
    expect(http.asked.map(({ query }) => query?.outputsize)).toEqual([1_440, 31, BARS_MAX])
    expect(http.asked[0]?.query).toMatchObject({ interval: '1min', timezone: 'UTC' })
  })
})

test.each(['error-minute', 'error-plan', 'error-symbol', 'error-key', 'error-day'])(
  '%s inside of HTTP 200 is an error',
  async (name) => {
    const { feeds } = world(['AAPL'], { answer: () => payload(name) })
    for (const feed of feeds)
      await expect(feed.ask(undefined, never)).rejects.toMatchObject({ code: expect.stringMatching(/^VENDOR_/) })
  },
)

test('what was put aside is read again as what it is', () => {
  const { named } = world(['AAPL'])
  expect(named('quote:AAPL').reparse(payload('quote')).facts).toMatchObject([{ topic: 'stock-quotes' }])
  expect(named('bars-1m:AAPL').reparse(payload('series-minutes')).facts).toHaveLength(2)
})

describe('an answer that is no success', () => {
  const answer = (status: number, body: Buffer | string, headers = {}) => ({
    status,
    headers,
    body: Buffer.from(body),
    receivedAtMs: FRIDAY_MS,
  })

  test.each([
    [401, payload('error-key'), { code: 'VENDOR_REFUSED', ofKey: true }],
    [403, payload('error-plan'), { code: 'VENDOR_REFUSED', ofKey: false }],
    [404, payload('error-symbol'), { code: 'VENDOR_UNKNOWN' }],
    [429, payload('error-minute'), { code: 'VENDOR_LIMIT', retryAtMs: FRIDAY_MS + MINUTE_MS }],
    [429, payload('error-day'), { code: 'VENDOR_LIMIT', retryAtMs: Date.parse('2026-11-21') }],
    [502, '<html>', { code: 'VENDOR_UNAVAILABLE' }],
  ])('of status %i is what status and body say', (status, body, error) => {
    expect(errorOf(answer(status, body))).toMatchObject(error)
  })

  test('of a limit is over after Retry-After, where there is one', () => {
    const error = errorOf(answer(429, payload('error-minute'), { 'retry-after': '7' }))
    expect(error).toMatchObject({ code: 'VENDOR_LIMIT', retryAtMs: FRIDAY_MS + 7_000 })
  })
})
