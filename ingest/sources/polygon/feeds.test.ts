import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../../platform/clock.ts'
import { toldHttp } from '../../../tests/support/vendors/told-http.ts'
import type { FeedCursor } from '../../polling/feed.ts'
import type { VendorRequest } from '../../resilience/vendor-http.ts'
import { PolygonClient } from './client.ts'
import { errorIn } from './errors.ts'
import { feedsOf } from './feeds.ts'

/** Ten in the morning of a Monday in New York. */
const MONDAY_MS = Date.parse('2026-11-23T15:00:00Z')
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const never = new AbortController().signal
const payload = (name: string) => readFileSync(new URL(`payloads/${name}.json`, import.meta.url))
const nothing = Buffer.from('{"ticker":"AAPL","status":"OK","resultsCount":0}')

function refusal(name: string): Error {
  const error = errorIn(JSON.parse(payload(name).toString()), payload(name))
  if (!error) throw new Error(`${name} is no error`)
  return error
}

/** One ticker that closes at so much, on a day that grouped daily is asked for. */
const marketDay = ({ path }: VendorRequest, close: number) => {
  const t = Date.parse(`${path.slice(-10)}T21:00:00Z`)
  return Buffer.from(JSON.stringify({ status: 'OK', results: [{ T: 'AAPL', o: 1, h: 400, l: 1, c: close, v: 5, t }] }))
}

function world(symbols: readonly string[], answer: (request: VendorRequest) => Buffer, isPaid = false) {
  const clock = new ManualClock(MONDAY_MS)
  const http = toldHttp(answer, clock.now)
  const feeds = feedsOf(symbols, { client: new PolygonClient(http), isPaid, now: clock.now })
  const named = (name: string) => {
    const feed = feeds.find((each) => each.name === name)
    if (!feed) throw new Error(`there is no feed ${name}, but ${feeds.map((each) => each.name).join(', ')}`)
    return feed
  }
  const ask = (name: string, cursor?: FeedCursor) => named(name).ask(cursor, never)
  const due = (name: string, askedAt: string) =>
    new Date(named(name).dueMs(clock.now(), Date.parse(askedAt))).toISOString()
  const paths = () => http.asked.map(({ path }) => path)
  return { clock, http, feeds, ask, due, paths }
}

test('the whole market is one feed, and each stock has its days and minutes', () => {
  const { feeds } = world(['AAPL', 'BRK.B', 'BTC-USD', 'EUR-USD', 'TSCO.LON'], () => nothing)
  expect(feeds.map(({ name, cost }) => [name, cost])).toEqual([
    ['news', 1],
    ['market-days', 2],
    ['days:AAPL', 1],
    ['minutes:AAPL', 1],
    ['days:BRK.B', 1],
    ['minutes:BRK.B', 1],
  ])
})

test('where there is no stock, only news are asked for', () => {
  expect(world(['BTC-USD'], () => nothing).feeds.map(({ name }) => name)).toEqual(['news'])
})

describe('a day of the market', () => {
  const grouped = (date: string) => `/v2/aggs/grouped/locale/us/market/stocks/${date}`

  test('is told as bars and as quotes that know the close before', async () => {
    const closes = [240, 250]
    const { ask, paths } = world(['AAPL', 'MSFT'], (request) => marketDay(request, closes.shift() ?? 0))
    const { facts, cursor } = await ask('market-days')
    expect(paths()).toEqual(['2026-11-19', '2026-11-20'].map(grouped))
    expect(facts).toMatchObject([
      { topic: 'stock-history', event: { symbol: 'AAPL', close: 240, startMs: Date.parse('2026-11-19') } },
      { topic: 'stock-history', event: { symbol: 'AAPL', close: 250, startMs: Date.parse('2026-11-20') } },
      {
        topic: 'stock-quotes',
        event: {
          symbol: 'AAPL',
          price: 250,
          previousClose: 240,
          dayVolume: 5,
          eventTimeMs: Date.parse('2026-11-20T21:00:00Z'),
          delayed: true,
        },
      },
    ])
    expect(cursor).toEqual({ date: '2026-11-20' })
  })

  test('is asked for once it has ended in New York, also where the bell rang early', () => {
    const { due } = world(['AAPL'], () => nothing)
    expect(due('market-days', '2026-11-23T15:00:00Z')).toBe('2026-11-24T08:30:00.000Z')
    expect(due('market-days', '2026-11-27T12:00:00Z')).toBe('2026-11-28T05:30:00.000Z')
  })

  test('that was missed is had, one after the other', async () => {
    const { ask, paths } = world(['AAPL'], (request) => marketDay(request, 1))
    let cursor: FeedCursor | undefined = { date: '2026-11-17' }
    for (const date of ['2026-11-18', '2026-11-19', '2026-11-20']) {
      const answer = await ask('market-days', cursor)
      cursor = answer.cursor
      expect(answer).toMatchObject({ cursor: { date }, goesOn: date !== '2026-11-20' })
    }
    expect(paths()).toHaveLength(6)
    expect(await ask('market-days', cursor)).toEqual({ facts: [], rejects: [] })
    expect(paths()).toHaveLength(6)
  })

  test('long ago is left to the days of each stock', async () => {
    const { ask, paths } = world(['AAPL'], (request) => marketDay(request, 1))
    await ask('market-days', { date: '2026-03-02' })
    expect(paths()).toEqual(['2026-11-19', '2026-11-20'].map(grouped))
  })

  test('that is not there yet is asked for again, and no quote is made without it', async () => {
    const { ask } = world(['AAPL'], (request) =>
      request.path.endsWith('2026-11-20') ? Buffer.from('{"status":"OK","resultsCount":0}') : marketDay(request, 1),
    )
    await expect(ask('market-days')).rejects.toMatchObject({ code: 'VENDOR_ANSWER', message: /no 2026-11-20 yet/ })
  })

  test('on which nobody traded after all is passed over once the next one is there', async () => {
    const { ask } = world(['AAPL'], (request) =>
      request.path.endsWith('2026-11-19') ? Buffer.from('{"status":"OK","resultsCount":0}') : marketDay(request, 1),
    )
    expect((await ask('market-days', { date: '2026-11-18' })).cursor).toEqual({ date: '2026-11-19' })
  })

  test('that is asked for too early is asked for again, and not taken for one that the plan does not include', async () => {
    let isTooEarly = true
    const { ask } = world(['AAPL'], (request) => {
      if (isTooEarly) throw refusal('error-early')
      return marketDay(request, 1)
    })
    await expect(ask('market-days')).rejects.toMatchObject({ code: 'VENDOR_ANSWER', original: undefined })
    isTooEarly = false
    expect((await ask('market-days')).cursor).toEqual({ date: '2026-11-20' })
  })
})

describe('the days of a stock', () => {
  test('are two years, and the last of them is a quote', async () => {
    const { ask, http } = world(['AAPL'], () =>
      Buffer.from(
        payload('aggregates')
          .toString()
          .replace(/,\s*"next_url[^}]*/, ''),
      ),
    )
    const { facts } = await ask('days:AAPL')
    expect(http.asked).toEqual([
      {
        path: '/v2/aggs/ticker/AAPL/range/1/day/2024-11-28/2026-11-20',
        query: { adjusted: 'true', sort: 'asc', limit: 50_000 },
      },
    ])
    expect(facts.map(({ topic }) => topic)).toEqual(['stock-history', 'stock-history', 'stock-quotes'])
    expect(facts[2]).toMatchObject({ event: { price: 253.4, previousClose: 251.3 } })
  })

  test('are read again after a month, for the splits', () => {
    expect(world(['AAPL'], () => nothing).due('days:AAPL', '2026-11-01T00:00:00Z')).toBe('2026-12-01T00:00:00.000Z')
  })

  test('of a symbol that Polygon does not know are none', async () => {
    const { ask } = world(['NEVR'], () => payload('aggregates-empty'))
    expect((await ask('days:NEVR')).facts).toEqual([])
  })

  test('go on at the same address, whatever host is told', async () => {
    const { ask, http } = world(['AAPL'], () => payload('aggregates'))
    expect((await ask('days:AAPL')).goesOn).toBe(true)
    // Its answer leads to itself, which is noticed.
    await expect(ask('days:AAPL')).rejects.toMatchObject({ code: 'VENDOR_ANSWER' })
    expect(http.asked[1]).toEqual({
      path: '/v2/aggs/ticker/AAPL/range/1/day/1795150800000/2026-11-20',
      query: { cursor: 'bGltaXQ9MiZzb3J0PWFzYw' },
    })
  })
})

describe('the minutes of a stock', () => {
  test('are for free those of days that have ended', async () => {
    const { ask, paths } = world(['AAPL'], () => payload('aggregates-minutes'))
    const from = Date.parse('2026-11-19T21:00:00Z')
    const eightInTheEvening = Date.parse('2026-11-21T01:00:00Z')
    const { facts, cursor } = await ask('minutes:AAPL')
    expect(paths()).toEqual([`/v2/aggs/ticker/AAPL/range/1/minute/${from}/${eightInTheEvening}`])
    expect(facts).toHaveLength(2)
    expect(cursor).toEqual({ newestMs: Date.parse('2026-11-20T14:31:00Z') })
  })

  test('go on from the newest that was told, up to a month back', async () => {
    const { ask, paths } = world(['AAPL'], () => nothing)
    const newestMs = Date.parse('2026-11-18T20:59:00Z')
    expect((await ask('minutes:AAPL', { newestMs })).cursor).toEqual({ newestMs })
    await ask('minutes:AAPL', { newestMs: MONDAY_MS - 90 * DAY_MS })
    expect(paths().map((path) => Number(path.split('/').at(-2)))).toEqual([
      newestMs - 5 * MINUTE_MS,
      MONDAY_MS - 30 * DAY_MS,
    ])
  })

  test('are for a plan that is paid those of today, a quarter of an hour late', async () => {
    const { ask, paths, due } = world(['AAPL'], () => nothing, true)
    await ask('minutes:AAPL')
    expect(paths()[0]).toMatch(new RegExp(`/${MONDAY_MS - 15 * MINUTE_MS}$`))
    expect(due('minutes:AAPL', '2026-11-23T15:00:00Z')).toBe('2026-11-23T15:15:00.000Z')
    expect(world(['AAPL'], () => nothing).due('minutes:AAPL', '2026-11-23T15:00:00Z')).toBe('2026-11-24T08:30:00.000Z')
  })
})

test('what the plan does not include is asked for once, and not for each stock', async () => {
  const { ask, paths } = world(['AAPL', 'MSFT'], ({ path }) => {
    if (path.includes('minute')) throw refusal('error-plan')
    return nothing
  })
  for (const symbol of ['AAPL', 'MSFT'])
    await expect(ask(`minutes:${symbol}`)).rejects.toMatchObject({ code: 'VENDOR_REFUSED', ofKey: false })
  await ask('days:MSFT')
  expect(paths()).toHaveLength(2)
})

describe('news', () => {
  const withoutMore = () =>
    Buffer.from(
      payload('news')
        .toString()
        .replace(/,\s*"next_url[^}]*/, ''),
    )

  test('are all that there are, of a day at first and then since a while before the newest', async () => {
    const { ask, http } = world([], withoutMore)
    const { facts, cursor } = await ask('news')
    expect(facts).toHaveLength(2)
    await ask('news', cursor)
    expect(http.asked.map(({ query }) => query?.['published_utc.gte'])).toEqual([
      '2026-11-22T15:00:00.000Z',
      '2026-11-20T17:33:53.000Z',
    ])
  })

  test('go on page by page, and are at their end with the last', async () => {
    let pages = 0
    const { ask, http } = world([], () => (pages++ === 0 ? payload('news') : withoutMore()))
    expect((await ask('news')).cursor).toBeUndefined()
    expect((await ask('news')).cursor).toEqual({ newestMs: Date.parse('2026-11-20T18:33:53Z') })
    expect(http.asked[1]).toEqual({ path: '/v2/reference/news', query: { cursor: 'YXA9MjAyNi0xMS0yMA' } })
  })

  test('that say to be of the future keep away none of the present', async () => {
    const future = () => Buffer.from(withoutMore().toString().replaceAll('2026-11-20T', '2026-11-23T'))
    const { ask } = world([], future)
    expect((await ask('news')).cursor).toEqual({ newestMs: MONDAY_MS })
  })

  test('are asked for every ten minutes, and each minute where the plan is paid', () => {
    const due = (isPaid: boolean) => world([], () => nothing, isPaid).due('news', '2026-11-22T03:00:00Z')
    expect([due(false), due(true)]).toEqual(['2026-11-22T03:10:00.000Z', '2026-11-22T03:01:00.000Z'])
  })
})

test('what was put aside is read again as what it is', () => {
  const { feeds } = world(['AAPL'], () => nothing)
  const factsOf = (name: string, of: string) => feeds.find((feed) => feed.name === name)?.reparse(payload(of)).facts
  expect(factsOf('market-days', 'grouped')).toHaveLength(1)
  expect(factsOf('days:AAPL', 'aggregates')).toHaveLength(2)
  expect(factsOf('minutes:AAPL', 'aggregates-minutes')).toHaveLength(2)
  expect(factsOf('news', 'news')).toHaveLength(2)
})
