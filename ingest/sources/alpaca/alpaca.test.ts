import { expect, test } from 'vitest'
import { alpacaStreamCase } from '../../../tests/support/vendors/alpaca.ts'
import { fastClock } from '../../../tests/support/vendors/fast-clock.ts'
import { MemoryQuotas } from '../../../tests/support/vendors/memory-quotas.ts'
import { CaseReader, openCase } from '../../../tests/support/vendors/polled-reader.ts'
import { StreamServer } from '../../../tests/support/vendors/stream-server.ts'
import { STREAMED_SYMBOLS_MAX } from './stream.ts'

const PATIENCE = { timeout: 20_000, interval: 20 }
const { startMs, timesFaster, besidePaths = [] } = alpacaStreamCase

async function worldOf(symbols = alpacaStreamCase.symbols) {
  const clock = fastClock({ startMs, realStartMs: Date.now(), timesFaster })
  const server = await StreamServer.start({ fake: alpacaStreamCase.fake(), symbols, besidePaths, clock })
  const lacks: (string | undefined)[] = []
  const source = openCase(
    { ...alpacaStreamCase, symbols },
    {
      url: server.http.url,
      socketUrl: server.url,
      clock,
      quotas: new MemoryQuotas(),
      logged: () => undefined,
      lacking: (lack) => lacks.push(lack),
    },
  )
  const reader = new CaseReader(source)
  const articles = () => reader.facts.filter(({ topic }) => topic === 'news-data')
  const asked = (path: string) => server.http.arrivals.filter((arrival) => arrival.path === path).length
  return {
    server,
    reader,
    articles,
    asked,
    lacks,
    async [Symbol.asyncDispose]() {
      await reader.stop()
      await server[Symbol.asyncDispose]()
    },
  }
}

test('news comes over a socket of its own, also after it was cut', async () => {
  await using world = await worldOf()
  await expect.poll(() => world.articles().length, PATIENCE).toBeGreaterThan(2)
  const before = world.articles().length
  world.server.cut()
  await expect.poll(() => world.articles().length, PATIENCE).toBeGreaterThan(before + 2)
})

test('whoever is refused the sockets has quotes, bars and news all the same', async () => {
  await using world = await worldOf()
  world.server.fail({ kind: 'refuse', status: 403 })
  world.server.cut()
  await expect.poll(() => world.lacks.at(-1), PATIENCE).toMatch(/refused at the door.*; .*refused at the door/)
  const before = world.asked('/v2/stocks/snapshots')
  await expect.poll(() => world.asked('/v2/stocks/snapshots'), PATIENCE).toBeGreaterThan(before)
  expect(world.asked('/v2/stocks/bars')).toBeGreaterThan(0)
  expect(world.asked('/v1beta1/news')).toBeGreaterThan(0)
})

test('more stocks than may be streamed are streamed as far as they may, and quoted all', async () => {
  const symbols = Array.from(
    { length: 40 },
    (_, i) => `S${String.fromCharCode(65 + Math.floor(i / 26), 65 + (i % 26))}`,
  )
  await using world = await worldOf(symbols)
  const streamed = () => new Set(world.reader.ticks.map(({ symbol }) => symbol))
  await expect.poll(() => streamed().size, PATIENCE).toBe(STREAMED_SYMBOLS_MAX)
  await expect.poll(() => world.server.printed.length, PATIENCE).toBeGreaterThan(200)
  expect([...streamed()].toSorted()).toEqual(symbols.slice(0, STREAMED_SYMBOLS_MAX))
  expect(world.asked('/v2/stocks/snapshots')).toBeGreaterThan(0)
})
