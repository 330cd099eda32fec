import type { BusConsumer, EventBus } from '../platform/bus/bus.ts'
import type { EventCodec } from '../platform/bus/codec.ts'
import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { PubSub } from '../platform/pubsub/pubsub.ts'
import type { Database } from '../platform/store/database.ts'
import type { StreamCheckpoints } from '../platform/store/stream-checkpoints.ts'
import { forgets, type ProcessorOptions } from './options.ts'
import type { Processor } from './processor.ts'
import type { Reading } from './reading.ts'
import type { Tasks } from './task.ts'
import type { Work } from './work.ts'

/** What every processor is given. */
export interface ProcessorDeps {
  readonly bus: EventBus
  readonly codec: EventCodec
  readonly database: Pick<Database, 'pool' | 'checkout'>
  readonly publish: PubSub['publish']
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** The processor has stopped and will not go on by itself: somebody has to read the error. */
  readonly onFatal: (error: Error) => void
}

/** What the parts of one running processor share. */
export interface Context<State, W extends Work> extends ProcessorDeps {
  readonly processor: Processor<State, W>
  readonly reading: Reading<W>
  readonly options: ProcessorOptions
  readonly tasks: Tasks<State, W>
  readonly checkpoints: StreamCheckpoints
  /** Aborts when the processor stops, whether asked to or by a fatal error. */
  readonly signal: AbortSignal
  readonly consumer: () => BusConsumer | undefined
  readonly fail: (error: Error) => void
  /** How long the next claim of a partition has to wait. */
  readonly claimDelaysMs: Map<number, number>
  /** Something is in the outbox. */
  readonly onEvents: () => void
}

/** Gives the tasks up and starts again from what the database says, after the delay. */
export function restart<State, W extends Work>(
  context: Context<State, W>,
  partitions: readonly number[],
  delayMs: number,
): void {
  for (const partition of partitions) {
    const task = context.tasks.get(partition)
    if (task) context.tasks.drop(task, forgets(context.options.guards))
    context.claimDelaysMs.set(partition, delayMs)
  }
  if (!context.signal.aborted) context.consumer()?.reposition(partitions)
}
