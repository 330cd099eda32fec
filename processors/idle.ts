import type { SourceMarks } from '../platform/store/stream-checkpoints.ts'
import type { Context } from './context.ts'
import type { Follow } from './reading.ts'
import type { Task } from './task.ts'
import type { Work } from './work.ts'

/** Looks this often within `idleAfterMs`, so that a partition is seen while it is still active. */
const LOOKS_PER_IDLE_TIME = 3
const LOOK_MS_MAX = 5_000

/**
 * Lets watermarks pass where nothing comes: a source that is silent in one partition has passed, there too, the event
 * time that it has passed in all partitions where it is heard. So the last bars of quiet symbols close.
 *
 * This one step reads the wall clock. It moves nothing where records wait to be read: first the watermarks of the others
 * are read, then the end of the log, and only who has read to that end follows. Ends at once where there are no watermarks.
 */
export async function followWatermarks<State, W extends Work>(context: Context<State, W>): Promise<void> {
  if (!context.reading.follow) return
  const { clock, log, options, processor, signal } = context
  const lookMs = Math.min(LOOK_MS_MAX, Math.ceil(options.idleAfterMs / LOOKS_PER_IDLE_TIME))
  while (!signal.aborted) {
    await clock.sleep(lookMs, signal)
    if (signal.aborted) return
    try {
      await followOnce(context)
    } catch (error) {
      // The database or the bus is away: nobody can tell who is idle.
      log.debug({ err: error, processor: processor.name }, 'cannot look for idle partitions')
    }
  }
}

async function followOnce<State, W extends Work>(context: Context<State, W>): Promise<void> {
  const { bus, checkpoints, clock, database, options, processor, reading, tasks } = context
  const clockOf = reading.clockOf ?? ((source: string) => source)
  const activeSinceMs = clock.now() - options.idleAfterMs
  tellLag(context, activeSinceMs)
  const silent = tasks.all().filter((task) => silentSources(task, activeSinceMs).length > 0)
  if (silent.length === 0) return
  const lowest = lowestActive(await checkpoints.sources(database.pool), clockOf, activeSinceMs)
  if (lowest.size === 0) return
  const ranges = await bus.offsets(processor.topic)
  for (const task of silent) {
    const range = ranges.get(task.partition)
    if (task.dropped || !range || task.expectedOffset < range.high) continue
    const follows = silentSources(task, activeSinceMs).flatMap((source): Follow[] => {
      const watermarkMs = lowest.get(clockOf(source))
      return watermarkMs !== undefined && watermarkMs > task.progress.watermarkMs(source)
        ? [{ source, watermarkMs }]
        : []
    })
    if (follows.length > 0) follow(context, task, follows)
  }
}

const silentSources = <State, W extends Work>(task: Task<State, W>, activeSinceMs: number): string[] =>
  [...task.progress.snapshot()].filter(([, { seenAtMs }]) => seenAtMs < activeSinceMs).map(([source]) => source)

/** Per clock, over the partitions where a source that goes by it is heard. */
function lowestActive(
  partitions: ReadonlyMap<number, SourceMarks>,
  clockOf: (source: string) => string,
  activeSinceMs: number,
): Map<string, number> {
  const lowest = new Map<string, number>()
  for (const sources of partitions.values())
    for (const [source, { watermarkMs, seenAtMs }] of sources) {
      if (seenAtMs < activeSinceMs) continue
      const clock = clockOf(source)
      lowest.set(clock, Math.min(watermarkMs, lowest.get(clock) ?? watermarkMs))
    }
  return lowest
}

/** Through the queue, like records: it stands between what came before and what comes after. */
function follow<State, W extends Work>(
  { reading, tasks }: Context<State, W>,
  task: Task<State, W>,
  follows: readonly Follow[],
): void {
  for (const { source, watermarkMs } of follows) task.progress.follow(source, watermarkMs)
  const work = reading.follow?.(task.partition, follows, task.expectedOffset, task.progress)
  if (work) tasks.enqueue(task, work)
}

function tellLag<State, W extends Work>(
  { clock, metrics, processor, tasks }: Context<State, W>,
  activeSinceMs: number,
): void {
  const active = tasks
    .all()
    .flatMap((task) => [...task.progress.snapshot().values()])
    .filter(({ seenAtMs }) => seenAtMs >= activeSinceMs)
  if (active.length === 0) return
  const lowestMs = Math.min(...active.map(({ watermarkMs }) => watermarkMs))
  metrics.processorWatermarkLag.set({ processor: processor.name }, (clock.now() - lowestMs) / 1000)
}
