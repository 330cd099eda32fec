import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Instrument } from '../../../domain/instrument.ts'
import { ManualClock } from '../../../platform/clock.ts'
import { withOtherTypes } from '../../../tests/support/vendors/faults.ts'
import { toldHttp } from '../../../tests/support/vendors/told-http.ts'
import type { VendorRequest } from '../../resilience/vendor-http.ts'
import { AlphaVantageClient } from './client.ts'
import { feedsOf, type Plan } from './feeds.ts'

const MONDAY_NOON_MS = Date.parse('2026-11-23T17:00:00Z')
const HOUR_MS = 3_600_000
const never = new AbortController().signal
const payload = (name: string) => readFileSync(new URL(`payloads/${name}.json`, import.meta.url))

const ANSWERS: Readonly<Record<string, string>> = {
  GLOBAL_QUOTE: 'global-quote',
  TIME_SERIES_INTRADAY: 'intraday-5min',
  NEWS_SENTIMENT: 'news-sentiment',
  SYMBOL_SEARCH: 'symbol-search',
}

function world(
  symbols: readonly string[],
  plan: Plan = { isPremium: false, requestsPerDay: 25 },
  onItsWay: (answer: Buffer) => Buffer = (answer) => answer,
) {
  const clock = new ManualClock(MONDAY_NOON_MS)
  const described: Instrument[] = []
  const answer = ({ query }: VendorRequest) =>
    query?.symbol === 'TSCO.LON' ? payload('global-quote-london') : payload(ANSWERS[String(query?.function)])
  const http = toldHttp((request) => onItsWay(answer(request)), clock.now)
  const feeds = feedsOf(symbols, {
    client: new AlphaVantageClient(http),
    plan,
    now: clock.now,
    describe: async (instruments) => void described.push(...instruments),
    isDescribed: (symbol) => symbol !== 'TSCO.LON',
  })
  const named = (name: string) => {
    const feed = feeds.find((each) => each.name === name)
    if (!feed) throw new Error(`there is no feed ${name}, but ${feeds.map((each) => each.name).join(', ')}`)
    return feed
  }
  return { clock, http, feeds, named, described }
}

const dueIso = (dueMs: number) => new Date(dueMs).toISOString()

describe('a free key', () => {
  test('asks for a quote when there is a new one: two hours after the bell', () => {
    const quote = world(['IBM']).named('quote:IBM')
    expect(dueIso(quote.dueMs(MONDAY_NOON_MS, MONDAY_NOON_MS))).toBe('2026-11-23T23:00:00.000Z')
    const evening = Date.parse('2026-11-23T23:00:01Z')
    expect(dueIso(quote.dueMs(evening, evening))).toBe('2026-11-24T23:00:00.000Z')
    const friday = Date.parse('2026-11-20T23:30:00Z')
    expect(dueIso(quote.dueMs(MONDAY_NOON_MS, friday))).toBe('2026-11-23T23:00:00.000Z')
  })

  test('has what it missed due since then', () => {
    const quote = world(['IBM']).named('quote:IBM')
    const lastWeek = Date.parse('2026-11-17T12:00:00Z')
    expect(dueIso(quote.dueMs(MONDAY_NOON_MS, lastWeek))).toBe('2026-11-17T23:00:00.000Z')
    expect(quote.dueMs(MONDAY_NOON_MS, undefined)).toBe(MONDAY_NOON_MS)
  })

  test('looks once more for a quote that was not there yet', async () => {
    const { clock, named } = world(['IBM'])
    const quote = named('quote:IBM')
    // Monday evening, and the quote that comes is Friday's.
    await clock.advance(Date.parse('2026-11-23T23:00:00Z') - clock.now())
    await quote.ask(undefined, never)
    expect(dueIso(quote.dueMs(clock.now(), clock.now()))).toBe('2026-11-24T04:00:00.000Z')
    await clock.advance(5 * HOUR_MS)
    await quote.ask(undefined, never)
    expect(dueIso(quote.dueMs(clock.now(), clock.now()))).toBe('2026-11-24T23:00:00.000Z')
  })

  test('asks for bars too where the day has room for them after all quotes, the news and what is asked twice', () => {
    const count = (symbols: number) =>
      world(Array.from({ length: symbols }, (_, i) => `S${i}`)).feeds.filter(({ name }) => name.startsWith('bars:'))
        .length
    expect([count(1), count(9), count(10), count(17), count(40)]).toEqual([1, 9, 8, 1, 0])
  })

  test('asks for nothing that Alpha Vantage does not quote', () => {
    expect(world(['BTC-USD', 'EUR-USD', '^GSPC']).feeds.map(({ name }) => name)).toEqual(['news'])
  })
})

describe('a premium key', () => {
  const premium = { isPremium: true, requestsPerDay: 25 }

  test('asks for a quote each minute while the market is open, once after the bell, and then at the next opening', () => {
    const quote = world(['IBM'], premium).named('quote:IBM')
    const due = (iso: string) => dueIso(quote.dueMs(0, Date.parse(iso)))
    expect(due('2026-11-23T17:00:00Z')).toBe('2026-11-23T17:01:00.000Z')
    expect(due('2026-11-23T20:59:30Z')).toBe('2026-11-23T23:00:00.000Z')
    expect(due('2026-11-23T23:00:00Z')).toBe('2026-11-24T14:30:00.000Z')
  })

  test('asks for the bars of a minute each hour', () => {
    const bars = world(['IBM'], premium).named('bars:IBM:1min')
    const due = (iso: string) => dueIso(bars.dueMs(0, Date.parse(iso)))
    expect(due('2026-11-23T15:30:00Z')).toBe('2026-11-23T16:30:00.000Z')
    expect(due('2026-11-23T20:30:00Z')).toBe('2026-11-23T23:00:00.000Z')
    expect(due('2026-11-23T23:05:00Z')).toBe('2026-11-24T14:30:00.000Z')
  })
})

test('bars that were told are not told again', async () => {
  const bars = world(['IBM']).named('bars:IBM:5min')
  const first = await bars.ask(undefined, never)
  expect(first.facts).toHaveLength(3)
  const second = await bars.ask(first.cursor, never)
  expect(second.facts).toEqual([])
  expect(second.cursor).toEqual(first.cursor)
})

test('news are asked for from a while before the newest that is known', async () => {
  const { http, named } = world(['IBM'])
  const { cursor } = await named('news').ask(undefined, never)
  await named('news').ask(cursor, never)
  expect(http.asked.map(({ query }) => query?.time_from)).toEqual([undefined, '20261120T1330'])
})

test('a London line is searched for once, to know whether it is told in pence', async () => {
  const { http, named } = world(['TSCO.LON'])
  const quote = named('quote:TSCO.LON')
  expect(quote.cost).toBe(2)
  const first = await quote.ask(undefined, never)
  expect(first.facts[0]).toMatchObject({ event: { symbol: 'TSCO.LON', price: 4.537 } })
  await quote.ask(first.cursor, never)
  expect(http.asked.map(({ query }) => query?.function)).toEqual(['SYMBOL_SEARCH', 'GLOBAL_QUOTE', 'GLOBAL_QUOTE'])
})

test('a London quote that was put aside is read again in what it was told in, and never by a guess', async () => {
  const { named } = world(['TSCO.LON'])
  const { reparse } = named('quote:TSCO.LON')
  const alone = { ...JSON.parse(payload('global-quote-london').toString()), unitsPerCurrency: 100 }
  expect(reparse(Buffer.from(JSON.stringify(alone))).facts[0]).toMatchObject({ event: { price: 4.537 } })
  expect(() => reparse(payload('global-quote-london'))).toThrow(expect.objectContaining({ code: 'VENDOR_ANSWER' }))
})

describe('an answer of which nothing can be read', () => {
  const free = { isPremium: false, requestsPerDay: 25 }
  const unpriced = (answer: Buffer) =>
    Buffer.from(answer.toString().replaceAll(/("(?:05. price|1. open)": )"[^"]*"/g, '$1[]'))
  const mangled = (answer: Buffer) => Buffer.from(withOtherTypes(answer.toString()))

  test.each(['quote:IBM', 'bars:IBM:5min'])('is asked for again before the next day: %s', async (name) => {
    const answer = await world(['IBM'], free, unpriced).named(name).ask(undefined, never)
    expect(answer).toMatchObject({ facts: [], isUnread: true })
    expect(answer.rejects.length).toBeGreaterThan(0)
  })

  test.each(['quote:TSCO.LON', 'description:TSCO.LON'])('does not make a symbol unknown: %s', async (name) => {
    await expect(world(['TSCO.LON'], free, mangled).named(name).ask(undefined, never)).rejects.toMatchObject({
      code: 'VENDOR_ANSWER',
      original: expect.any(Buffer),
    })
  })
})

test('a symbol that no list of ours holds is described', async () => {
  const { named, described, feeds } = world(['IBM', 'TSCO.LON'])
  expect(feeds.some(({ name }) => name === 'description:IBM')).toBe(false)
  await named('description:TSCO.LON').ask(undefined, never)
  expect(described).toEqual([expect.objectContaining({ symbol: 'TSCO.LON', name: 'Tesco PLC', currency: 'GBP' })])
})

test('a function that the plan does not include is asked for once, and not for each symbol', async () => {
  const clock = new ManualClock(MONDAY_NOON_MS)
  const http = toldHttp(() => payload('notice-premium'), clock.now)
  const client = new AlphaVantageClient(http)
  for (const symbol of ['IBM', 'AAPL', 'MSFT'])
    await expect(client.bars(symbol, '5min', never)).rejects.toMatchObject({ code: 'VENDOR_REFUSED', ofKey: false })
  expect(http.asked).toHaveLength(1)
})

test('whenever a quote was asked for, there is a later time to ask for the next', () => {
  const quote = world(['IBM']).named('quote:IBM')
  for (let hour = 0; hour < 24 * 7; hour++) {
    const askedMs = MONDAY_NOON_MS + hour * HOUR_MS
    expect(quote.dueMs(askedMs, askedMs)).toBeGreaterThan(askedMs)
  }
})
