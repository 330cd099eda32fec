import { expect, test } from 'vitest'
import { fastClock } from '../../../tests/support/vendors/fast-clock.ts'
import { MemoryQuotas } from '../../../tests/support/vendors/memory-quotas.ts'
import { CaseReader, openCase } from '../../../tests/support/vendors/polled-reader.ts'
import { polygonStreamCase } from '../../../tests/support/vendors/polygon.ts'
import { StreamServer } from '../../../tests/support/vendors/stream-server.ts'
import { polygonTrades, STREAM_URLS } from './stream.ts'

const PATIENCE = { timeout: 20_000, interval: 20 }
const { startMs, timesFaster, symbols } = polygonStreamCase

async function worldOf(variables: typeof polygonStreamCase.variables) {
  const clock = fastClock({ startMs, realStartMs: Date.now(), timesFaster })
  const server = await StreamServer.start({ fake: polygonStreamCase.fake(), symbols, clock })
  const source = openCase(
    { ...polygonStreamCase, variables },
    {
      url: server.http.url,
      socketUrl: server.url,
      clock,
      quotas: new MemoryQuotas(),
      logged: () => undefined,
    },
  )
  const reader = new CaseReader(source)
  return {
    server,
    reader,
    asked: () => server.http.arrivals.length,
    async [Symbol.asyncDispose]() {
      await reader.stop()
      await server[Symbol.asyncDispose]()
    },
  }
}

test('a plan without the socket is read without one, five requests a minute', async () => {
  const { POLYGON_KEY = '' } = polygonStreamCase.variables
  await using world = await worldOf({ POLYGON_KEY: POLYGON_KEY.split(',')[0] })
  await expect.poll(world.asked, PATIENCE).toBeGreaterThan(5)
  expect(world.server.http.most({ kind: 'sliding', requests: 5, perMs: 60_000 })).toBe(5)
  expect(world.server.attempts).toBe(0)
})

test('a plan whose socket is refused has days, minutes and news all the same', async () => {
  await using world = await worldOf(polygonStreamCase.variables)
  await expect.poll(() => world.reader.ticks.length, PATIENCE).toBeGreaterThan(10)
  world.server.fail({ kind: 'refuse', status: 403 })
  world.server.cut()
  await expect.poll(() => world.server.failed, PATIENCE).toBe(1)
  const before = world.asked()
  await expect.poll(world.asked, PATIENCE).toBeGreaterThan(before)
})

test('plans that are told late listen at an address of their own', () => {
  const history = { symbolsAtOnce: 1, prints: async function* () {} }
  const urls = Object.values(STREAM_URLS).map((url) =>
    polygonTrades({ url, key: 'k', symbols: ['AAPL'], history }).url(),
  )
  expect(urls).toEqual(['wss://socket.massive.com/stocks', 'wss://delayed.massive.com/stocks'])
})
