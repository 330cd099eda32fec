import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { article } from '../../../domain/article.ts'
import { historicalBar } from '../../../domain/historical-bar.ts'
import { expectParserPromises } from '../../../tests/support/vendors/parser-promises.ts'
import { errorIn, isTooEarly } from './errors.ts'
import { fromPolygon, parseBars, parseMarketDay, parseNews, parseTrades } from './parse.ts'

const NOW_MS = Date.parse('2026-11-23T15:00:00Z')
const payload = (name: string) => readFileSync(new URL(`payloads/${name}.json`, import.meta.url))
const day = (iso: string) => Date.parse(`${iso}T00:00:00Z`)

describe('aggregates of one ticker', () => {
  test('are its days, with where they go on', () => {
    const { facts, nextUrl } = parseBars(payload('aggregates'), '1d', NOW_MS)
    expect(facts.map(({ startMs }) => startMs)).toEqual([day('2026-11-19'), day('2026-11-20')])
    expect(facts[1]).toMatchObject({
      symbol: 'AAPL',
      interval: '1d',
      open: 251,
      high: 254,
      low: 250.2,
      close: 253.4,
      volume: 39_812_345,
      trades: 489_000,
      source: 'polygon',
    })
    expect(nextUrl).toMatch(/^https:\/\/api\.polygon\.io\/.*cursor=/)
  })

  test('leave out the day that is still being made', () => {
    expect(parseBars(payload('aggregates'), '1d', Date.parse('2026-11-20T20:00:00Z')).facts).toHaveLength(1)
  })

  test('of a minute begin at the minute', () => {
    const { facts } = parseBars(payload('aggregates-minutes'), '1m', NOW_MS)
    expect(facts.map(({ interval, startMs }) => [interval, new Date(startMs).toISOString()])).toEqual([
      ['1m', '2026-11-20T14:30:00.000Z'],
      ['1m', '2026-11-20T14:31:00.000Z'],
    ])
    expect(parseBars(payload('aggregates-minutes'), '1m', Date.parse('2026-11-20T14:31:59Z')).facts).toHaveLength(1)
  })

  test('may be none', () => {
    expect(parseBars(payload('aggregates-empty'), '1d', NOW_MS)).toEqual({ facts: [], rejects: [], nextUrl: undefined })
  })
})

describe('a day of the whole market', () => {
  test('is read as far as it is wanted', () => {
    const wanted = new Set(['AAPL', 'BRK.B'])
    const { facts, rejects, tickers } = parseMarketDay(payload('grouped'), (symbol) => wanted.has(symbol), NOW_MS)
    expect(tickers).toBe(3)
    expect(facts.map(({ symbol, startMs }) => [symbol, startMs])).toEqual([
      ['AAPL', day('2026-11-20')],
      ['BRK.B', day('2026-11-20')],
    ])
    expect(rejects).toEqual([])
  })

  test('puts aside what nobody can say whether it is wanted', () => {
    const body = Buffer.from('{"status":"OK","results":[{"o":1}]}')
    expect(parseMarketDay(body, () => false, NOW_MS).rejects).toHaveLength(1)
  })
})

describe('news', () => {
  test('has the mean mood of the tickers that it was told for', () => {
    const { facts, nextUrl } = parseNews(payload('news'), NOW_MS)
    expect(facts[0]).toMatchObject({
      publisher: 'Investing.com',
      summary: 'Analysts say "more" is to come.',
      symbols: ['UBS', 'AAPL', 'BTC-USD'],
      vendorSentiment: 0.5,
    })
    expect(facts[1]?.vendorSentiment).toBeNull()
    expect(nextUrl).toContain('cursor=')
  })
})

describe('an error', () => {
  test('that a day is asked for before its end will pass, and that of a plan will not', () => {
    const errorNamed = (name: string) => errorIn(JSON.parse(payload(name).toString()), payload(name))
    expect(['error-early', 'error-plan'].map(errorNamed).map((error) => error && isTooEarly(error))).toEqual([
      true,
      false,
    ])
  })

  test.each([
    ['error-key', 'VENDOR_REFUSED', true],
    ['error-plan', 'VENDOR_REFUSED', false],
    ['error-early', 'VENDOR_REFUSED', false],
    ['error-limit', 'VENDOR_LIMIT', false],
  ])('%s is %s, whatever the status says', (name, code, ofKey) => {
    expect(() => parseNews(payload(name), NOW_MS)).toThrow(expect.objectContaining({ code, ofKey }))
  })
})

test.each([
  ['X:BTCUSD', 'BTC-USD'],
  ['C:EURUSD', 'EUR-USD'],
  ['BRK.B', 'BRK.B'],
])('%s is %s here', (ticker, symbol) => expect(fromPolygon(ticker)).toBe(symbol))

test('nothing, however mangled, is told unless it is valid', () => {
  expectParserPromises(payload('aggregates'), (body) => parseBars(body, '1d', NOW_MS), historicalBar)
  expectParserPromises(payload('aggregates-minutes'), (body) => parseBars(body, '1m', NOW_MS), historicalBar)
  expectParserPromises(payload('grouped'), (body) => parseMarketDay(body, () => true, NOW_MS), historicalBar)
  expectParserPromises(
    payload('trades'),
    (body) => parseTrades(body, 'AAPL'),
    (print) => print,
  )
  expectParserPromises(payload('news'), (body) => parseNews(body, NOW_MS), article)
})
