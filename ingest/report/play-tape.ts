import { undescribed } from '../../domain/instrument.ts'
import type { EventBus } from '../../platform/bus/bus.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database } from '../../platform/store/database.ts'
import type { Instruments } from '../../platform/store/instruments.ts'
import type { IngestTotals } from '../ingest.ts'
import type { Source, SourceBatch } from '../source.ts'
import { rowsBefore } from '../sources/replay/replay.ts'
import { type ReplayReport, storedTape } from './replay-report.ts'
import { SubscriberProbe } from './subscriber-probe.ts'

export interface TapeRun {
  readonly source: Source
  readonly ingest: (source: Source) => Promise<IngestTotals>
  readonly database: Database
  readonly bus: EventBus
  readonly instruments: Instruments
  readonly clock: Clock
  /** Where a probe subscribes to what is played; without it no latency is measured. */
  readonly gatewayUrl?: string | undefined
  readonly signal: AbortSignal
}

const TOPIC = 'stock-data'
const LOOK_AGAIN_MS = 20

/** Plays the whole tape, waits until every processor has stored it, and counts what is there. */
export async function playTape(run: TapeRun): Promise<ReplayReport> {
  const { source, clock, database, signal } = run
  await using probe = run.gatewayUrl === undefined ? undefined : new SubscriberProbe(run.gatewayUrl, clock)
  const startedMs = clock.now()
  const totals = await run.ingest(probe ? heard(source, probe, run.instruments) : source)
  await processed(run)
  const elapsedMs = Math.max(1, clock.now() - startedMs)
  const stored = signal.aborted
    ? { stored: 0, rejected: totals.rejected, barsPerSymbol: {} }
    : await storedTape(database, source.name)
  return {
    read: rowsBefore(totals.resumedFrom) + totals.read,
    ...stored,
    ticksPerSecond: Math.round((totals.read / elapsedMs) * 1_000),
    latencyMs: { p50: probe?.latencyMs(50) ?? null, p99: probe?.latencyMs(99) ?? null },
  }
}

/** The same source; the probe subscribes to each symbol when it is first read. */
function heard(source: Source, probe: SubscriberProbe, instruments: Instruments): Source {
  const known = new Set<string>()
  async function* read(from: unknown, signal: AbortSignal): AsyncIterable<SourceBatch<unknown>> {
    for await (const batch of source.read(from, signal)) {
      const fresh = new Set<string>()
      for (const { symbol } of batch.ticks) if (!known.has(symbol)) fresh.add(symbol)
      if (fresh.size > 0) {
        for (const symbol of fresh) known.add(symbol)
        const described = await instruments.find([...fresh])
        await instruments.add([...fresh].filter((symbol) => !described.has(symbol)).map(undescribed))
        probe.listen(fresh)
      }
      yield batch
    }
  }
  return { name: source.name, read, saved: (checkpoint) => source.saved?.(checkpoint) }
}

/** Resolves when every processor of the topic stands at its end, and their events have left the outbox. */
async function processed({ bus, database, clock, signal }: TapeRun): Promise<void> {
  while (!signal.aborted) {
    const ends = await bus.offsets(TOPIC)
    const rows = await database.query<{ behind: string; waiting: boolean }>(
      'replay_processed',
      `SELECT count(*) FILTER (WHERE c.next_offset < e.high) AS behind, EXISTS (SELECT FROM outbox) AS waiting
       FROM stream_checkpoint c JOIN unnest($2::int[], $3::bigint[]) AS e(part, high) USING (part) WHERE c.topic = $1`,
      [TOPIC, [...ends.keys()], [...ends.values()].map(({ high }) => high)],
    )
    if (rows[0]?.behind === '0' && !rows[0].waiting) return
    await clock.sleep(LOOK_AGAIN_MS, signal)
  }
}
