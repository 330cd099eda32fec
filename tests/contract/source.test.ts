import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Tick, tick } from '../../domain/tick.ts'
import type { Reject, Source } from '../../ingest/source.ts'
import { replaySource } from '../../ingest/sources/replay/replay.ts'
import { simulatedSource } from '../../ingest/sources/simulated/simulated.ts'
import { type Clock, systemClock } from '../../platform/clock.ts'
import { silentLog } from '../../platform/log.ts'
import { readSource } from '../support/source-reading.ts'

const ROWS = 12_000
const START_MS = Date.UTC(2026, 6, 6, 15)

let folder = ''
let file = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'source-'))
  file = join(folder, 'tape.csv')
  const rows = Array.from({ length: ROWS }, (_, i) =>
    i % 100 === 3 ? 'a bad row' : `${new Date(START_MS - 86_400_000 + i * 10).toISOString()},SPY,${100 + (i % 50)},1`,
  )
  await writeFile(file, `time,symbol,price,size\n${rows.join('\n')}\n`)
})
afterAll(() => rm(folder, { recursive: true }))

/** Runs as fast as it is asked to sleep, so that a paced source is read in no time. */
function hurriedClock(): Clock {
  let nowMs = START_MS
  return {
    now: () => nowMs,
    sleep: (ms) => {
      nowMs += Math.max(0, Math.ceil(ms))
      return new Promise(setImmediate)
    },
  }
}

const sources: [name: string, open: (clock: Clock) => Promise<Source>][] = [
  ['replay at full speed', (clock) => replaySource({ file, speed: 'max', clock })],
  ['replay at its own speed', (clock) => replaySource({ file, speed: 1, clock })],
  ['simulated', async (clock) => simulatedSource({ seed: 1, ticksPerSecond: 1_000, clock, log: silentLog })],
]

/** What happened, without when we saw it, in the order of positions. */
const told = ({ ticks, rejects }: { ticks: readonly Tick[]; rejects: readonly Reject[] }) =>
  [...ticks.map(({ ingestTimeMs, ...fact }) => fact), ...rejects].toSorted((a, b) => a.position - b.position)

describe.each(sources)('Source: %s', (_name, open) => {
  test('tells valid facts under its own name', async () => {
    const source = await open(hurriedClock())
    const { ticks } = await readSource(source, { atLeast: 5_000 })
    for (const fact of ticks) {
      expect(tick({ ...fact })).toEqual(fact)
      expect(fact.source).toBe(source.name)
    }
  })

  test('gives every fact and every reject a position of its own, and they only grow', async () => {
    const source = await open(hurriedClock())
    let highest = -1
    let count = 0
    const stop = new AbortController()
    for await (const batch of source.read(undefined, stop.signal)) {
      source.saved?.(batch.checkpoint)
      for (const { position } of told(batch)) {
        expect(position).toBeGreaterThan(highest)
        highest = position
        if (++count === 8_000) stop.abort()
      }
      for (const [i, { position }] of batch.ticks.entries())
        if (i > 0) expect(position).toBeGreaterThan(batch.ticks[i - 1].position)
    }
  })

  test('gives the same print the same natural key and no other print that key', async () => {
    const { ticks } = await readSource(await open(hurriedClock()), { atLeast: 8_000 })
    const keys = ticks.map(({ symbol, eventTimeMs, seq }) => `${symbol}|${eventTimeMs}|${seq}`)
    expect(new Set(keys).size).toBe(keys.length)
  })

  test('started from any checkpoint it repeats nothing from before and leaves nothing out', async () => {
    const whole = await readSource(await open(hurriedClock()), { atLeast: 10_000 })
    const all = told(whole)
    const resumable = whole.checkpoints.filter(({ told: count }) => count < 9_000)
    const step = Math.ceil(resumable.length / 12)
    for (const { checkpoint, told: count } of resumable.filter((_, i) => i % step === 0)) {
      const rest = await readSource(await open(hurriedClock()), { from: checkpoint, atLeast: all.length - count })
      expect(told(rest).slice(0, all.length - count)).toEqual(all.slice(count))
    }
  })

  test('ends within two seconds of being stopped, in the middle of whatever it does', async () => {
    for (const afterMs of [0, 1, 50, 200]) {
      const source = await open(systemClock)
      const stop = new AbortController()
      const stopped = Promise.withResolvers<number>()
      setTimeout(() => {
        stopped.resolve(performance.now())
        stop.abort()
      }, afterMs)
      await readSource(source, { signal: stop.signal })
      const endedMs = performance.now()
      // A tape at full speed may have come to its end before.
      expect(endedMs - (await stopped.promise)).toBeLessThan(2_000)
    }
  })

  test('tells nothing when it was stopped before it began', async () => {
    const { ticks, rejects } = await readSource(await open(hurriedClock()), { signal: AbortSignal.abort() })
    expect([ticks, rejects]).toEqual([[], []])
  })
})

const tapeFolder = process.env.TAPE_DIR
if (tapeFolder !== undefined)
  describe('the recorded tape of 2013-10-07', () => {
    const open = () =>
      replaySource({ file: join(tapeFolder, 'trades-2013-10-07.csv.gz'), speed: 'max', clock: systemClock })

    test('is read whole: every print of every symbol, none refused', async () => {
      const { ticks, rejects } = await readSource(await open())
      const counts = new Map<string, number>()
      for (const { symbol } of ticks) counts.set(symbol, (counts.get(symbol) ?? 0) + 1)
      expect(rejects).toEqual([])
      expect(Object.fromEntries(counts)).toEqual({ SPY: 250_601, BAC: 88_172, AIG: 25_351, IBM: 24_293 })
    })
  })
