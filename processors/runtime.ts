import type { BusConsumer } from '../platform/bus/bus.ts'
import { StreamCheckpoints } from '../platform/store/stream-checkpoints.ts'
import { claimPartitions } from './claim.ts'
import type { Context, ProcessorDeps } from './context.ts'
import { followWatermarks } from './idle.ts'
import { takeIn } from './intake.ts'
import { Lane } from './lane.ts'
import { forgets, type ProcessorSettings, processorOptions } from './options.ts'
import type { Processor } from './processor.ts'
import { Tasks } from './task.ts'
import type { Work } from './work.ts'

export interface RunningProcessor extends AsyncDisposable {
  readonly name: string
  /** The partitions it works on now. */
  readonly partitions: readonly number[]
}

export interface RunOptions<State, W extends Work> extends ProcessorDeps {
  readonly processor: Processor<State, W>
  /** Something is in the outbox: the relay need not wait for its next look. */
  readonly onEvents?: () => void
  readonly options?: ProcessorSettings
}

/**
 * The transactional consumer: state, results and position of a partition move together in one database transaction, and
 * the database decides who owns it. The bus may deliver twice and rebalance when it likes; its own offsets are a hint.
 *
 * Promise: results in the database as if every record were processed once, in order per partition; events out at least
 * once, with ids to tell; told on pubsub only after they are stored. While the database, the registry or the bus are away
 * it waits, and goes on by itself. Resolves when the first partitions were claimed.
 *
 * Bounds: `queueSizeMax` records per partition in memory, `batchSizeMax` per transaction, `lanes` connections.
 */
export async function runProcessor<State, W extends Work>(run: RunOptions<State, W>): Promise<RunningProcessor> {
  const { bus, codec, processor, metrics, onFatal } = run
  const options = processorOptions({ ...run.options, ...(processor.quiet && { lanes: 1 }) })
  const { guards } = options
  const tasks = new Tasks<State, W>()
  const stopping = new AbortController()
  let consumer: BusConsumer | undefined

  const stop = () => {
    stopping.abort()
    tasks.changed.notify()
  }
  const context: Context<State, W> = {
    ...run,
    options,
    tasks,
    reading: processor.reading({ codec, partitions: (await bus.offsets(processor.topic)).size }),
    checkpoints: new StreamCheckpoints(processor.name, processor.topic, {
      offset: guards.compareAndSet,
      epoch: guards.epoch,
    }),
    signal: stopping.signal,
    consumer: () => consumer,
    claimDelaysMs: new Map(),
    onEvents: run.onEvents ?? (() => {}),
    fail: (error) => {
      if (stopping.signal.aborted) return
      stop()
      onFatal(error)
    },
  }

  metrics.processorRecords.inc({ processor: processor.name }, 0)
  const joining = bus.consume({
    group: processor.name,
    topic: processor.topic,
    fetchBytesMax: options.fetchBytesMax,
    lingerMs: processor.fetchLingerMs,
    onRevoked: () => {
      context.claimDelaysMs.clear()
      // What is in memory is worthless once somebody else may have moved on.
      tasks.dropAll(forgets(guards))
    },
    position: (ranges, current) => claimPartitions(context, ranges, current),
    onBatch: (batch, current) => takeIn(context, batch, current),
    onFatal: context.fail,
  })
  // Where the group cannot be joined, a claim that is under way ends too.
  consumer = await joining.catch((error: unknown) => {
    stop()
    throw error
  })
  const lanes = Array.from({ length: options.lanes }, (_, number) =>
    new Lane(context, number).run().catch(context.fail),
  )
  const following = followWatermarks(context)

  return {
    name: processor.name,
    get partitions() {
      return tasks
        .all()
        .filter((task) => !task.dropped)
        .map((task) => task.partition)
    },
    async [Symbol.asyncDispose]() {
      stop()
      // The lanes first, so that what they committed is still told to the group when the consumer closes.
      await Promise.all([...lanes, following])
      await consumer?.[Symbol.asyncDispose]()
    },
  }
}
