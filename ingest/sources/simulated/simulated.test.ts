import { setImmediate as turn } from 'node:timers/promises'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import type { Tick } from '../../../domain/tick.ts'
import { ManualClock } from '../../../platform/clock.ts'
import { silentLog } from '../../../platform/log.ts'
import { passUntil, type ReadingOptions, readSource } from '../../../tests/support/source-reading.ts'
import { SIMULATED_INSTRUMENTS } from './instruments.ts'
import { AHEAD_MS_MAX, BEHIND_MS_MAX, type SimulatedOptions, simulatedSource } from './simulated.ts'
import type { SimulatedCheckpoint } from './timeline.ts'

const NOW_MS = Date.UTC(2026, 6, 6, 15)

/** Reads from a source started at that time, as another process would. */
async function readAt(
  startMs: number,
  reading: ReadingOptions<SimulatedCheckpoint>,
  options: Partial<SimulatedOptions> = {},
) {
  const clock = new ManualClock(startMs)
  const source = simulatedSource({ seed: 42, ticksPerSecond: 100, clock, log: silentLog, ...options })
  return { clock, ...(await passUntil(clock, readSource(source, reading))) }
}

/** What happened, without when we saw it. */
const facts = (ticks: readonly Tick[]) => ticks.map(({ ingestTimeMs, ...fact }) => fact)
const last = <T>(list: readonly T[]): T => list.at(-1) ?? expect.unreachable('there is none')

describe('the schedule', () => {
  test('has as many ticks in a second as was asked for', async () => {
    const { ticks } = await readAt(NOW_MS, { atLeast: 1_000 }, { ticksPerSecond: 250 })
    const perSecond = [0, 1, 2].map(
      (second) => ticks.filter((t) => Math.floor((t.eventTimeMs - NOW_MS) / 1_000) === second).length,
    )
    expect(perSecond).toEqual([250, 250, 250])
  })

  test('counts positions from zero, each is the seq of its tick as well', async () => {
    const { ticks } = await readAt(NOW_MS, { atLeast: 500 })
    expect(ticks.map(({ position }) => position)).toEqual(ticks.map((_, i) => i))
    expect(ticks.every(({ seq, position }) => seq === position)).toBe(true)
  })

  test('is kept: no tick is told before its time, nor more than 20 ms after', async () => {
    const { ticks } = await readAt(NOW_MS, { atLeast: 3_000 }, { ticksPerSecond: 1_000 })
    const delays = ticks.map(({ eventTimeMs, ingestTimeMs }) => ingestTimeMs - eventTimeMs)
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...delays)).toBeLessThanOrEqual(20)
  })

  test('comes in bounded batches at the highest rate', async () => {
    const clock = new ManualClock(NOW_MS)
    const source = simulatedSource({ seed: 1, ticksPerSecond: 100_000, clock, log: silentLog })
    const stop = new AbortController()
    const sizes: number[] = []
    const reading = async () => {
      for await (const { ticks, checkpoint } of source.read(undefined, stop.signal)) {
        sizes.push(ticks.length)
        source.saved?.(checkpoint)
        if (sizes.length === 100) stop.abort()
      }
    }
    await passUntil(clock, reading())
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2_000)
  })

  test('is waited for when the clock was set back', async () => {
    const { ticks, checkpoints } = await readAt(NOW_MS, { atLeast: 100 })
    const { checkpoint } = last(checkpoints)
    const early = await readAt(NOW_MS - 3_000, { from: checkpoint, atLeast: 1 })
    expect(early.ticks[0].position).toBe(ticks.length)
    expect(early.clock.now()).toBeGreaterThanOrEqual(NOW_MS + 1_000)
  })

  test.each([0, -1, 100_001, Number.NaN])('of %s ticks per second is refused', (ticksPerSecond) => {
    const clock = new ManualClock()
    expect(() => simulatedSource({ seed: 1, ticksPerSecond, clock, log: silentLog })).toThrow('ticks per second')
  })
})

describe('the same seed and start', () => {
  test('tell the same facts', async () => {
    const first = await readAt(NOW_MS, { atLeast: 800 })
    const second = await readAt(NOW_MS, { atLeast: 800 })
    expect(facts(first.ticks)).toEqual(facts(second.ticks))
  })

  test('with another seed tell others', async () => {
    const first = await readAt(NOW_MS, { atLeast: 100 })
    const second = await readAt(NOW_MS, { atLeast: 100 }, { seed: 43 })
    expect(facts(first.ticks)).not.toEqual(facts(second.ticks))
  })
})

describe('durability', () => {
  test('nothing is told before the start it follows from is saved', async () => {
    const clock = new ManualClock(NOW_MS)
    const source = simulatedSource({ seed: 1, ticksPerSecond: 100, clock, log: silentLog })
    const stop = new AbortController()
    const batches = source.read(undefined, stop.signal)[Symbol.asyncIterator]()
    const first = await batches.next()
    if (first.done) return expect.unreachable('it has just begun')
    expect(first.value.ticks).toEqual([])
    let told = false
    const second = batches.next().then((next) => {
      told = true
      return next
    })
    for (let i = 0; i < 100; i++) await clock.advance(50)
    expect(told).toBe(false)
    source.saved?.(first.value.checkpoint)
    expect((await passUntil(clock, second)).value?.ticks.length).toBeGreaterThan(0)
    stop.abort()
    await batches.return?.(undefined)
  })

  test('the schedule waits ten seconds beyond the saved checkpoint', async () => {
    const clock = new ManualClock(NOW_MS)
    const source = simulatedSource({ seed: 1, ticksPerSecond: 100, clock, log: silentLog })
    const stop = new AbortController()
    const ticks: Tick[] = []
    let newest: SimulatedCheckpoint | undefined
    const reading = (async () => {
      for await (const batch of source.read(undefined, stop.signal)) {
        ticks.push(...batch.ticks)
        newest = batch.checkpoint
        if (batch.ticks.length === 0) source.saved?.(batch.checkpoint)
      }
    })()
    const pass = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 50) await clock.advance(50)
    }
    await pass(30_000)
    expect(ticks).toHaveLength((AHEAD_MS_MAX / 1_000) * 100)
    if (newest) source.saved?.(newest)
    await pass(5_000)
    expect(ticks).toHaveLength((2 * AHEAD_MS_MAX * 100) / 1_000)
    stop.abort()
    await reading
  })
})

describe('after a stop', () => {
  test.each([0, 1_000, BEHIND_MS_MAX - 10_000])(
    'of %s ms it tells again what came after the checkpoint, and catches up without a gap',
    async (stoppedMs) => {
      const slow = { ticksPerSecond: 20 }
      const before = await readAt(NOW_MS, { atLeast: 180, savedBatchesLate: 30 }, slow)
      const from = before.checkpoints[40]
      const after = await readAt(before.clock.now() + stoppedMs, { from: from.checkpoint, atLeast: 1_600 }, slow)
      const told = facts(before.ticks).slice(from.told)
      expect(facts(after.ticks).slice(0, told.length)).toEqual(told)
      const uninterrupted = await readAt(NOW_MS, { atLeast: from.told + 1_600 }, slow)
      expect(facts(after.ticks).slice(0, 1_600)).toEqual(facts(uninterrupted.ticks).slice(from.told, from.told + 1_600))
    },
  )

  test('of an hour it tells again exactly what may have been told, leaves a gap and goes on from now', async () => {
    const before = await readAt(NOW_MS, { atLeast: 1_000, savedBatchesLate: 50 })
    const from = before.checkpoints[20]
    const told = facts(before.ticks).slice(from.told)
    const restartMs = NOW_MS + 3_600_000
    const after = await readAt(restartMs, { from: from.checkpoint, atLeast: 2_000 })
    expect(facts(after.ticks).slice(0, told.length)).toEqual(told)
    const fresh = after.ticks.filter(({ eventTimeMs }) => eventTimeMs >= restartMs)
    const retold = after.ticks.slice(0, after.ticks.length - fresh.length)
    const scheduleMs = NOW_MS + from.checkpoint.slot * 10
    expect(last(retold).eventTimeMs).toBeLessThan(scheduleMs + AHEAD_MS_MAX)
    expect(fresh.length).toBeGreaterThan(900)
    expect(after.ticks.map(({ position }) => position)).toEqual(after.ticks.map((_, i) => from.told + i))
  })

  test('of an hour prices go on where they were', async () => {
    const before = await readAt(NOW_MS, { atLeast: 3_000 })
    const after = await readAt(NOW_MS + 3_600_000, { from: last(before.checkpoints).checkpoint, atLeast: 4_000 })
    const spy = (ticks: readonly Tick[]) => ticks.filter(({ symbol }) => symbol === 'SPY').map(({ price }) => price)
    expect(Math.abs(spy(after.ticks)[0] / last(spy(before.ticks)) - 1)).toBeLessThan(0.01)
  })

  test('the gap is announced in the log', async () => {
    const lines: string[] = []
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line).msg) })
    const before = await readAt(NOW_MS, { atLeast: 100 })
    const from = last(before.checkpoints).checkpoint
    await readAt(NOW_MS + 3_600_000, { from, atLeast: 1_100 }, { log })
    expect(lines).toEqual([expect.stringMatching(/^simulated leaves a gap of 35\d\d s in its facts/)])
  })

  test('wherever it crashed, nothing told is lost and no position gets a second meaning', async () => {
    const slow = { ticksPerSecond: 20 }
    const before = await readAt(NOW_MS, { atLeast: 100, savedBatchesLate: 10 }, slow)
    const from = last(before.checkpoints).saved
    const secondMs = NOW_MS + 3_600_000
    const second = await readAt(secondMs, { from, atLeast: 600, savedBatchesLate: 10 }, slow)
    const leaps = new Set(second.checkpoints.map(({ saved }) => saved?.leg))
    expect([...leaps]).toEqual([0, 1])
    const aroundTheLeap = second.checkpoints.filter(({ checkpoint, saved }) => checkpoint.leg !== saved?.leg)
    for (const { saved, told } of [...second.checkpoints.filter((_, i) => i % 25 === 0), ...aroundTheLeap]) {
      const third = await readAt(secondMs + 3_600_000, { from: saved, atLeast: 300 }, slow)
      const again = new Map(facts(third.ticks).map((fact) => [fact.position, fact]))
      const unsaved = facts(second.ticks.slice(0, told)).filter(({ position }) => position >= (saved?.position ?? 0))
      for (const fact of unsaved) expect(again.get(fact.position)).toEqual(fact)
    }
  })

  test('with other settings it first tells again by the old ones, then goes on by the new ones', async () => {
    const before = await readAt(NOW_MS, { atLeast: 900, savedBatchesLate: 30 })
    const from = before.checkpoints[40]
    const told = facts(before.ticks).slice(from.told)
    const after = await readAt(
      before.clock.now(),
      { from: from.checkpoint, atLeast: 3_000 },
      { ticksPerSecond: 500, seed: 1 },
    )
    expect(facts(after.ticks).slice(0, told.length)).toEqual(told)
    expect(after.ticks.map(({ position }) => position)).toEqual(after.ticks.map((_, i) => from.told + i))
    const lastSecond = after.ticks.filter((t) => t.eventTimeMs > last(after.ticks).eventTimeMs - 1_000)
    expect(lastSecond).toHaveLength(500)
  })

  test('with other instruments it gives no position a second meaning', async () => {
    const before = await readAt(NOW_MS, { atLeast: 900 })
    const from = before.checkpoints[10]
    const instruments = SIMULATED_INSTRUMENTS.slice(0, 5)
    const after = await readAt(before.clock.now(), { from: from.checkpoint, atLeast: 100 }, { instruments })
    expect(after.ticks[0].position).toBeGreaterThan(from.told + (AHEAD_MS_MAX / 1_000) * 100)
  })

  test('a checkpoint of something else is refused', async () => {
    const clock = new ManualClock(NOW_MS)
    const source = simulatedSource({ seed: 1, ticksPerSecond: 1, clock, log: silentLog })
    await expect(readSource(source, { from: JSON.parse('{"row":1}') })).rejects.toThrow('is not one of a simulation')
  })
})

test('while its exchange is closed the checkpoint still moves, so that the schedule does not run away', async () => {
  const sundayMs = Date.UTC(2026, 6, 5, 12)
  const instruments = SIMULATED_INSTRUMENTS.filter(({ instrument }) => instrument.assetClass === 'EQUITY')
  const clock = new ManualClock(sundayMs)
  const source = simulatedSource({
    seed: 1,
    ticksPerSecond: 100,
    clock,
    log: silentLog,
    instruments,
    marketHours: 'us',
  })
  const stop = new AbortController()
  const reading = readSource(source, { signal: stop.signal })
  for (let second = 0; second < 60; second++) {
    await turn()
    await clock.advance(1_000)
  }
  stop.abort()
  const { ticks, checkpoints } = await reading
  expect(ticks).toEqual([])
  expect(last(checkpoints).checkpoint.slot).toBeGreaterThan(5_000)
})
