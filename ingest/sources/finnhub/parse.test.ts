import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { article } from '../../../domain/article.ts'
import { quoteSnapshot } from '../../../domain/quote-snapshot.ts'
import { expectParserPromises } from '../../../tests/support/vendors/parser-promises.ts'
import { parseNews, parseQuote } from './parse.ts'
import { fromFinnhub, isStreamed, toFinnhub } from './symbols.ts'

const NOW_MS = Date.parse('2026-11-20T21:30:00Z')
const payload = (name: string) => readFileSync(new URL(`payloads/${name}.json`, import.meta.url))
const changed = (name: string, from: string, to: string) => Buffer.from(payload(name).toString().replace(from, to))

describe('a quote', () => {
  const read = (body: Buffer) => parseQuote(body, 'AAPL', NOW_MS)

  test('is as of its own second', () => {
    expect(read(payload('quote')).facts).toEqual([
      {
        symbol: 'AAPL',
        source: 'finnhub',
        licence: 'PERSONAL',
        price: 253.4,
        previousClose: 251.3,
        dayVolume: null,
        eventTimeMs: Date.parse('2026-11-20T21:20:00Z'),
        ingestTimeMs: NOW_MS,
        delayed: false,
      },
    ])
  })

  test('of zeros is of a symbol that Finnhub does not know', () => {
    expect(() => read(payload('quote-unknown'))).toThrow(expect.objectContaining({ code: 'VENDOR_UNKNOWN' }))
  })

  test('without a close of the day before has none', () => {
    expect(read(changed('quote', '"pc": 251.3', '"pc": 0')).facts[0]?.previousClose).toBeNull()
  })

  test('of zero dollars is put aside', () => {
    const { facts, rejects } = read(changed('quote', '"c": 253.4', '"c": 0'))
    expect(facts).toEqual([])
    expect(rejects[0]?.reason).toBe('quote[0]: Quote snapshot price must be above 0, was 0')
  })
})

describe('news', () => {
  test('of a company is about it, as plain text', () => {
    expect(parseNews(payload('company-news'), NOW_MS).facts[0]).toMatchObject({
      id: 'finnhub:137402511',
      kind: 'NEWS',
      headline: "Apple's services grow again",
      summary: 'Services revenue rose 12% & margins held.',
      publisher: 'Reuters',
      publishedAtMs: Date.parse('2026-11-20T20:00:00Z'),
      symbols: ['AAPL'],
      vendorSentiment: null,
    })
  })

  test('without a publisher is told by Finnhub', () => {
    expect(parseNews(payload('company-news'), NOW_MS).facts[1]?.publisher).toBe('Finnhub')
  })

  test('names instruments by the symbols that we know them by', () => {
    expect(parseNews(payload('general-news'), NOW_MS).facts[1]?.symbols).toEqual(['BTC-USD', 'COIN', 'EUR-USD'])
  })

  test('item by item: a bad one is put aside and those beside it are told', () => {
    const { facts, rejects } = parseNews(changed('company-news', '137402511', '"137402511"'), NOW_MS)
    expect(facts).toHaveLength(1)
    expect(rejects[0]?.reason).toMatch(/^news\[0\]: id: /)
  })
})

describe('an error inside of HTTP 200', () => {
  test.each([
    ['error-key', 'VENDOR_REFUSED', true],
    ['error-access', 'VENDOR_REFUSED', false],
    ['error-limit', 'VENDOR_LIMIT', false],
  ])('%s is %s', (name, code, ofKey) => {
    expect(() => parseNews(payload(name), NOW_MS)).toThrow(expect.objectContaining({ code, ofKey }))
  })
})

describe('symbols', () => {
  test.each([
    ['BRK.B', 'BRK.B'],
    ['BTC-USD', 'COINBASE:BTC-USD'],
    ['BTC-USDT', 'BINANCE:BTCUSDT'],
    ['EUR-USD', 'OANDA:EUR_USD'],
  ])('%s is %s there', (symbol, name) => {
    expect(toFinnhub(symbol)).toBe(name)
    expect(fromFinnhub(name)).toBe(symbol)
  })

  test('are followed over the socket but for coins, whose venues are read themselves', () => {
    expect(['AAPL', 'BRK.B', 'EUR-USD', 'BTC-USD', 'ETH-USDT', 'TSCO.LON', '^GSPC'].filter(isStreamed)).toEqual([
      'AAPL',
      'BRK.B',
      'EUR-USD',
    ])
  })

  test('of other venues are none that we could have asked for', () => {
    expect(fromFinnhub('KRAKEN:XXBTZUSD')).toBeUndefined()
  })
})

test('no quote, however mangled, is told unless it is valid', () => {
  expectParserPromises(payload('quote'), (body) => parseQuote(body, 'AAPL', NOW_MS), quoteSnapshot)
})

test('no news, however mangled, is told unless it is valid', () => {
  for (const name of ['company-news', 'general-news'])
    expectParserPromises(payload(name), (body) => parseNews(body, NOW_MS), article)
})
