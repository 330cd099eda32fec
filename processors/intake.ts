import { isPlatformError, PlatformError } from '../domain/errors.ts'
import { TickColumns } from '../domain/tick-columns.ts'
import type { BusRecord, RecordBatch } from '../platform/bus/bus.ts'
import { UnknownSchemaId } from '../platform/bus/wire-format.ts'
import type { Context } from './context.ts'
import type { RejectedRecord } from './processor.ts'
import type { Task } from './task.ts'

/** Records decoded, and not yet compared with what was seen before. */
interface Decoded {
  readonly ticks: TickColumns
  readonly originals: BusRecord[]
  readonly rejects: RejectedRecord[]
  readonly nextOffset: number
}

/**
 * Decodes a batch while the database works on those before it, and queues it. Resolves when it is queued; waits while the
 * queue is full, and that is what slows the bus down. Rejects only where the registry cannot be asked.
 */
export async function takeIn<State>(
  context: Context<State>,
  batch: RecordBatch,
  current: () => boolean,
): Promise<void> {
  const { options, tasks } = context
  const task = tasks.get(batch.partition)
  // Without a task the partition is about to be claimed again, and what is dropped here comes again.
  const usable = () => task !== undefined && !task.dropped && current() && !context.signal.aborted
  if (!task || !usable()) return
  await refuseGap(context, task, batch)
  const chunks: Decoded[] = []
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
}

/**
 * Offsets may jump over markers and compacted records. If what we need is gone from the bus, then the bus went on
 * somewhere else by itself, and going on would lose records without a word.
 */
async function refuseGap<State>(context: Context<State>, task: Task<State>, batch: RecordBatch): Promise<void> {
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

async function decode<State>(
  context: Context<State>,
  task: Task<State>,
  records: readonly BusRecord[],
  nextOffset: number,
): Promise<Decoded> {
  const { codec, processor } = context
  const ticks = new TickColumns(records.length)
  const originals: BusRecord[] = []
  const rejects: RejectedRecord[] = []
  for (const record of records) {
    if (record.offset < task.expectedOffset) continue
    try {
      codec.decodeTick(record.value, record.offset, ticks)
    } catch (error) {
      const rejected = await retryOrReject(context, record, ticks, error)
      if (rejected) {
        rejects.push(rejected)
        continue
      }
    }
    const misplaced = takeBackMisplaced(context, task.partition, record, ticks)
    if (misplaced) rejects.push(misplaced)
    else if (processor.keepsOriginals) originals.push(record)
  }
  return { ticks, originals, rejects, nextOffset }
}

/** The tick just decoded, where it is not in the partition of its symbol. */
function takeBackMisplaced<State>(
  { placement, processor }: Context<State>,
  partition: number,
  record: BusRecord,
  ticks: TickColumns,
): RejectedRecord | undefined {
  const symbol = ticks.symbol[ticks.length - 1]
  const belongs = placement.of(symbol)
  if (belongs === partition) return undefined
  ticks.length--
  return {
    record,
    code: 'INVALID_EVENT',
    reason: `A tick of ${symbol} belongs to partition ${belongs} of ${processor.topic} and was in ${partition}: its key must be its symbol, placed by murmur2 like Kafka's Java client does`,
  }
}

/** A record of a schema that we had not met decodes once it is learnt. */
async function retryOrReject<State>(
  context: Context<State>,
  record: BusRecord,
  ticks: TickColumns,
  error: unknown,
): Promise<RejectedRecord | undefined> {
  let failure = error
  if (failure instanceof UnknownSchemaId && (await context.codec.learn(failure.id))) {
    try {
      context.codec.decodeTick(record.value, record.offset, ticks)
      return undefined
    } catch (again) {
      failure = again
    }
  }
  if (isPlatformError(failure)) return { record, code: failure.code, reason: failure.message }
  context.fail(failure instanceof Error ? failure : new Error(String(failure)))
  throw failure
}

function enqueue<State>(context: Context<State>, task: Task<State>, decoded: Decoded): void {
  if (decoded.nextOffset <= task.expectedOffset) return
  const duplicates = dropDuplicates(task, decoded, context.clock.now())
  task.expectedOffset = decoded.nextOffset
  context.tasks.enqueue(task, {
    ...decoded,
    partition: task.partition,
    follows: [],
    duplicates,
    sources: task.progress.snapshot(),
  })
}

/** Keeps the rows that are new to their source, in order and in place. Answers how many were not. */
function dropDuplicates<State>(task: Task<State>, { ticks, originals }: Decoded, nowMs: number): number {
  let kept = 0
  for (let i = 0; i < ticks.length; i++) {
    if (!task.progress.admit(ticks.source[i], ticks.position[i], ticks.eventTimeMs[i], nowMs)) continue
    if (kept !== i) {
      ticks.move(i, kept)
      if (originals.length > 0) originals[kept] = originals[i]
    }
    kept++
  }
  const dropped = ticks.length - kept
  ticks.length = kept
  if (originals.length > kept) originals.length = kept
  return dropped
}
