import type { EventBus } from '../platform/bus/bus.ts'
import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import { CheckpointSaver, type CheckpointStore } from './checkpoint-saver.ts'
import { Delivery, type FactEncoder, type RejectStore } from './delivery.ts'
import { GaveUp, Patience } from './patience.ts'
import type { Source, SourceBatch } from './source.ts'

export interface IngestRun<C> {
  readonly source: Source<C>
  readonly bus: Pick<EventBus, 'produce' | 'settled'>
  readonly codec: FactEncoder
  readonly checkpoints: CheckpointStore
  readonly deadLetters: RejectStore
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** Abort to stop. What was acknowledged by then is still saved, within `closeTimeoutMs`. */
  readonly signal: AbortSignal
  readonly options?: Partial<IngestOptions>
}

export interface IngestOptions {
  /** Records per produce call; a larger batch is produced in pieces. */
  readonly recordsMax: number
  readonly saveEveryMs: number
  readonly backoffMsMin: number
  readonly backoffMsMax: number
  /** How long a stop waits for calls in flight, for the bus to settle and for the last checkpoint. */
  readonly closeTimeoutMs: number
}

export const INGEST_DEFAULTS: IngestOptions = {
  recordsMax: 5_000,
  saveEveryMs: 1_000,
  backoffMsMin: 100,
  backoffMsMax: 10_000,
  closeTimeoutMs: 5_000,
}

export interface IngestTotals {
  /** Facts and rejects taken from the source; always `produced + rejected`. */
  readonly read: number
  readonly produced: number
  readonly rejected: number
  readonly elapsedMs: number
  /** The checkpoint it went on from; undefined where it started from the beginning. */
  readonly resumedFrom: unknown
}

/**
 * Reads the source from its saved checkpoint and produces its facts on their topics until it ends or is stopped. At most
 * one batch is in hand and one being read ahead. What was told between the last checkpoint and a crash is told
 * again, ticks with the same positions.
 * @throws what the source throws, and what will not pass by trying again. The checkpoint is saved first, as far as it got.
 */
export async function runIngest<C>(run: IngestRun<C>): Promise<IngestTotals> {
  const { source, clock, log, signal } = run
  const options = { ...INGEST_DEFAULTS, ...run.options }
  const startedMs = clock.now()
  using stops = stopsOf(signal, clock, options.closeTimeoutMs)
  const patience = new Patience({ ...run, ...options, source: source.name, stop: stops.stop, giveUp: stops.giveUp })
  const delivery = new Delivery({ ...run, ...options, source: source.name, patience })
  let resumedFrom: unknown
  try {
    await patience.until('store', 'load its checkpoint', async () => {
      resumedFrom = await run.checkpoints.load(source.name)
    })
    // The source itself refuses a checkpoint that is not one of its own.
    await readAll(run, options, stops, patience, delivery, resumedFrom as C | undefined)
  } catch (error) {
    if (!(error instanceof GaveUp)) throw error
    log.warn(
      { source: source.name, err: error },
      `${source.name} stopped before everything was saved; it will be retold`,
    )
  }
  const { produced, rejected } = delivery
  return { read: produced + rejected, produced, rejected, elapsedMs: clock.now() - startedMs, resumedFrom }
}

async function readAll<C>(
  run: IngestRun<C>,
  options: IngestOptions,
  stops: Stops,
  patience: Patience,
  delivery: Delivery,
  from: C | undefined,
): Promise<void> {
  const saver = new CheckpointSaver<C>({ ...run, ...options, patience }, stops.now)
  const batches = run.source.read(from, stops.stop)[Symbol.asyncIterator]()
  const take = async (batch: SourceBatch<C>) => {
    try {
      await delivery.take(batch)
    } catch (error) {
      // The source may be asleep until far in the future, and what it reads ahead is no longer wanted.
      stops.now()
      throw error
    }
    saver.taken(batch.checkpoint, isBare(batch))
  }
  try {
    let next = await batches.next()
    while (!next.done && !stops.stop.aborted) next = await bothOf(batches.next(), take(next.value))
    await batches.return?.()
  } catch (error) {
    stops.now()
    // What got this far is still saved; whatever fails on the way out, the first error is the one to tell.
    await Promise.allSettled([batches.return?.(), saver.close()])
    throw error
  }
  await saver.close()
}

/** Nothing but a checkpoint. */
const isBare = ({ ticks, facts = [], rejects }: SourceBatch<unknown>) =>
  ticks.length + facts.length + rejects.length === 0

/** Waits for both also where one fails: a source that breaks off does not take along the batch before. */
async function bothOf<T>(reading: Promise<T>, taking: Promise<void>): Promise<T> {
  await Promise.allSettled([reading, taking])
  await taking
  return reading
}

interface Stops extends Disposable {
  readonly stop: AbortSignal
  readonly giveUp: AbortSignal
  readonly now: () => void
}

/** `stop` ends reading and trying again; `giveUp` follows so much later and ends waiting too. */
function stopsOf(signal: AbortSignal, clock: Clock, closeTimeoutMs: number): Stops {
  const stop = new AbortController()
  const giveUp = new AbortController()
  const done = new AbortController()
  const now = () => {
    if (stop.signal.aborted) return
    stop.abort()
    void clock.sleep(closeTimeoutMs, done.signal).then(() => {
      if (!done.signal.aborted) giveUp.abort()
    })
  }
  if (signal.aborted) now()
  else signal.addEventListener('abort', now, { once: true })
  return {
    stop: stop.signal,
    giveUp: giveUp.signal,
    now,
    [Symbol.dispose]: () => {
      signal.removeEventListener('abort', now)
      done.abort()
    },
  }
}
