import { expect, test } from 'vitest'
import { ManualClock } from '../clock.ts'
import { silentLog } from '../log.ts'
import { openMetrics } from '../metrics.ts'
import { Watchers } from './watchers.ts'

interface Held {
  readonly holder: string
  readonly watchers: Readonly<Record<string, number>>
  readonly forMs: number
}

function open() {
  const clock = new ManualClock()
  const metrics = openMetrics()
  const held: Held[] = []
  const store = {
    away: false,
    hold: async (
      holder: string,
      interest: ReadonlyMap<string, { alertRules: number; watchers: number }>,
      forMs: number,
    ) => {
      if (store.away) throw new Error('away')
      expect([...interest.values()].every(({ alertRules }) => alertRules === 0)).toBe(true)
      held.push({
        holder,
        forMs,
        watchers: Object.fromEntries([...interest].map(([key, { watchers }]) => [key, watchers])),
      })
    },
  }
  const told = () => held.map(({ watchers }) => watchers)
  return { clock, metrics, store, held, told, watchers: new Watchers({ store, clock, metrics, log: silentLog }) }
}

const ROUND_MS = 15_000

test('who listens is told every 15 s, and is believed for 60 s', async () => {
  const { clock, held, watchers } = open()
  watchers.watch(['AAPL', 'MSFT'])
  watchers.watch(['AAPL'])
  await clock.advance(ROUND_MS - 1)
  expect(held).toEqual([])
  await clock.advance(1)
  await clock.advance(ROUND_MS)
  const one = { holder: held[0].holder, watchers: { AAPL: 2, MSFT: 1 }, forMs: 60_000 }
  expect(held).toEqual([one, one])
})

test('nothing is told while nobody watches', async () => {
  const { clock, held } = open()
  await clock.advance(10 * ROUND_MS)
  expect(held).toEqual([])
})

test('who leaves is told once, then nothing more', async () => {
  const { clock, told, watchers } = open()
  const leave = watchers.watch(['AAPL'])
  await clock.advance(ROUND_MS)
  await leave()
  await clock.advance(5 * ROUND_MS)
  expect(told()).toEqual([{ AAPL: 1 }, {}])
})

test('leaving twice counts once', async () => {
  const { clock, told, watchers } = open()
  watchers.watch(['AAPL'])
  const leave = watchers.watch(['AAPL'])
  await leave()
  await leave()
  await clock.advance(ROUND_MS)
  expect(told()).toEqual([{ AAPL: 1 }])
})

test('what could not be told is told by the next round', async () => {
  const { clock, store, told, watchers } = open()
  store.away = true
  watchers.watch(['AAPL'])
  await clock.advance(ROUND_MS)
  store.away = false
  await clock.advance(ROUND_MS)
  expect(told()).toEqual([{ AAPL: 1 }])
})

test('a process that stops takes back what it told', async () => {
  const { clock, told, watchers } = open()
  watchers.watch(['AAPL'])
  await clock.advance(ROUND_MS)
  await watchers[Symbol.asyncDispose]()
  expect(told()).toEqual([{ AAPL: 1 }, {}])
  expect(clock.sleeping).toBe(0)
})

test('two processes tell under two names', async () => {
  const [first, second] = [open(), open()]
  for (const { clock, watchers } of [first, second]) {
    watchers.watch(['AAPL'])
    await clock.advance(ROUND_MS)
  }
  expect(first.held[0].holder).not.toBe(second.held[0].holder)
})

test('over the bound those with the fewest watchers are left out, and counted', async () => {
  const { clock, metrics, told, watchers } = open()
  watchers.watch(Array.from({ length: 10_001 }, (_, i) => `S${i}`))
  watchers.watch(Array.from({ length: 10_000 }, (_, i) => `S${i + 1}`))
  await clock.advance(ROUND_MS)
  expect(Object.keys(told()[0])).toHaveLength(10_000)
  expect(told()[0]).not.toHaveProperty('S0')
  expect((await metrics.watchedSymbols.get()).values).toEqual([
    { labels: { state: 'told' }, value: 10_000 },
    { labels: { state: 'left_out' }, value: 1 },
  ])
})
