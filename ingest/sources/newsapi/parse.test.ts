import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { article } from '../../../domain/article.ts'
import { NameMatcher } from '../../../domain/name-matcher.ts'
import { expectParserPromises } from '../../../tests/support/vendors/parser-promises.ts'
import { errorOf, parseArticles } from './parse.ts'

const NOW_MS = Date.parse('2026-11-21T15:00:00Z')
const payload = (name: string) => readFileSync(new URL(`payloads/${name}.json`, import.meta.url))
const changed = (name: string, from: string, to: string) => Buffer.from(payload(name).toString().replaceAll(from, to))
const names = new NameMatcher([
  { symbol: 'IBM', name: 'International Business Machines Corporation', aliases: ['IBM'] },
  { symbol: 'GS', name: 'The Goldman Sachs Group, Inc.', aliases: [] },
  { symbol: 'AAPL', name: 'Apple Inc.', aliases: ['Apple'] },
  { symbol: 'TGT', name: 'Target Corporation', aliases: ['Target'] },
])
const read = (body: Buffer) => parseArticles(body, names, NOW_MS)

test('an article names the instruments of its headline, then those of its description', () => {
  expect(read(payload('everything')).facts[0]).toEqual({
    id: expect.stringMatching(/^newsapi:[0-9a-f]{32}$/),
    source: 'newsapi',
    licence: 'DELAYED',
    kind: 'NEWS',
    headline: 'Apple beats forecasts',
    summary: 'Apple Inc. told more than analysts at Goldman Sachs expected.',
    url: 'https://example.com/apple-beats',
    publisher: 'Example Wire',
    language: 'en',
    publishedAtMs: Date.parse('2026-11-20T14:30:00Z'),
    ingestTimeMs: NOW_MS,
    symbols: ['AAPL', 'GS'],
    vendorSentiment: null,
    filing: null,
  })
})

test('fields that are null are empty, and a nameless publisher is its host', () => {
  const { facts } = read(payload('everything'))
  expect(facts[1]).toMatchObject({ summary: '', publisher: 'The Example', symbols: ['IBM'] })
  expect(facts[2]).toMatchObject({
    headline: 'Target for the year: growth - and calm',
    publisher: 'quiet.example.org',
    symbols: [],
  })
})

test('what its publisher has withdrawn is no article and no error', () => {
  const { facts, rejects, found } = read(payload('everything'))
  expect([facts.length, rejects.length, found]).toEqual([3, 0, 4])
})

test('headlines carry their publisher, which is taken off', () => {
  expect(read(payload('top-headlines')).facts[0]).toMatchObject({
    headline: 'Stocks close higher',
    url: 'https://news.example.com/stocks',
  })
})

test('one page is one article, whoever sent its readers', () => {
  const ids = [payload('everything'), changed('everything', '/?utm_source=newsapi', '#top')].map(
    (body) => read(body).facts[0]?.id,
  )
  expect(ids[0]).toBe(ids[1])
})

test('an item that cannot be read is put aside, the others go on', () => {
  const { facts, rejects } = read(changed('everything', '2026-11-20T13:05:12Z', 'last week'))
  expect([facts.length, rejects.length]).toEqual([2, 1])
  expect(rejects[0]?.reason).toMatch(/^articles\[1\]: /)
})

test.each([
  ['error-401-apiKeyInvalid', 'VENDOR_REFUSED', true],
  ['error-401-apiKeyExhausted', 'VENDOR_LIMIT', false],
  ['error-429-rateLimited', 'VENDOR_LIMIT', false],
  ['error-426-maximumResultsReached', 'VENDOR_REFUSED', false],
  ['error-400-parameterInvalid', 'VENDOR_ANSWER', false],
  ['error-500-unexpectedError', 'VENDOR_UNAVAILABLE', false],
])('%s is %s, also within an answer that claims to be fine', (name, code, ofKey) => {
  expect(errorOf(payload(name))).toMatchObject({ code, ofKey })
  expect(() => read(payload(name))).toThrow(expect.objectContaining({ code, ofKey }))
})

test('an error page that is not theirs is left to its status', () => {
  expect(errorOf(Buffer.from('<html>502</html>'))).toBeUndefined()
  expect(errorOf(Buffer.from('null'))).toBeUndefined()
})

test('an answer however mangled never breaks the parser', () => {
  for (const name of ['everything', 'top-headlines', 'error-429-rateLimited'])
    expectParserPromises(payload(name), read, article)
})
