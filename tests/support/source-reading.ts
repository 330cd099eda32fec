import { setImmediate as turn } from 'node:timers/promises'
import type { Tick } from '../../domain/tick.ts'
import type { Reject, Source } from '../../ingest/source.ts'
import type { ManualClock } from '../../platform/clock.ts'

export interface Reading<C> {
  readonly ticks: Tick[]
  readonly rejects: Reject[]
  /**
   * After each batch, with how many facts and rejects had been told by then, and what was saved by then: a crash at this
   * moment has told `told` and starts again from `saved`.
   */
  readonly checkpoints: { readonly checkpoint: C; readonly told: number; readonly saved: C | undefined }[]
}

export interface ReadingOptions<C> {
  readonly from?: C
  readonly signal?: AbortSignal
  /** Stops once so many facts and rejects were told. */
  readonly atLeast?: number
  /** Leaves this many batches between what was read and what is saved, as a busy runner does. Default: none. */
  readonly savedBatchesLate?: number
}

/** Reads a source as ingest does: every checkpoint through JSON, as a store would keep it. */
export async function readSource<C>(source: Source<C>, options: ReadingOptions<C> = {}): Promise<Reading<C>> {
  const stop = new AbortController()
  const signal = options.signal ? AbortSignal.any([stop.signal, options.signal]) : stop.signal
  const reading: Reading<C> = { ticks: [], rejects: [], checkpoints: [] }
  const unsaved: C[] = []
  let durable = options.from
  const save = (leave: number) => {
    for (const checkpoint of unsaved.splice(0, Math.max(0, unsaved.length - leave))) {
      durable = checkpoint
      source.saved?.(checkpoint)
    }
  }
  for await (const batch of source.read(options.from, signal)) {
    reading.ticks.push(...batch.ticks)
    reading.rejects.push(...batch.rejects)
    const checkpoint: C = JSON.parse(JSON.stringify(batch.checkpoint))
    const told = reading.ticks.length + reading.rejects.length
    reading.checkpoints.push({ checkpoint, told, saved: durable })
    unsaved.push(checkpoint)
    // Nothing but a checkpoint asks to be saved soon, but what is told until then is told before it is saved.
    if (batch.ticks.length + batch.rejects.length === 0) setImmediate(save, 0)
    else save(options.savedBatchesLate ?? 0)
    if (told >= (options.atLeast ?? Number.POSITIVE_INFINITY)) stop.abort()
  }
  return reading
}

/** Lets time pass in small steps for as long as somebody works. */
export async function passUntil<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let isDone = false
  const done = () => {
    isDone = true
  }
  work.then(done, done)
  while (!isDone) {
    await clock.advance(5)
    await turn()
  }
  return work
}
