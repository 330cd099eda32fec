import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { article } from '../../../domain/article.ts'
import { historicalBar } from '../../../domain/historical-bar.ts'
import { quoteSnapshot } from '../../../domain/quote-snapshot.ts'
import { expectParserPromises } from '../../../tests/support/vendors/parser-promises.ts'
import { parseBars, parseQuote } from './parse.ts'
import { parseNews } from './parse-news.ts'
import { parseSearch } from './parse-search.ts'

const NOW_MS = Date.parse('2026-11-23T16:00:00Z')
const payload = (name: string) => readFileSync(new URL(`payloads/${name}.json`, import.meta.url))
const changed = (name: string, from: string, to: string) => Buffer.from(payload(name).toString().replaceAll(from, to))
const ibm = { symbol: 'IBM', unitsPerCurrency: 1 }

describe('a quote', () => {
  const read = (body: Buffer, nowMs = NOW_MS, asked = ibm) => parseQuote(body, asked, nowMs)

  test('is as of the close of its day in New York', () => {
    expect(read(payload('global-quote')).facts).toEqual([
      {
        symbol: 'IBM',
        source: 'alpha-vantage',
        licence: 'PERSONAL',
        price: 253.47,
        previousClose: 250.98,
        dayVolume: 3_412_077,
        eventTimeMs: Date.parse('2026-11-20T21:00:00Z'),
        ingestTimeMs: NOW_MS,
        delayed: true,
      },
    ])
  })

  test('of a day with an early close is as of that', () => {
    const { facts } = read(changed('global-quote', '2026-11-20', '2026-11-27'), Date.parse('2026-11-28T12:00:00Z'))
    expect(facts[0]?.eventTimeMs).toBe(Date.parse('2026-11-27T18:00:00Z'))
  })

  test('of a day that still trades is as of now, less the delay that its key names', () => {
    expect(read(changed('global-quote', '2026-11-20', '2026-11-23')).facts[0]?.eventTimeMs).toBe(NOW_MS)
    expect(read(payload('global-quote-delayed')).facts[0]).toMatchObject({
      eventTimeMs: NOW_MS - 15 * 60_000,
      delayed: true,
    })
  })

  test('in real time is not delayed', () => {
    const { facts } = read(changed('global-quote', 'Global Quote', 'Global Quote - REALTIME'))
    expect(facts[0]?.delayed).toBe(false)
  })

  test('of tomorrow is put aside', () => {
    const { facts, rejects } = read(changed('global-quote', '2026-11-20', '2026-11-24'))
    expect(facts).toEqual([])
    expect(rejects[0]?.reason).toContain('event time')
  })

  test('of a London line in pence is in pounds, as of the close in London', () => {
    const asked = { symbol: 'TSCO.LON', unitsPerCurrency: 100 }
    expect(read(payload('global-quote-london'), NOW_MS, asked).facts[0]).toMatchObject({
      price: 4.537,
      previousClose: 4.523,
      eventTimeMs: Date.parse('2026-11-20T16:30:00Z'),
    })
  })

  test('that is empty means that the symbol is unknown', () => {
    expect(() => read(payload('global-quote-unknown'))).toThrow(expect.objectContaining({ code: 'VENDOR_UNKNOWN' }))
  })

  test('of another symbol than was asked for is put aside', () => {
    const { facts, rejects } = read(changed('global-quote', 'IBM', 'MSFT'))
    expect(facts).toEqual([])
    expect(rejects[0]?.reason).toBe('Global Quote[0]: it is about MSFT, IBM was asked for')
  })

  test('of a price of zero is put aside with its bytes', () => {
    const body = changed('global-quote', '253.4700', '0.0000')
    const [reject] = read(body).rejects
    expect(reject?.reason).toContain('price must be above 0')
    expect(JSON.parse(reject?.original.toString() ?? '')).toEqual(JSON.parse(body.toString()))
  })

  test('of a first day has no previous close', () => {
    expect(read(changed('global-quote', '250.9800', '0.0000')).facts[0]?.previousClose).toBeNull()
  })

  test('however mangled never breaks the parser', () => {
    for (const name of ['global-quote', 'global-quote-delayed', 'notice-per-day'])
      expectParserPromises(payload(name), (body) => read(body), quoteSnapshot)
  })
})

describe('intraday bars', () => {
  const read = (body: Buffer, nowMs = NOW_MS) => parseBars(body, 'IBM', nowMs)

  test('are told oldest first, at their start in the zone of the answer', () => {
    const { facts } = read(payload('intraday-5min'))
    expect(facts.map(({ startMs }) => new Date(startMs).toISOString())).toEqual([
      '2026-11-20T20:50:00.000Z',
      '2026-11-20T20:55:00.000Z',
      '2026-11-21T00:55:00.000Z',
    ])
    expect(facts[0]).toMatchObject({ symbol: 'IBM', interval: '5m', open: 253.2, close: 253.31, volume: 120_884 })
  })

  test('leave out the bar that is still being made', () => {
    const { facts, rejects } = read(payload('intraday-5min'), Date.parse('2026-11-21T00:59:59Z'))
    expect([facts.length, rejects.length]).toEqual([2, 0])
  })

  test('that cannot be are put aside one by one', () => {
    const { facts, rejects } = read(changed('intraday-5min', '"2. high": "253.5000"', '"2. high": "1"'))
    expect([facts.length, rejects.length]).toEqual([2, 1])
    expect(rejects[0]?.reason).toMatch(/^Time Series \(5min\)\[1\]: Historical bar high/)
  })

  test('in a zone that nobody knows cannot be read at all', () => {
    expect(() => read(changed('intraday-5min', 'US/Eastern', 'Mars/Olympus'))).toThrow(
      expect.objectContaining({ code: 'VENDOR_ANSWER' }),
    )
  })

  test('however mangled never break the parser', () => {
    expectParserPromises(payload('intraday-5min'), (body) => read(body), historicalBar)
  })
})

describe('news', () => {
  const read = (body: Buffer) => parseNews(body, NOW_MS)

  test('name instruments by our symbols, the most relevant first', () => {
    expect(read(payload('news-sentiment')).facts[0]).toMatchObject({
      headline: 'IBM & partners open a quantum centre',
      summary: 'The centre is the first of its kind.',
      url: 'https://www.example.com/ibm-quantum',
      publisher: 'Example Wire',
      publishedAtMs: Date.parse('2026-11-20T14:30:00Z'),
      symbols: ['IBM', 'BRK.B', 'USD-JPY', 'BTC-USD'],
      vendorSentiment: 0.212,
    })
  })

  test('keep the mood where only its word is told', () => {
    expect(read(payload('news-sentiment')).facts[1]).toMatchObject({ vendorSentiment: -0.25, symbols: [] })
  })

  test('of which there are none are an empty answer', () => {
    expect(read(payload('notice-no-articles'))).toEqual({ facts: [], rejects: [] })
  })

  test('of one page have one id, however its address is written', () => {
    const ids = [payload('news-sentiment'), changed('news-sentiment', '/?utm_source=feed#top', '?fbclid=1')].map(
      (body) => read(body).facts[0]?.id,
    )
    expect(ids[0]).toMatch(/^alpha-vantage:[0-9a-f]{32}$/)
    expect(ids[1]).toBe(ids[0])
  })

  test('with a bad item go on without it', () => {
    const { facts, rejects } = read(changed('news-sentiment', '20261120T143000', 'yesterday'))
    expect([facts.length, rejects.length]).toEqual([1, 1])
    expect(rejects[0]?.reason).toBe('feed[0]: time_published must be like 20261120T143000, was yesterday')
  })

  test('however mangled never break the parser', () => {
    expectParserPromises(payload('news-sentiment'), (body) => read(body), article)
  })
})

describe('a search', () => {
  test('describes instruments, and says which are told in pence', () => {
    expect(parseSearch(payload('symbol-search'), NOW_MS).facts).toEqual([
      {
        symbol: 'TSCO.LON',
        name: 'Tesco PLC',
        assetClass: 'EQUITY',
        currency: 'GBP',
        unitsPerCurrency: 100,
        region: 'United Kingdom',
        match: 0.8889,
      },
      expect.objectContaining({ symbol: 'TSCDF', currency: 'USD', unitsPerCurrency: 1 }),
    ])
  })

  test('however mangled never breaks the parser', () => {
    expectParserPromises(
      payload('symbol-search'),
      (body) => parseSearch(body, NOW_MS),
      (found) => found,
    )
  })
})
