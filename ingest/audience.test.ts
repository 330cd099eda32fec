import { expect, test } from 'vitest'
import { tick } from '../domain/tick.ts'
import { openMetrics } from '../platform/metrics.ts'
import { toldTo } from './audience.ts'
import type { Source } from './source.ts'

const print = (source: string) =>
  tick({ symbol: 'BTC-USD', price: 1, size: 1, eventTimeMs: 1, ingestTimeMs: 1, seq: 1, source, position: 1 })

const told: Source = {
  name: 'mixed',
  async *read() {
    yield { ticks: [print('coinbase:BTC-USD'), print('simulated')], facts: [], rejects: [], checkpoint: 7 }
  },
}

async function ticksOf(source: Source) {
  const sources: string[] = []
  for await (const batch of source.read(undefined, new AbortController().signal))
    sources.push(...batch.ticks.map((tick) => tick.source), `at ${batch.checkpoint}`)
  return sources
}

test('whoever runs the platform is told everything', async () => {
  expect(await ticksOf(toldTo('personal', told, openMetrics()))).toEqual(['coinbase:BTC-USD', 'simulated', 'at 7'])
})

test('the public is told only what may be redistributed; the rest is counted and passed over', async () => {
  const metrics = openMetrics()
  expect(await ticksOf(toldTo('public', told, metrics))).toEqual(['simulated', 'at 7'])
  expect((await metrics.ingestWithheld.get()).values).toMatchObject([{ value: 1, labels: { source: 'mixed' } }])
})
