import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { historicalBar } from '../../../domain/historical-bar.ts'
import { quoteSnapshot } from '../../../domain/quote-snapshot.ts'
import { expectParserPromises } from '../../../tests/support/vendors/parser-promises.ts'
import { fromTwelveData, parseQuote, parseSeries, toTwelveData } from './parse.ts'

const NOW_MS = Date.parse('2026-11-21T10:00:30Z')
const payload = (name: string) => readFileSync(new URL(`payloads/${name}.json`, import.meta.url))
const changed = (name: string, from: string, to: string) => Buffer.from(payload(name).toString().replace(from, to))
const iso = (ms: number | undefined) => new Date(ms ?? Number.NaN).toISOString()

describe('a quote', () => {
  test('has its numbers as text, and is as of the last one that came', () => {
    expect(parseQuote(payload('quote'), NOW_MS).facts).toEqual([
      {
        symbol: 'AAPL',
        source: 'twelve-data',
        licence: 'PERSONAL',
        price: 253.41,
        previousClose: 251.3,
        dayVolume: 39_812_345,
        eventTimeMs: Date.parse('2026-11-20T20:59:00Z'),
        ingestTimeMs: NOW_MS,
        delayed: false,
      },
    ])
  })

  test('of an open market that does not say when is as of now, not as of when its day began', () => {
    const body = Buffer.from(
      payload('quote')
        .toString()
        .replace(/"last_quote_at": \d+,/, ''),
    )
    expect(iso(parseQuote(body, NOW_MS).facts[0]?.eventTimeMs)).toBe('2026-11-20T14:30:00.000Z')
    const open = Buffer.from(body.toString().replace('"is_market_open": false', '"is_market_open": true'))
    expect(parseQuote(open, NOW_MS).facts[0]?.eventTimeMs).toBe(NOW_MS)
  })

  test('with words for a number is put aside', () => {
    const { facts, rejects } = parseQuote(changed('quote', '"253.41000"', '"n/a"'), NOW_MS)
    expect(facts).toEqual([])
    expect(rejects[0]?.reason).toBe('quote[0]: close: expected a number written as text')
  })
})

describe('a series', () => {
  test('of minutes is in UTC', () => {
    const { facts } = parseSeries(payload('series-minutes'), '1m', NOW_MS)
    expect(facts.map(({ symbol, startMs }) => [symbol, iso(startMs)])).toEqual([
      ['AAPL', '2026-11-20T20:58:00.000Z'],
      ['AAPL', '2026-11-20T20:59:00.000Z'],
    ])
  })

  test('of currencies has no volume', () => {
    const { facts } = parseSeries(payload('series-days'), '1d', NOW_MS)
    expect(facts.map(({ symbol, startMs, volume }) => [symbol, iso(startMs), volume])).toEqual([
      ['EUR-USD', '2026-11-19T00:00:00.000Z', 0],
      ['EUR-USD', '2026-11-20T00:00:00.000Z', 0],
    ])
  })

  test('leaves out the bar that is still being made', () => {
    expect(parseSeries(payload('series-minutes'), '1m', Date.parse('2026-11-20T20:59:30Z')).facts).toHaveLength(1)
  })
})

describe('an error', () => {
  test.each([
    ['error-key', { code: 'VENDOR_REFUSED', ofKey: true }],
    ['error-plan', { code: 'VENDOR_REFUSED', ofKey: false }],
    ['error-symbol', { code: 'VENDOR_UNKNOWN' }],
    ['error-minute', { code: 'VENDOR_LIMIT', retryAtMs: Date.parse('2026-11-21T10:01:00Z') }],
    ['error-day', { code: 'VENDOR_LIMIT', retryAtMs: Date.parse('2026-11-22T00:00:00Z') }],
  ])('%s inside of HTTP 200 is an error', (name, error) => {
    expect(() => parseQuote(payload(name), NOW_MS)).toThrow(expect.objectContaining(error))
    expect(() => parseSeries(payload(name), '1m', NOW_MS)).toThrow(expect.objectContaining(error))
  })
})

test('pairs have a slash there and a dash here', () => {
  expect(toTwelveData('BTC-USD')).toBe('BTC/USD')
  expect(fromTwelveData('BTC/USD')).toBe('BTC-USD')
  expect(toTwelveData('BRK.B')).toBe('BRK.B')
})

test('nothing, however mangled, is told unless it is valid', () => {
  expectParserPromises(payload('quote'), (body) => parseQuote(body, NOW_MS), quoteSnapshot)
  expectParserPromises(payload('series-minutes'), (body) => parseSeries(body, '1m', NOW_MS), historicalBar)
  expectParserPromises(payload('series-days'), (body) => parseSeries(body, '1d', NOW_MS), historicalBar)
})
