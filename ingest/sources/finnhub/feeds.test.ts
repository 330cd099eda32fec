import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../../platform/clock.ts'
import { toldHttp } from '../../../tests/support/vendors/told-http.ts'
import type { VendorRequest } from '../../resilience/vendor-http.ts'
import { errorOf, FinnhubClient } from './client.ts'
import { finnhubFeeds } from './feeds.ts'

/** A Friday evening in New York, after the news of the payloads. */
const FRIDAY_MS = Date.parse('2026-11-20T21:30:00Z')
const MINUTE_MS = 60_000
const never = new AbortController().signal
const payload = (name: string) => readFileSync(new URL(`payloads/${name}.json`, import.meta.url))
const ANSWERS: Readonly<Record<string, string>> = {
  '/quote': 'quote',
  '/company-news': 'company-news',
  '/news': 'general-news',
}

function world(symbols: readonly string[], answer = ({ path }: VendorRequest) => payload(ANSWERS[path])) {
  const clock = new ManualClock(FRIDAY_MS)
  const http = toldHttp(answer, clock.now)
  const feeds = finnhubFeeds(symbols, { client: new FinnhubClient(http), now: clock.now })
  const named = (name: string) => {
    const feed = feeds.find((each) => each.name === name)
    if (!feed) throw new Error(`there is no feed ${name}, but ${feeds.map((each) => each.name).join(', ')}`)
    return feed
  }
  return { clock, http, feeds, named }
}

test('stocks have quotes and news of their own; pairs, indices and other exchanges have neither', () => {
  const { feeds } = world(['AAPL', 'BRK.B', 'BTC-USD', 'EUR-USD', '^GSPC', 'TSCO.LON'])
  expect(feeds.filter(({ symbols }) => symbols !== undefined).map(({ name }) => name)).toEqual([
    'quote:AAPL',
    'quote:BRK.B',
    'company-news:AAPL',
    'company-news:BRK.B',
  ])
})

test('every ask is one request', async () => {
  const { feeds, http } = world(['AAPL'])
  for (const feed of feeds) await feed.ask(undefined, never)
  expect(http.asked).toHaveLength(feeds.reduce((sum, { cost }) => sum + cost, 0))
})

test('fifty stocks fit into the sixty requests a minute of a free key', () => {
  const { feeds } = world(Array.from({ length: 50 }, (_, i) => `S${i}`))
  const noonMs = Date.parse('2026-11-20T17:00:00Z')
  const perMinute = feeds.map((feed) => (feed.cost * MINUTE_MS) / (feed.dueMs(noonMs, noonMs) - noonMs))
  expect(perMinute.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(60)
})

test('a quote is asked for each minute of trading, once after the bell, and then at the next opening', () => {
  const quote = world(['AAPL']).named('quote:AAPL')
  const due = (iso: string) => new Date(quote.dueMs(0, Date.parse(iso))).toISOString()
  expect(due('2026-11-20T17:00:00Z')).toBe('2026-11-20T17:01:00.000Z')
  expect(due('2026-11-20T20:59:30Z')).toBe('2026-11-20T21:15:00.000Z')
  expect(due('2026-11-20T21:15:00Z')).toBe('2026-11-23T14:30:00.000Z')
})

test('a symbol that Finnhub does not know is an error, though it answers with zeros', async () => {
  const { named } = world(['NOPE'], () => payload('quote-unknown'))
  await expect(named('quote:NOPE').ask(undefined, never)).rejects.toMatchObject({ code: 'VENDOR_UNKNOWN' })
})

describe('the news of a company', () => {
  test('are first read for a week, and then from a while before the newest that is known', async () => {
    const { http, named } = world(['AAPL'])
    const news = named('company-news:AAPL')
    const { facts, cursor } = await news.ask(undefined, never)
    expect(facts).toHaveLength(2)
    await news.ask(cursor, never)
    expect(http.asked.map(({ query }) => query)).toEqual([
      { symbol: 'AAPL', from: '2026-11-13', to: '2026-11-20' },
      { symbol: 'AAPL', from: '2026-11-20', to: '2026-11-20' },
    ])
  })

  test('that were told long ago are not told again', async () => {
    const { named } = world(['AAPL'])
    const news = named('company-news:AAPL')
    const { cursor } = await news.ask(undefined, never)
    const again = await news.ask(cursor, never)
    expect(again.facts.map(({ event }) => 'publisher' in event && event.publisher)).toEqual(['Reuters'])
  })

  test('cover the days of New York as well as those of London', async () => {
    const { clock, http, named } = world(['AAPL'])
    await clock.advance(Date.parse('2026-11-21T02:00:00Z') - clock.now())
    await named('company-news:AAPL').ask({ newestMs: clock.now() }, never)
    expect(http.asked[0]?.query).toMatchObject({ from: '2026-11-20', to: '2026-11-21' })
  })

  test('go on where an article is dated ahead', async () => {
    const ahead = payload('company-news')
      .toString()
      .replace('1795204800', String(FRIDAY_MS / 1_000 + 30))
    const { named } = world(['AAPL'], () => Buffer.from(ahead))
    const { facts, cursor } = await named('company-news:AAPL').ask(undefined, never)
    expect(facts).toHaveLength(2)
    expect(cursor).toEqual({ newestMs: 1_795_118_400_000 })
  })

  test('that there are none of leave the beginning where it was', async () => {
    const { named } = world(['AAPL'], () => Buffer.from('[]'))
    expect(await named('company-news:AAPL').ask(undefined, never)).toEqual({ facts: [], rejects: [] })
  })

  test('are never asked for further back than a free key sees', async () => {
    const { http, named } = world(['AAPL'])
    await named('company-news:AAPL').ask({ newestMs: Date.parse('2020-01-01') }, never)
    expect(http.asked[0]?.query?.from).toBe('2025-11-25')
  })
})

test('the news of all markets go on from the newest number', async () => {
  const { http, named } = world([])
  const news = named('news:general')
  const { facts, cursor } = await news.ask(undefined, never)
  expect(facts).toHaveLength(2)
  await news.ask(cursor, never)
  expect(http.asked.map(({ query }) => query)).toEqual([
    { category: 'general', minId: undefined },
    { category: 'general', minId: 7_561_042 },
  ])
})

test('what was put aside is read again as what it is', () => {
  const { named } = world(['AAPL'])
  expect(named('quote:AAPL').reparse(payload('quote')).facts).toMatchObject([{ topic: 'stock-quotes' }])
  expect(named('company-news:AAPL').reparse(payload('company-news')).facts).toHaveLength(2)
  expect(named('news:general').reparse(payload('general-news')).facts).toHaveLength(2)
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
    [403, payload('error-access'), { code: 'VENDOR_REFUSED', ofKey: false }],
    [429, payload('error-limit'), { code: 'VENDOR_LIMIT', retryAtMs: undefined }],
    [502, '<html>', { code: 'VENDOR_UNAVAILABLE' }],
  ])('of status %i is what status and body say', (status, body, error) => {
    expect(errorOf(answer(status, body))).toMatchObject(error)
  })

  test('of a limit is over when Finnhub says so, by its own clock', () => {
    const theirs = FRIDAY_MS - 100_000
    const headers = { date: new Date(theirs).toUTCString(), 'x-ratelimit-reset': String(theirs / 1_000 + 20) }
    expect(errorOf(answer(429, payload('error-limit'), headers))).toMatchObject({ retryAtMs: FRIDAY_MS + 20_000 })
  })

  test('of a limit is over after Retry-After, where there is one', () => {
    const headers = { 'retry-after': '30', 'x-ratelimit-reset': String(FRIDAY_MS / 1_000 + 20) }
    expect(errorOf(answer(429, '', headers))).toMatchObject({ code: 'VENDOR_LIMIT', retryAtMs: FRIDAY_MS + 30_000 })
  })

  test.each(['soon', '20', '-1', '99999999999'])('of a limit that resets at %s says nothing of when', (reset) => {
    const error = errorOf(answer(429, payload('error-limit'), { 'x-ratelimit-reset': reset }))
    expect(error).toMatchObject({ code: 'VENDOR_LIMIT', retryAtMs: undefined })
  })
})
