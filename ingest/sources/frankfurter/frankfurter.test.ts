import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { observation } from '../../../domain/observation.ts'
import { quoteSnapshot } from '../../../domain/quote-snapshot.ts'
import { systemClock } from '../../../platform/clock.ts'
import { silentLog } from '../../../platform/log.ts'
import { openMetrics } from '../../../platform/metrics.ts'
import { expectParserPromises } from '../../../tests/support/vendors/parser-promises.ts'
import type { PolledCheckpoint } from '../../polling/feed-progress.ts'
import type { SourceBatch } from '../../source.ts'
import { frankfurter } from './frankfurter.ts'
import { parseRates } from './parse.ts'

const payload = readFileSync(new URL('payloads/rates.json', import.meta.url))
const NOW_MS = Date.UTC(2026, 10, 20, 20)

test('each rate is an observation known from its day on; the currency against itself is none', () => {
  const { observations } = parseRates(payload, [], NOW_MS)
  expect(observations.rejects).toEqual([])
  expect(observations.facts).toHaveLength(4)
  expect(observations.facts.at(-2)).toMatchObject({
    series: { seriesId: 'ECB.EURUSD', unit: 'USD per EUR', frequency: 'DAILY', licence: 'REDISTRIBUTABLE' },
    date: '2026-11-20',
    vintage: '2026-11-20',
    value: 1.1575,
    releasedAtMs: Date.UTC(2026, 10, 20, 15),
  })
})

test('the newest rate of a pair is its quote, the other way round where the pair is', () => {
  const { quotes } = parseRates(payload, ['EUR-USD', 'GBP-EUR'], NOW_MS)
  expect(quotes).toMatchObject([
    { symbol: 'EUR-USD', price: 1.1575, delayed: true, eventTimeMs: Date.UTC(2026, 10, 20, 15) },
    { symbol: 'GBP-EUR', price: 1 / 0.8805 },
  ])
})

test('a row that is wrong is put aside with its place and its bytes, and the others go on', () => {
  const rows = [
    ...JSON.parse(payload.toString()),
    { date: '2026-13-40', base: 'EUR', quote: 'CHF', rate: 0.93 },
    { rate: 1 },
  ]
  const { observations } = parseRates(Buffer.from(JSON.stringify(rows)), [], NOW_MS)
  expect(observations.facts).toHaveLength(4)
  expect(observations.rejects.map(({ reason }) => reason)).toEqual([
    expect.stringContaining('[5]: Observation date must be a date like 2026-11-20'),
    expect.stringContaining('[6]: date'),
  ])
})

test('no payload, however mangled, makes the parser break its promises', () => {
  const read = (body: Buffer) => parseRates(body, ['EUR-USD', 'GBP-EUR'], NOW_MS)
  expectParserPromises(payload, (body) => read(body).observations, observation)
  expectParserPromises(payload, (body) => ({ facts: read(body).quotes, rejects: [] }), quoteSnapshot)
})

test('it reads a year at its first start, goes on from its checkpoint, and outlives an outage', async () => {
  const asked: URL[] = []
  let isAway = true
  const server = createServer((request, response) => {
    asked.push(new URL(request.url ?? '/', 'http://vendor'))
    if (isAway) response.writeHead(503).end()
    else response.writeHead(200, { 'content-type': 'application/json' }).end(payload)
    isAway = false
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const first = await readOne(url)
  expect(first.facts).toHaveLength(5)
  const from = asked[0].searchParams.get('from') ?? ''
  expect((Date.now() - Date.parse(from)) / 86_400_000).toBeGreaterThan(364)
  expect(first.checkpoint).toMatchObject({ feeds: { 'ecb-rates': { cursor: { newest: '2026-11-20' } } } })
  const { 'ecb-rates': progress } = first.checkpoint.feeds
  await readOne(url, { feeds: { 'ecb-rates': { ...progress, askedMs: 0 } } })
  expect(asked.at(-1)?.searchParams.get('from')).toBe('2026-11-20')
})

async function readOne(http: string, from?: PolledCheckpoint): Promise<SourceBatch<PolledCheckpoint>> {
  const source = frankfurter.open({
    settings: { variables: {}, symbols: ['EUR-USD'], urls: { frankfurter: { http } } },
    clock: systemClock,
    log: silentLog,
    metrics: openMetrics(),
    quotas: { load: async () => undefined, save: async () => {} },
    interest: { current: () => new Map() },
    tellsUsTrades: false,
    describe: async () => {},
    tellPlan: () => {},
    tellTrouble: () => {},
    tellLack: () => {},
  })
  const stop = new AbortController()
  for await (const batch of source.read(from, stop.signal)) return batch as SourceBatch<PolledCheckpoint>
  throw new Error('The source ended before it told anything')
}
