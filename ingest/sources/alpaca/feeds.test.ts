import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../../platform/clock.ts'
import { toldHttp } from '../../../tests/support/vendors/told-http.ts'
import type { FeedCursor } from '../../polling/feed.ts'
import type { VendorRequest } from '../../resilience/vendor-http.ts'
import { VendorError } from '../../vendor-error.ts'
import { AlpacaClient } from './client.ts'
import { errorIn } from './errors.ts'
import { feedsOf } from './feeds.ts'

/** Ten in the morning of a Monday in New York. */
const MONDAY_MS = Date.parse('2026-11-23T15:00:00Z')
const MINUTE_MS = 60_000
const never = new AbortController().signal
const payload = (name: string) => readFileSync(new URL(`payloads/${name}.json`, import.meta.url))
const nothing = Buffer.from('{"bars":{},"next_page_token":null}')

function refusal(name: string): VendorError {
  const error = errorIn(JSON.parse(payload(name).toString()), payload(name))
  if (!error) throw new Error(`${name} is no error`)
  return error
}

const usual = ({ path }: VendorRequest): Buffer => {
  if (path.endsWith('/snapshots')) return payload('snapshots')
  return path.endsWith('/news') ? payload('news') : nothing
}

function world(symbols: readonly string[], answer: (request: VendorRequest) => Buffer = usual) {
  const clock = new ManualClock(MONDAY_MS)
  const http = toldHttp(answer, clock.now)
  const leftOut: string[] = []
  const client = new AlpacaClient(http, (symbol) => leftOut.push(symbol))
  const feeds = feedsOf(symbols, { client, now: clock.now })
  const named = (name: string) => {
    const feed = feeds.find((each) => each.name === name)
    if (!feed) throw new Error(`there is no feed ${name}, but ${feeds.map((each) => each.name).join(', ')}`)
    return feed
  }
  /** Asks, and again as long as it is due at once, as its source would; answers where it goes on. */
  const askAll = async (name: string, from?: FeedCursor) => {
    const feed = named(name)
    let cursor = from
    do cursor = (await feed.ask(cursor, never)).cursor ?? cursor
    while (feed.dueMs(clock.now(), clock.now()) <= clock.now() && http.asked.length < 50)
    return cursor
  }
  const asked = () => http.asked.map(({ query }) => query ?? {})
  return { clock, http, feeds, named, askAll, asked, leftOut }
}

const iso = (timeMs: number) => new Date(timeMs).toISOString()
const manySymbols = (count: number) =>
  Array.from({ length: count }, (_, i) => `S${String.fromCharCode(65 + Math.floor(i / 26), 65 + (i % 26))}`)

describe('quotes', () => {
  test('of a hundred symbols are one request', async () => {
    const { feeds, named, http } = world(manySymbols(250))
    const quotes = feeds.filter(({ name }) => name.startsWith('quotes'))
    expect(quotes.map(({ name, cost }) => [name, cost])).toEqual([
      ['quotes-1', 1],
      ['quotes-2', 1],
      ['quotes-3', 1],
    ])
    await named('quotes-3').ask(undefined, never)
    expect(http.asked).toHaveLength(1)
    expect(String(http.asked[0].query?.symbols).split(',')).toHaveLength(50)
  })

  test('are asked for each minute of trading, once more after the bell, and not before the next opening', () => {
    const { dueMs } = world(['AAPL']).named('quotes-1')
    const due = (text: string) => iso(dueMs(0, Date.parse(text)))
    expect(due('2026-11-23T15:00:00Z')).toBe('2026-11-23T15:01:00.000Z')
    expect(due('2026-11-23T20:59:30Z')).toBe('2026-11-23T21:30:00.000Z')
    expect(due('2026-11-23T21:30:00Z')).toBe('2026-11-24T14:30:00.000Z')
  })

  test('are of one exchange, as they are now', async () => {
    const { named, asked } = world(['AAPL', 'BRK.B'])
    const { facts } = await named('quotes-1').ask(undefined, never)
    expect(facts).toMatchObject([{ topic: 'stock-quotes', event: { symbol: 'AAPL', price: 253.41, delayed: false } }])
    expect(asked()).toEqual([{ symbols: 'AAPL,BRK.B', feed: 'iex' }])
  })
})

test('nothing is asked for that is no US stock', () => {
  expect(world(['BTC-USD', 'EUR-USD', 'TSCO.LON', '^GSPC']).feeds.map(({ name }) => name)).toEqual(['news'])
})

describe('bars of a minute', () => {
  test('of new symbols are those since the session before, and never younger than a quarter of an hour', async () => {
    const { asked, askAll } = world(['AAPL', 'MSFT'])
    await askAll('bars-1m')
    expect(asked()).toEqual([
      {
        symbols: 'AAPL,MSFT',
        timeframe: '1Min',
        start: '2026-11-19T21:00:00.000Z',
        end: '2026-11-23T14:44:00.000Z',
        limit: 10_000,
        adjustment: 'split',
        feed: 'sip',
        sort: 'asc',
        page_token: undefined,
      },
    ])
  })

  test('go on where they were, with those that are late', async () => {
    const { clock, asked, askAll } = world(['AAPL'])
    const cursor = await askAll('bars-1m')
    await clock.advance(5 * MINUTE_MS)
    await askAll('bars-1m', cursor)
    expect(asked()[1]).toMatchObject({ start: '2026-11-23T14:39:00.000Z', end: '2026-11-23T14:49:00.000Z' })
  })

  test('that were missed for days are had, up to a month back', async () => {
    const { clock, asked, askAll } = world(['AAPL'])
    const cursor = await askAll('bars-1m')
    await clock.advance(9 * 1_440 * MINUTE_MS)
    await askAll('bars-1m', cursor)
    await clock.advance(90 * 1_440 * MINUTE_MS)
    await askAll('bars-1m', cursor)
    expect(asked()[1].start).toBe('2026-11-23T14:39:00.000Z')
    expect(asked()[2].start).toBe(iso(clock.now() - 30 * 1_440 * MINUTE_MS))
  })

  test('of a symbol that joins are read without reading those of the others again', async () => {
    const before = await world(['AAPL', 'MSFT']).askAll('bars-1m')
    const { asked, askAll } = world(['AAPL', 'MSFT', 'TSLA'])
    const cursor = await askAll('bars-1m', before)
    expect(asked().map(({ symbols }) => symbols)).toEqual(['TSLA'])
    expect(Object.keys(cursor ?? {}).toSorted()).toEqual(['AAPL', 'MSFT', 'TSLA'])
  })

  test('of more symbols than a request may name are asked for in several', async () => {
    const { asked, askAll } = world(manySymbols(250))
    await askAll('bars-1m')
    const names = asked().map(({ symbols }) => String(symbols).split(','))
    expect(names.map((each) => each.length)).toEqual([100, 100, 50])
    expect(new Set(names.flat()).size).toBe(250)
  })

  test('are read page by page, and count as read once all pages are', async () => {
    const { named, asked, clock } = world(['AAPL', 'BRK.B'], ({ query }) =>
      query?.page_token === undefined ? payload('bars') : nothing,
    )
    const bars = named('bars-1m')
    const first = await bars.ask(undefined, never)
    expect(first.facts).toHaveLength(3)
    expect([first.cursor, first.goesOn]).toEqual([undefined, true])
    expect(bars.dueMs(clock.now(), clock.now())).toBe(clock.now())
    const second = await bars.ask(undefined, never)
    expect(second.cursor).toEqual({ AAPL: MONDAY_MS - 16 * MINUTE_MS, 'BRK.B': MONDAY_MS - 16 * MINUTE_MS })
    expect(asked()[1].page_token).toBe('QUFQTHxNfDIwMjYtMTEtMjBUMTQ6MzE6MDBa')
  })

  test('are asked for every five minutes of trading', async () => {
    const { named, askAll } = world(['AAPL'])
    await askAll('bars-1m')
    const due = (text: string) => iso(named('bars-1m').dueMs(0, Date.parse(text)))
    expect(due('2026-11-23T15:00:00Z')).toBe('2026-11-23T15:05:00.000Z')
    expect(due('2026-11-23T20:58:00Z')).toBe('2026-11-23T21:30:00.000Z')
  })

  test('are those of one exchange where the plan does not include all', async () => {
    const { named, asked, clock, askAll } = world(['AAPL'], ({ query }) => {
      if (query?.feed === 'sip') throw refusal('error-subscription')
      return nothing
    })
    const cursor = await askAll('bars-1m')
    await clock.advance(5 * MINUTE_MS)
    await askAll('bars-1m', cursor)
    expect(asked().map(({ feed }) => feed)).toEqual(['sip', 'iex', 'iex'])
    expect(named('bars-1m').cost).toBe(2)
  })

  test('are asked for no more with a key that is refused', async () => {
    const { named, asked } = world(['AAPL'], () => {
      throw refusal('error-key')
    })
    await expect(named('bars-1m').ask(undefined, never)).rejects.toMatchObject({ code: 'VENDOR_REFUSED', ofKey: true })
    expect(asked()).toHaveLength(1)
  })
})

describe('bars of a day', () => {
  test('are read whole after every day, because a split changes them all', async () => {
    const { clock, asked, askAll, named } = world(['AAPL'])
    const cursor = await askAll('bars-1d')
    expect(asked()[0]).toMatchObject({ timeframe: '1Day', start: '2024-11-22T15:00:00.000Z', adjustment: 'split' })
    expect(iso(named('bars-1d').dueMs(0, clock.now()))).toBe('2026-11-24T05:00:00.000Z')
    await clock.advance(14 * 60 * MINUTE_MS)
    await named('bars-1d').ask(cursor, never)
    expect(asked()[1].start).toBe('2024-11-23T05:00:00.000Z')
  })

  test('are not read again because a symbol joins', async () => {
    const before = await world(['AAPL']).askAll('bars-1d')
    const { asked, askAll } = world(['AAPL', 'TSLA'])
    await askAll('bars-1d', before)
    expect(asked().map(({ symbols }) => symbols)).toEqual(['TSLA'])
    const { http, named } = world(['AAPL'])
    expect(await named('bars-1d').ask(before, never)).toEqual({ facts: [], rejects: [], goesOn: false })
    expect(http.asked).toEqual([])
  })
})

describe('a symbol that Alpaca does not know', () => {
  const knows = (unknown: string) =>
    world(['AAPL', unknown, 'MSFT'], ({ query, path }) => {
      if (String(query?.symbols).split(',').includes(unknown))
        throw new VendorError('VENDOR_UNKNOWN', `Alpaca says: invalid symbol: ${unknown}`)
      return path.endsWith('/snapshots') ? payload('snapshots') : nothing
    })

  test('is left out, and the others are told', async () => {
    const { named, asked, leftOut } = knows('NOPE')
    expect((await named('quotes-1').ask(undefined, never)).facts).toHaveLength(1)
    await named('bars-1m').ask(undefined, never)
    expect(asked().map(({ symbols }) => symbols)).toEqual(['AAPL,NOPE,MSFT', 'AAPL,MSFT', 'AAPL,MSFT'])
    expect(leftOut).toEqual(['NOPE'])
  })

  test('and that is the only one is the end of its feed', async () => {
    const { named } = world(['NOPE'], () => {
      throw new VendorError('VENDOR_UNKNOWN', 'Alpaca says: invalid symbol: NOPE')
    })
    await expect(named('quotes-1').ask(undefined, never)).rejects.toMatchObject({ code: 'VENDOR_UNKNOWN' })
  })
})

describe('news', () => {
  test('are all that there are, of a day at first and then since a while before the last look', async () => {
    const { clock, named, asked } = world(['AAPL'])
    const first = await named('news').ask(undefined, never)
    expect(first.facts.map(({ topic }) => topic)).toEqual(['news-data', 'news-data'])
    await clock.advance(MINUTE_MS)
    await named('news').ask(first.cursor, never)
    expect(asked()).toEqual(
      ['2026-11-22T15:00:00.000Z', '2026-11-23T14:45:00.000Z'].map((start) => ({
        start,
        sort: 'asc',
        limit: 50,
        page_token: undefined,
      })),
    )
  })

  test('are asked for each minute, day and night', () => {
    const { dueMs } = world([]).named('news')
    const sunday = Date.parse('2026-11-22T03:00:00Z')
    expect(dueMs(sunday, sunday)).toBe(sunday + MINUTE_MS)
  })
})

test('what was put aside is read again as what it is', () => {
  const { named } = world(['AAPL'])
  expect(named('quotes-1').reparse(payload('snapshots')).facts).toHaveLength(1)
  expect(named('bars-1m').reparse(payload('bars')).facts).toHaveLength(3)
  expect(named('bars-1d').reparse(payload('bars-daily')).facts).toHaveLength(2)
  expect(named('news').reparse(payload('news')).facts).toHaveLength(2)
})
