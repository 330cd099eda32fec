import { afterEach, describe, expect, test, vi } from 'vitest'
import { type DataQuality, dataQuality } from '../domain/data-quality.ts'
import { tick } from '../domain/tick.ts'
import type { Fact } from '../platform/bus/topics.ts'
import { ManualClock } from '../platform/clock.ts'
import { silentLog } from '../platform/log.ts'
import { openMetrics } from '../platform/metrics.ts'
import type { Source, SourceBatch } from './source.ts'
import { SILENCE_BOUNDS, SourceSilence } from './source-silence.ts'
import { SourceStatuses } from './source-status.ts'

const NAME = 'frankfurter'
const START_MS = Date.UTC(2026, 10, 20, 12)
const { troubledMsMax, settledMs, steadyMs, lookEveryMs } = SILENCE_BOUNDS

let stop = new AbortController()
afterEach(() => {
  stop.abort()
  stop = new AbortController()
})

/** A source that is read, and what is said of it. What it tells itself goes through `passes`. */
async function world({
  silentSinceMs,
  isBusAway = () => false,
}: {
  silentSinceMs?: number
  isBusAway?: () => boolean
} = {}) {
  const clock = new ManualClock(START_MS)
  const metrics = openMetrics()
  const told: DataQuality[] = []
  const silence = new SourceSilence({
    tell: async ({ event }: Fact) => {
      if (isBusAway()) throw new Error('the bus is away')
      told.push(event as DataQuality)
    },
    silentSince: async () => silentSinceMs,
    clock,
    log: silentLog,
    metrics,
  })
  const statuses = new SourceStatuses(clock, (status, before) => silence.changed(status, before))
  statuses.set(NAME, 'starting')
  statuses.set(NAME, 'reading')
  void silence.run([NAME], stop.signal)
  await vi.waitFor(() => expect(clock.sleeping).toBe(1))
  const shown = () =>
    told.map(({ kind, source, symbol, eventTimeMs, detail }) => ({
      kind,
      source,
      symbol,
      sinceMs: eventTimeMs - START_MS,
      detail,
    }))
  return {
    clock,
    metrics,
    statuses,
    told: shown,
    kinds: () => told.map(({ kind }) => kind),
    fails: (reason = 'Frankfurter could not be reached') => statuses.trouble(NAME, reason),
    answers: () => statuses.trouble(NAME, undefined),
    breaksOff: (why: { isReadElsewhere?: boolean } = {}) => {
      statuses.set(NAME, 'restarting', { reason: 'failed unexpectedly; the log says where', ...why })
    },
    startsAgain: () => {
      statuses.set(NAME, 'starting')
      statuses.set(NAME, 'reading')
    },
    /** What comes out of the source for what it tells. */
    async passes(batch: Partial<SourceBatch<unknown>>): Promise<SourceBatch<unknown>> {
      const whole = { ticks: [], rejects: [], checkpoint: 0, ...batch }
      const source: Source = {
        name: NAME,
        async *read() {
          yield whole
        },
      }
      for await (const passed of silence.noting(source).read(undefined, stop.signal)) return passed
      throw new Error('nothing passed')
    },
  }
}

const quality = (kind: DataQuality['kind'], sinceMs = 0, source = NAME): Fact => ({
  topic: 'data-quality',
  event: dataQuality({
    kind,
    source,
    symbol: null,
    eventTimeMs: START_MS + sinceMs,
    ingestTimeMs: START_MS,
    detail: 'It says so itself.',
  }),
})
const aTick = tick({
  symbol: 'EUR-USD',
  price: 1,
  size: 0,
  eventTimeMs: START_MS,
  ingestTimeMs: START_MS,
  seq: 0,
  source: NAME,
  position: 0,
})

describe('A source that cannot be reached', () => {
  test('is said to be silent once it has been so for too long, once, since when and why', async () => {
    const { clock, fails, told, metrics } = await world()
    await clock.advance(60_000)
    fails()
    await clock.advance(troubledMsMax)
    expect(told()).toEqual([])
    await clock.advance(10 * troubledMsMax)
    expect(told()).toEqual([
      {
        kind: 'SILENT_SOURCE',
        source: NAME,
        symbol: null,
        sinceMs: 60_000,
        detail: 'frankfurter has been in trouble for more than 120 s: Frankfurter could not be reached',
      },
    ])
    expect((await metrics.qualityFound.get()).values).toMatchObject([{ labels: { kind: 'SILENT_SOURCE' }, value: 1 }])
  })

  test('is heard again once it has been reached for a while, since then', async () => {
    const { clock, fails, answers, told, kinds } = await world()
    fails()
    await clock.advance(troubledMsMax + lookEveryMs)
    answers()
    await clock.advance(settledMs - lookEveryMs)
    expect(kinds()).toEqual(['SILENT_SOURCE'])
    await clock.advance(2 * lookEveryMs)
    expect(told()[1]).toMatchObject({ kind: 'SOURCE_RECOVERED', sinceMs: troubledMsMax + lookEveryMs })
    await clock.advance(3_600_000)
    expect(kinds()).toHaveLength(2)
  })

  test('is not heard again because it answers now and then for a moment', async () => {
    const { clock, fails, answers, kinds } = await world()
    fails()
    await clock.advance(2 * troubledMsMax)
    for (let i = 0; i < 100; i++) {
      answers()
      await clock.advance(settledMs / 2)
      fails()
      await clock.advance(settledMs)
    }
    expect(kinds()).toEqual(['SILENT_SOURCE'])
  })

  test('is silent again when it happens again', async () => {
    const { clock, fails, answers, kinds } = await world()
    for (let i = 0; i < 2; i++) {
      fails()
      await clock.advance(2 * troubledMsMax)
      answers()
      await clock.advance(2 * settledMs)
    }
    expect(kinds()).toEqual(['SILENT_SOURCE', 'SOURCE_RECOVERED', 'SILENT_SOURCE', 'SOURCE_RECOVERED'])
  })

  test('is not silent where one thing it is asked for fails and others do not', async () => {
    const { clock, fails, answers, kinds } = await world()
    for (let i = 0; i < 100; i++) {
      fails()
      await clock.advance(troubledMsMax / 2)
      answers()
    }
    expect(kinds()).toEqual([])
  })

  test('is told of when the bus is back', async () => {
    let isAway = true
    const { clock, fails, kinds } = await world({ isBusAway: () => isAway })
    fails()
    await clock.advance(2 * troubledMsMax)
    expect(kinds()).toEqual([])
    isAway = false
    await clock.advance(lookEveryMs)
    expect(kinds()).toEqual(['SILENT_SOURCE'])
  })

  test('is told of in one line, whatever its vendor said', async () => {
    const { clock, fails, told } = await world()
    fails(`a page:\r\n\u0000${'x'.repeat(5_000)}`)
    await clock.advance(2 * troubledMsMax)
    expect(told()[0].detail).toMatch(/120 s: a page: x+$/)
  })
})

describe('A source that breaks off', () => {
  test('again and again is silent, though it is opened each time', async () => {
    const { clock, breaksOff, startsAgain, kinds } = await world()
    for (let i = 0; i < 10; i++) {
      breaksOff()
      await clock.advance(20_000)
      startsAgain()
      await clock.advance(1_000)
    }
    expect(kinds()).toEqual(['SILENT_SOURCE'])
  })

  test('now and then, and tells something in between, is not', async () => {
    const { clock, breaksOff, startsAgain, passes, kinds } = await world()
    for (let i = 0; i < 10; i++) {
      breaksOff()
      await clock.advance(20_000)
      startsAgain()
      await passes({ ticks: [aTick] })
      await clock.advance(1_000)
    }
    expect(kinds()).toEqual([])
  })

  test('is heard again when it is read without trouble, also where there is nothing to tell', async () => {
    const { clock, breaksOff, startsAgain, kinds } = await world()
    breaksOff()
    await clock.advance(2 * troubledMsMax)
    startsAgain()
    await clock.advance(steadyMs + lookEveryMs)
    expect(kinds()).toEqual(['SILENT_SOURCE', 'SOURCE_RECOVERED'])
  })

  test('because another process reads it is not silent', async () => {
    const { clock, breaksOff, kinds } = await world()
    breaksOff({ isReadElsewhere: true })
    await clock.advance(3_600_000)
    expect(kinds()).toEqual([])
  })
})

test('a source that was refused is silent at once', async () => {
  const { clock, statuses, told } = await world()
  statuses.set(NAME, 'refused', { reason: 'the key was withdrawn' })
  await clock.advance(lookEveryMs)
  expect(told()).toMatchObject([{ kind: 'SILENT_SOURCE', detail: 'frankfurter is not read: the key was withdrawn' }])
})

describe('A silence of before the start', () => {
  test('is over when the source is read again', async () => {
    const { clock, kinds } = await world({ silentSinceMs: START_MS - 3_600_000 })
    await clock.advance(steadyMs + lookEveryMs)
    expect(kinds()).toEqual(['SOURCE_RECOVERED'])
  })

  test('goes on where it is not', async () => {
    const { clock, fails, kinds } = await world({ silentSinceMs: START_MS - 3_600_000 })
    fails()
    await clock.advance(3_600_000)
    expect(kinds()).toEqual([])
  })
})

describe('A stream that says itself that it is silent', () => {
  test('is not said to be silent again', async () => {
    const { clock, fails, passes, kinds } = await world()
    fails()
    const said = await passes({ facts: [quality('SILENT_SOURCE')] })
    expect(said.facts).toHaveLength(1)
    await clock.advance(3_600_000)
    expect(kinds()).toEqual([])
  })

  test('says itself when it is heard again', async () => {
    const { clock, fails, answers, passes, kinds } = await world()
    fails()
    await passes({ facts: [quality('SILENT_SOURCE')] })
    answers()
    await clock.advance(10 * steadyMs)
    const said = await passes({ facts: [quality('SOURCE_RECOVERED', 1)], ticks: [aTick] })
    expect(said.facts).toHaveLength(1)
    expect(kinds()).toEqual([])
  })

  test('after we did is not heard a second time', async () => {
    const { clock, fails, passes } = await world()
    fails()
    await clock.advance(2 * troubledMsMax)
    const gap = quality('GAP')
    expect((await passes({ facts: [quality('SILENT_SOURCE', 5), gap] })).facts).toEqual([gap])
  })

  test('and then breaks off is said to be heard again by us', async () => {
    const { clock, passes, breaksOff, startsAgain, kinds } = await world()
    await passes({ facts: [quality('SILENT_SOURCE')] })
    breaksOff()
    startsAgain()
    await clock.advance(steadyMs + lookEveryMs)
    expect(kinds()).toEqual(['SOURCE_RECOVERED'])
  })

  test('is not silent because another source is', async () => {
    const { clock, fails, passes, kinds } = await world()
    await passes({ facts: [quality('SILENT_SOURCE', 0, 'somebody else')] })
    fails()
    await clock.advance(2 * troubledMsMax)
    expect(kinds()).toEqual(['SILENT_SOURCE'])
  })
})
