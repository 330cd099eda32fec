import { setImmediate as turn } from 'node:timers/promises'
import { pino } from 'pino'
import { expect } from 'vitest'
import { article } from '../../domain/article.ts'
import { PlatformError } from '../../domain/errors.ts'
import { observation } from '../../domain/observation.ts'
import { type Tick, tick } from '../../domain/tick.ts'
import { type IngestOptions, runIngest } from '../../ingest/ingest.ts'
import type { Reject, Source, SourceBatch } from '../../ingest/source.ts'
import type { OutgoingRecord } from '../../platform/bus/bus.ts'
import { openCodec } from '../../platform/bus/codec.ts'
import { MemorySchemaRegistry } from '../../platform/bus/memory-schema-registry.ts'
import type { Fact } from '../../platform/bus/topics.ts'
import { ManualClock } from '../../platform/clock.ts'
import { openMetrics } from '../../platform/metrics.ts'

export const codec = await openCodec(new MemorySchemaRegistry())
export const busAway = () => new PlatformError('BUS_UNAVAILABLE', 'No broker answers')
export const storeAway = () => new PlatformError('STORE_UNAVAILABLE', 'No database answers')

export const fact = (position: number, symbol = 'AAPL'): Tick =>
  tick({ symbol, price: 100, size: 1, eventTimeMs: 1, ingestTimeMs: 2, seq: position, source: 'test', position })
export const reject = (position: number): Reject => ({ position, reason: 'line 7: bad', original: Buffer.from('x') })

export const articleFact = (id: string, ...symbols: readonly string[]): Fact => ({
  topic: 'news-data',
  event: article({
    id: `test:${id}`,
    source: 'test',
    licence: 'PERSONAL',
    kind: 'NEWS',
    headline: `Headline ${id}`,
    summary: '',
    url: `https://news.test/${id}`,
    publisher: 'Test',
    language: 'en',
    publishedAtMs: 1,
    ingestTimeMs: 2,
    symbols,
    vendorSentiment: null,
    filing: null,
  }),
})

export const observationFact = (date: string, value: number): Fact => ({
  topic: 'economic-data',
  event: observation({
    series: {
      seriesId: 'CPIAUCSL',
      title: 'Consumer Price Index',
      unit: 'Index',
      frequency: 'MONTHLY',
      seasonallyAdjusted: true,
      source: 'test',
      licence: 'REDISTRIBUTABLE',
    },
    date,
    value,
    vintage: '2026-11-20',
    releasedAtMs: 1,
    ingestTimeMs: 2,
  }),
})

/** Its checkpoint is the number of batches told. */
export class ScriptedSource implements Source<number> {
  readonly name = 'test'
  readonly savedCheckpoints: number[] = []
  told = 0
  readonly #batches: readonly Omit<SourceBatch<number>, 'checkpoint'>[]
  readonly #end: (signal: AbortSignal) => Promise<void>

  constructor(
    batches: readonly (readonly Tick[] | Partial<SourceBatch<number>>)[],
    end: (signal: AbortSignal) => Promise<void> = async () => {},
  ) {
    this.#batches = batches.map((batch) => ({
      ticks: [],
      rejects: [],
      ...('length' in batch ? { ticks: batch } : batch),
    }))
    this.#end = end
  }

  saved(checkpoint: number): void {
    this.savedCheckpoints.push(checkpoint)
  }

  async *read(from: number | undefined, signal: AbortSignal): AsyncGenerator<SourceBatch<number>> {
    for (let i = from ?? 0; i < this.#batches.length; i++) {
      this.told++
      yield { ...this.#batches[i], checkpoint: i + 1 }
    }
    await this.#end(signal)
  }
}

export const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** Everything ingest needs; a test replaces what it wants to fail. */
export function world<C>(source: Source<C>, options: Partial<IngestOptions> = {}) {
  const stop = new AbortController()
  const clock = new ManualClock(1_000_000)
  const produced: (readonly OutgoingRecord[])[] = []
  const topics: string[] = []
  const deadLetters: Reject[] = []
  const saved: unknown[] = []
  const lines: { level: number; msg: string }[] = []
  const run = {
    source,
    codec,
    clock,
    log: pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
    metrics: openMetrics(),
    signal: stop.signal,
    options,
    bus: {
      produce: async (topic: string, records: readonly OutgoingRecord[]): Promise<void> => {
        topics.push(topic)
        produced.push(records)
      },
      settled: (): Promise<void> => Promise.resolve(),
    },
    checkpoints: {
      load: async (_source: string): Promise<unknown> => undefined,
      save: async (_source: string, checkpoint: unknown) => void saved.push(checkpoint),
    },
    deadLetters: {
      append: async (_source: string, rejects: readonly Reject[]) => void deadLetters.push(...rejects),
    },
  }
  const start = () => {
    const ended = runIngest(run)
    // Looked at where the test awaits it; until then it must not count as unhandled.
    ended.catch(() => undefined)
    return ended
  }
  return { stop, clock, produced, topics, deadLetters, saved, lines, run, start }
}

/** Lets time pass until the condition holds. */
export async function pass(clock: ManualClock, holds: () => boolean): Promise<void> {
  for (let rounds = 0; !holds(); rounds++) {
    if (rounds === 5_000) expect.unreachable('It did not happen in 250 s of the clock')
    await clock.advance(50)
    await turn()
  }
}

export const positionsOf = (produced: readonly (readonly OutgoingRecord[])[]) =>
  produced.flat().map((record) => codec.decode('stock-data', record.value ?? Buffer.alloc(0)).position)
