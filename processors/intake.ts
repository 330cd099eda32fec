import { isPlatformError, PlatformError } from '../domain/errors.ts'
import type { BusRecord, RecordBatch } from '../platform/bus/bus.ts'
import { UnknownSchemaId } from '../platform/bus/wire-format.ts'
import type { Context } from './context.ts'
import type { Batch } from './reading.ts'
import type { Task } from './task.ts'
import type { RejectedRecord, Work } from './work.ts'

/** Records decoded, and not yet compared with what was seen before. */
interface Decoded<W extends Work> {
  readonly batch: Batch<W>
  readonly rejects: RejectedRecord[]
  readonly nextOffset: number
}

/**
 * Decodes a batch while the database works on those before it, and queues it. Resolves when it is queued, or told where it is
 * a small one; waits while the queue is full, and that is what slows the bus down. Rejects only where the registry cannot be
 * asked.
 */
export async function takeIn<State, W extends Work>(
  context: Context<State, W>,
  batch: RecordBatch,
  current: () => boolean,
): Promise<void> {
  const { options, tasks } = context
  const task = tasks.get(batch.partition)
  // Without a task the partition is about to be claimed again, and what is dropped here comes again.
  const usable = () => task !== undefined && !task.dropped && current() && !context.signal.aborted
  if (!task || !usable()) return
  await refuseGap(context, task, batch)
  const chunks: Decoded<W>[] = []
  for (let from = 0; from < batch.records.length || from === 0; from += options.batchSizeMax) {
    const records = batch.records.slice(from, from + options.batchSizeMax)
    const last = from + records.length >= batch.records.length
    chunks.push(await decode(context, task, records, last ? batch.nextOffset : records[records.length - 1].offset + 1))
  }
  if (task.queuedCount >= options.queueSizeMax) {
    context.metrics.processorBackpressure.inc({ processor: context.processor.name })
    while (usable() && task.queuedCount >= options.queueSizeMax) await tasks.changed.wait()
  }
  if (!usable()) return
  // Nothing is awaited from here on: what was seen, what is expected and what is queued move in one step.
  for (const chunk of chunks) enqueue(context, task, chunk)
  if (batch.records.length > options.waveSizeMax) return
  while (usable() && task.toldOffset < task.expectedOffset) await tasks.changed.wait()
}

/**
 * Offsets may jump over markers and compacted records. If what we need is gone from the bus, then the bus went on
 * somewhere else by itself, and going on would lose records without a word.
 */
async function refuseGap<State, W extends Work>(
  context: Context<State, W>,
  task: Task<State, W>,
  batch: RecordBatch,
): Promise<void> {
  const first = batch.records[0]?.offset ?? batch.nextOffset
  if (first <= task.expectedOffset || !context.options.guards.position) return
  const { name, topic } = context.processor
  const low = (await context.bus.offsets(topic)).get(batch.partition)?.low ?? 0
  if (low <= task.expectedOffset) return
  const lost = new PlatformError(
    'OFFSET_LOST',
    `${name} has to go on at offset ${task.expectedOffset} of ${topic}[${batch.partition}], but the bus holds nothing before ${low}`,
  )
  context.fail(lost)
  throw lost
}

async function decode<State, W extends Work>(
  context: Context<State, W>,
  task: Task<State, W>,
  records: readonly BusRecord[],
  nextOffset: number,
): Promise<Decoded<W>> {
  const batch = context.reading.open(task.partition, records.length)
  const rejects: RejectedRecord[] = []
  for (const record of records) {
    if (record.offset < task.expectedOffset) continue
    try {
      batch.add(record)
    } catch (error) {
      const rejected = await retryOrReject(context, record, batch, error)
      if (rejected) rejects.push(rejected)
    }
  }
  return { batch, rejects, nextOffset }
}

/** A record of a schema that we had not met decodes once it is learnt. */
async function retryOrReject<State, W extends Work>(
  context: Context<State, W>,
  record: BusRecord,
  batch: Batch<W>,
  error: unknown,
): Promise<RejectedRecord | undefined> {
  let failure = error
  if (failure instanceof UnknownSchemaId && (await context.codec.learn(failure.id))) {
    try {
      batch.add(record)
      return undefined
    } catch (again) {
      failure = again
    }
  }
  if (isPlatformError(failure)) return { record, code: failure.code, reason: failure.message }
  context.fail(failure instanceof Error ? failure : new Error(String(failure)))
  throw failure
}

function enqueue<State, W extends Work>(
  { clock, tasks }: Context<State, W>,
  task: Task<State, W>,
  { batch, rejects, nextOffset }: Decoded<W>,
): void {
  if (nextOffset <= task.expectedOffset) return
  task.expectedOffset = nextOffset
  tasks.enqueue(task, batch.finish(rejects, nextOffset, task.progress, clock.now()))
}
