import { describe, expect, test } from 'vitest'
import { data, query, subscribe } from '../support/graphql.ts'
import { type PlatformProcess, startPlatform } from '../support/platform-process.ts'
import { everyBackend } from '../support/platform-roles.ts'
import { openStored, storedTicks } from '../support/stored.ts'
import { walk, writeTape } from '../support/tapes.ts'

interface Tick {
  symbol: string
  price: number
  size: number
  eventTime: string
  ingestTime: string
  source: string
  instrument: { name: string }
}
const TICKS = `subscription ($symbols: [ID!]!) {
  ticks(symbols: $symbols) { symbol price size eventTime ingestTime source instrument { name } }
}`

interface Bar {
  symbol: string
  start: string
  open: number
  high: number
  low: number
  close: number
  volume: number
  trades: number
  closed: boolean
}
const BAR = 'symbol start open high low close volume trades closed'

/** The tape waits until somebody listens: its first row is an hour before the others. */
async function subscribed(platform: PlatformProcess, sources: number): Promise<void> {
  await expect
    .poll(async () => (await fetch(`${platform.origin}/metrics`)).text(), { timeout: 20_000 })
    .toMatch(new RegExp(`^gateway_shared_sources ${sources}$`, 'm'))
}

describe.each(everyBackend)('the life of a tick on %s', (_name, environment) => {
  test('a subscriber sees every tick of a slow tape in order, and each is in the store when it arrives', async () => {
    // 1 s apart at 40 × speed: 25 ms. The subscriber is there before the first.
    const rows = walk(200, 1_000)
    const tape = writeTape([{ ...rows[0], symbol: 'IBM', timeMs: rows[0].timeMs - 400_000 }, ...rows])
    await using platform = await startPlatform(['--replay', tape, '--speed', '40'], environment())
    await platform.ready()
    using ticks = subscribe<{ ticks: Tick }>(platform.url, TICKS, { symbols: ['SPY', 'BAC'] })
    await expect.poll(() => ticks.events.length, { timeout: 60_000 }).toBeGreaterThan(0)
    // Whoever hears of it can already query it, and the quote is at least as new.
    const heard = ticks.events[ticks.events.length - 1].ticks
    const { quotes } = await data<{ quotes: { symbol: string; eventTime: string }[] }>(
      platform.url,
      'query ($symbols: [ID!]!) { quotes(symbols: $symbols) { symbol eventTime } }',
      { symbols: [heard.symbol] },
    )
    expect(Date.parse(quotes[0].eventTime)).toBeGreaterThanOrEqual(Date.parse(heard.eventTime))

    await expect.poll(() => ticks.events.length, { timeout: 60_000 }).toBe(200)
    expect(ticks.errors).toEqual([])
    const told = ticks.events.map(({ ticks: tick }) => ({
      timeMs: Date.parse(tick.eventTime),
      symbol: tick.symbol,
      price: tick.price,
      size: tick.size,
    }))
    for (const symbol of ['SPY', 'BAC'])
      expect(told.filter((tick) => tick.symbol === symbol)).toEqual(rows.filter((row) => row.symbol === symbol))
    expect(ticks.events[0].ticks.instrument.name).toMatch(/SPDR|S&P|Bank/)
    expect(ticks.events[0].ticks.source).toMatch(/^replay:/)

    const bars = await data<{ instrument: { bars: { edges: { node: Bar }[] } } }>(
      platform.url,
      `query ($from: DateTime!) { instrument(symbol: "SPY") { bars(interval: ONE_MINUTE, from: $from) { edges { node { ${BAR} } } } } }`,
      { from: new Date(rows[0].timeMs).toISOString() },
    )
    const spy = rows.filter((row) => row.symbol === 'SPY' && row.timeMs < rows[0].timeMs + 60_000)
    const prices = spy.map((row) => Number(row.price))
    expect(bars.instrument.bars.edges[0].node).toEqual({
      symbol: 'SPY',
      start: new Date(rows[0].timeMs).toISOString(),
      open: prices[0],
      high: Math.max(...prices),
      low: Math.min(...prices),
      close: prices[prices.length - 1],
      volume: spy.reduce((sum, row) => sum + Number(row.size), 0),
      trades: spy.length,
      closed: true,
    })
  })

  test('a bar is told as it grows, and is closed once the watermark has passed its end', async () => {
    const rows = walk(200, 1_000, ['SPY'])
    const tape = writeTape([{ ...rows[0], symbol: 'IBM', timeMs: rows[0].timeMs - 400_000 }, ...rows])
    await using platform = await startPlatform(['--replay', tape, '--speed', '40'], environment())
    await platform.ready()
    using bars = subscribe<{ bars: Bar }>(
      platform.url,
      `subscription { bars(symbols: ["SPY"], interval: ONE_MINUTE) { ${BAR} } }`,
    )
    const first = () =>
      bars.events.map(({ bars: bar }) => bar).filter((bar) => bar.start === new Date(rows[0].timeMs).toISOString())
    await expect.poll(() => first().some((bar) => bar.closed), { timeout: 60_000 }).toBe(true)
    const trades = first().map((bar) => bar.trades)
    expect(trades).toEqual(trades.toSorted((a, b) => a - b))
    expect(first().find((bar) => bar.closed)?.trades).toBe(60)
    expect(first()[0].closed).toBe(false)
    await subscribed(platform, 1)
  })

  test('the simulated market moves soon after the start, and says that it is simulated', async () => {
    await using platform = await startPlatform([], environment())
    await platform.ready()
    using ticks = subscribe<{ ticks: Tick }>(platform.url, TICKS, { symbols: ['SPY', 'AAPL', 'BTC-USD'] })
    await expect.poll(() => ticks.events.length, { timeout: 30_000 }).toBeGreaterThan(3)
    expect(ticks.events[0].ticks.source).toBe('simulated')
    expect(platform.stdout()).toMatch(/SIMULATED/)
    const answer = await query<{ searchInstruments: { symbol: string }[] }>(
      platform.url,
      '{ searchInstruments(text: "apple") { symbol name } }',
    )
    expect(answer.data?.searchInstruments[0].symbol).toBe('AAPL')
  })

  test('a stop drains: what was told is stored, and the process ends with 0', async () => {
    const environmentNow = environment()
    await using platform = await startPlatform([], { SIMULATED_TICKS_PER_SECOND: '2000', ...environmentNow })
    await platform.ready()
    using ticks = subscribe<{ ticks: Tick }>(platform.url, TICKS, { symbols: ['SPY'] })
    await expect.poll(() => ticks.events.length, { timeout: 30_000 }).toBeGreaterThan(20)
    platform.child.kill('SIGTERM')
    expect(await platform.exited).toBe(0)
    expect(platform.stderr().slice(0, 2_000)).toBe('')
    await using stored = await openStored(platform.dataDir)
    const inStore = new Set(await storedTicks(stored))
    for (const { ticks: tick } of ticks.events)
      expect(inStore).toContain(`${tick.symbol}|${Date.parse(tick.eventTime)}|${tick.price}|${tick.size}`)
  })
})
