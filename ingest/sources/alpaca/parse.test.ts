import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { article } from '../../../domain/article.ts'
import { historicalBar } from '../../../domain/historical-bar.ts'
import { quoteSnapshot } from '../../../domain/quote-snapshot.ts'
import { expectParserPromises } from '../../../tests/support/vendors/parser-promises.ts'
import { errorIn, errorOf, symbolsIn } from './errors.ts'
import { fromAlpaca, parseBars, parseNews, parseSnapshots, parseTrades } from './parse.ts'

const NOW_MS = Date.parse('2026-11-23T15:00:00Z')
const payload = (name: string) => readFileSync(new URL(`payloads/${name}.json`, import.meta.url))
const changed = (name: string, from: string, to: string) => Buffer.from(payload(name).toString().replace(from, to))

describe('bars', () => {
  test('of several symbols are told with where the list goes on', () => {
    const { facts, nextPageToken } = parseBars(payload('bars'), '1m', NOW_MS)
    expect(facts.map(({ symbol, startMs }) => [symbol, new Date(startMs).toISOString()])).toEqual([
      ['AAPL', '2026-11-20T14:30:00.000Z'],
      ['AAPL', '2026-11-20T14:31:00.000Z'],
      ['BRK.B', '2026-11-20T14:30:00.000Z'],
    ])
    expect(facts[0]).toMatchObject({ open: 253.2, high: 253.45, low: 253.1, close: 253.3, volume: 12_345, trades: 88 })
    expect(nextPageToken).toBe('QUFQTHxNfDIwMjYtMTEtMjBUMTQ6MzE6MDBa')
  })

  test('of days begin at midnight UTC of the day that it was in New York', () => {
    const { facts, nextPageToken } = parseBars(payload('bars-daily'), '1d', NOW_MS)
    expect(facts.map(({ startMs }) => new Date(startMs).toISOString())).toEqual([
      '2026-11-19T00:00:00.000Z',
      '2026-11-20T00:00:00.000Z',
    ])
    expect(nextPageToken).toBeUndefined()
  })

  test('that are still being made are left out', () => {
    expect(parseBars(payload('bars'), '1m', Date.parse('2026-11-20T14:31:30Z')).facts).toHaveLength(2)
    expect(parseBars(payload('bars-daily'), '1d', Date.parse('2026-11-20T22:00:00Z')).facts).toHaveLength(1)
  })

  test('of nothing are none', () => {
    const { facts, rejects } = parseBars(Buffer.from('{"bars":null,"next_page_token":null}'), '1m', NOW_MS)
    expect([facts, rejects]).toEqual([[], []])
  })

  test('that are wrong are put aside with where they were', () => {
    const { facts, rejects } = parseBars(changed('bars', '253.45', '252'), '1m', NOW_MS)
    expect(facts).toHaveLength(2)
    expect(rejects[0]?.reason).toMatch(/^bars\.AAPL\[0\]: Historical bar high must be the highest/)
  })
})

describe('snapshots', () => {
  test('give the last trade, and leave out what never traded', () => {
    expect(parseSnapshots(payload('snapshots'), NOW_MS)).toEqual({
      facts: [
        {
          symbol: 'AAPL',
          source: 'alpaca',
          licence: 'PERSONAL',
          price: 253.41,
          previousClose: 251.3,
          dayVolume: null,
          eventTimeMs: Date.parse('2026-11-20T20:59:59.123Z'),
          ingestTimeMs: NOW_MS,
          delayed: false,
        },
      ],
      rejects: [],
    })
  })
})

describe('news', () => {
  test('is about the instruments that it names', () => {
    expect(parseNews(payload('news'), NOW_MS).facts[0]).toMatchObject({
      id: 'alpaca:24843171',
      publisher: 'Benzinga',
      publishedAtMs: Date.parse('2026-11-20T22:11:03Z'),
      symbols: ['AAPL', 'BTC-USD', 'BRK.B'],
    })
  })

  test('that has no page of its own leads to its publisher', () => {
    expect(parseNews(payload('news'), NOW_MS).facts[1]?.url).toBe('https://www.benzinga.com')
  })
})

test.each([
  ['error-key', 'VENDOR_REFUSED', true],
  ['error-subscription', 'VENDOR_REFUSED', false],
  ['error-symbol', 'VENDOR_UNKNOWN', false],
])('%s is %s', (name, code, ofKey) => {
  expect(errorIn(JSON.parse(payload(name).toString()), payload(name))).toMatchObject({ code, ofKey })
})

test('an error that comes with status 200 is one too', () => {
  for (const parse of [parseSnapshots, parseNews, (body: Buffer, nowMs: number) => parseBars(body, '1m', nowMs)])
    for (const name of ['error-key', 'error-subscription'])
      expect(() => parse(payload(name), NOW_MS)).toThrow(expect.objectContaining({ code: 'VENDOR_REFUSED' }))
})

describe('after too many requests', () => {
  const limited = (headers: Readonly<Record<string, string>>) =>
    errorOf({ status: 429, headers, body: Buffer.from('{"message":"too many requests."}'), receivedAtMs: NOW_MS })
  const seconds = (ms: number) => String(ms / 1_000)

  test('it is asked again when its own header says so', () => {
    const retryAtMs = NOW_MS + 42_000
    expect(limited({ 'x-ratelimit-reset': seconds(retryAtMs) })).toMatchObject({ code: 'VENDOR_LIMIT', retryAtMs })
  })

  test.each([
    ['does not say when', {}],
    ['says a time that has passed', { 'x-ratelimit-reset': seconds(NOW_MS - 1_000) }],
    ['says a time that cannot be', { 'x-ratelimit-reset': seconds(NOW_MS * 1_000) }],
    ['says no time', { 'x-ratelimit-reset': 'soon' }],
  ])('it is left alone for a while where it %s', (_case, headers) => {
    expect(limited(headers)).toMatchObject({ code: 'VENDOR_LIMIT', retryAtMs: undefined })
  })
})

test('an error says which of the symbols it means', () => {
  const asked = ['AAPL', 'BRK.B', 'BRK', 'NOPE']
  expect(symbolsIn('Alpaca says: invalid symbol: BRK.B', asked)).toEqual(['BRK.B'])
  expect(symbolsIn('code=400, message=invalid symbols: NOPE,AAPL.', asked)).toEqual(['AAPL', 'NOPE'])
  expect(symbolsIn('invalid symbol', asked)).toEqual([])
})

test.each([
  ['BTC/USD', 'BTC-USD'],
  ['ETHUSDT', 'ETH-USDT'],
  ['AAPL', 'AAPL'],
  ['USD', 'USD'],
  ['BRK.B', 'BRK.B'],
])('%s is %s here', (name, symbol) => expect(fromAlpaca(name)).toBe(symbol))

test('nothing, however mangled, is told unless it is valid', () => {
  expectParserPromises(payload('bars'), (body) => parseBars(body, '1m', NOW_MS), historicalBar)
  expectParserPromises(payload('bars-daily'), (body) => parseBars(body, '1d', NOW_MS), historicalBar)
  expectParserPromises(payload('snapshots'), (body) => parseSnapshots(body, NOW_MS), quoteSnapshot)
  expectParserPromises(payload('trades'), parseTrades, (print) => print)
  expectParserPromises(payload('news'), (body) => parseNews(body, NOW_MS), article)
})
