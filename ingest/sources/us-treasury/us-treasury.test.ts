import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { observation } from '../../../domain/observation.ts'
import { systemClock } from '../../../platform/clock.ts'
import { silentLog } from '../../../platform/log.ts'
import { openMetrics } from '../../../platform/metrics.ts'
import { MemoryQuotas } from '../../../tests/support/vendors/memory-quotas.ts'
import { expectParserPromises } from '../../../tests/support/vendors/parser-promises.ts'
import { VendorServer } from '../../../tests/support/vendors/vendor-server.ts'
import type { PolledCheckpoint } from '../../polling/feed-progress.ts'
import type { SourceBatch } from '../../source.ts'
import { parseParYields } from './parse.ts'
import { usTreasury } from './us-treasury.ts'

const payload = readFileSync(new URL('payloads/par-yields.xml', import.meta.url))
const NOW_MS = Date.UTC(2026, 10, 23, 20)

test('each maturity of a day is an observation; what was not sold that day is none', () => {
  const { facts, rejects } = parseParYields(payload, NOW_MS)
  expect(rejects).toEqual([])
  expect(facts.map(({ date, series, value }) => `${date} ${series.seriesId} ${value}`)).toEqual([
    '2026-11-19 UST.BC_1MONTH 3.95',
    '2026-11-19 UST.BC_2YEAR 3.56',
    '2026-11-19 UST.BC_10YEAR 4.1',
    '2026-11-19 UST.BC_30YEAR 4.72',
    '2026-11-20 UST.BC_2YEAR 3.51',
    '2026-11-20 UST.BC_10YEAR 4.06',
    '2026-11-20 UST.BC_30YEAR 4.71',
  ])
  expect(facts[2]).toMatchObject({
    series: { title: 'Par yield of U.S. Treasuries: 10 years', unit: 'Percent', licence: 'REDISTRIBUTABLE' },
    releasedAtMs: Date.parse('2026-11-19T20:30:00Z'),
  })
})

test('a day that is wrong is put aside whole, and the others go on', () => {
  const { facts, rejects } = parseParYields(Buffer.from(payload.toString().replace('>4.1<', '>N/A<')), NOW_MS)
  expect(facts).toHaveLength(3)
  expect(rejects.map(({ reason }) => reason)).toEqual([expect.stringContaining('entry[0]: ')])
})

test.each([
  ['its date', '2026-11-19T00:00:00', '<was>2026-11-19T00:00:00</was>', 'd:NEW_DATE must be a day'],
  ['a yield', '>3.95<', '><was>3.95</was><', 'd:BC_1MONTH must be a number'],
])('a day that does not tell %s as it should is put aside, and not taken to have none', (_what, good, bad, why) => {
  const { facts, rejects } = parseParYields(Buffer.from(payload.toString().replace(good, bad)), NOW_MS)
  expect(facts).toHaveLength(3)
  expect(rejects.map(({ reason }) => reason)).toEqual([expect.stringContaining(why)])
})

test('no payload, however mangled, makes the parser break its promises', () => {
  expectParserPromises(payload, (body) => parseParYields(body, NOW_MS), observation)
})

test('it reads two years at its first start, and the month from then on', async () => {
  const asked: string[] = []
  await using server = await VendorServer.start({
    answer: ({ query }) => {
      asked.push(query.get('field_tdr_date_value') ?? query.get('field_tdr_date_value_month') ?? '')
      return { body: payload }
    },
  })
  const first = await readOne(server.url)
  const { 'par-yields': progress } = first.checkpoint.feeds
  await readOne(server.url, { feeds: { 'par-yields': { ...progress, askedMs: 0 } } })
  expect(asked).toEqual([
    expect.stringMatching(/^\d{4}$/),
    expect.stringMatching(/^\d{4}$/),
    expect.stringMatching(/^\d{6}$/),
  ])
  expect(Number(asked[1]) - Number(asked[0])).toBe(1)
})

async function readOne(http: string, from?: PolledCheckpoint): Promise<SourceBatch<PolledCheckpoint>> {
  const source = usTreasury.open({
    settings: { variables: {}, symbols: [], urls: { 'us-treasury': { http } } },
    clock: systemClock,
    log: silentLog,
    metrics: openMetrics(),
    quotas: new MemoryQuotas(),
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
