import type { OffsetRange } from '../platform/bus/bus.ts'
import type { Claim } from '../platform/store/stream-checkpoints.ts'
import type { Context } from './context.ts'
import { openTask, type Task } from './task.ts'
import type { Work } from './work.ts'

const RETRY_MS_MIN = 50
const RETRY_MS_MAX = 1_000

/**
 * Takes partitions over, in the database: nobody who had them before can commit any more. Answers where to go on.
 * Waits for as long as the database is away. Called again by every assignment, and after every failure.
 */
export async function claimPartitions<State, W extends Work>(
  context: Context<State, W>,
  ranges: ReadonlyMap<number, OffsetRange>,
  current: () => boolean,
): Promise<ReadonlyMap<number, number>> {
  const { clock, log, signal, tasks } = context
  const running = () => current() && !signal.aborted
  await waitForTurn(context, [...ranges.keys()], running)
  for (let retryMs = RETRY_MS_MIN; running(); retryMs = Math.min(2 * retryMs, RETRY_MS_MAX)) {
    try {
      const claims = await claimOnce(context, ranges, running)
      // Whoever has taken over meanwhile raises the epoch again; what was claimed here just lapses.
      if (!running()) break
      return new Map(claims.map((claim) => [claim.partition, begin(context, claim)]))
    } catch (error) {
      log.warn({ err: error, processor: context.processor.name }, 'cannot claim partitions yet, trying again')
      await clock.sleep(retryMs, signal)
    }
  }
  tasks.changed.notify()
  return new Map()
}

/** A partition that failed, or that somebody else took, waits first; unless the bus assigns it anew. */
async function waitForTurn<State, W extends Work>(
  context: Context<State, W>,
  partitions: readonly number[],
  running: () => boolean,
) {
  const untilMs = context.clock.now() + Math.max(0, ...partitions.map((p) => context.claimDelaysMs.get(p) ?? 0))
  for (const partition of partitions) context.claimDelaysMs.delete(partition)
  for (let leftMs = untilMs - context.clock.now(); leftMs > 0 && running(); leftMs = untilMs - context.clock.now())
    await context.clock.sleep(Math.min(leftMs, RETRY_MS_MAX), context.signal)
}

async function claimOnce<State, W extends Work>(
  context: Context<State, W>,
  ranges: ReadonlyMap<number, OffsetRange>,
  wanted: () => boolean,
): Promise<Claim[]> {
  const { checkpoints, database, options } = context
  const firstOffsets = new Map([...ranges].map(([partition, { low }]) => [partition, low]))
  const connection = await database.checkout()
  try {
    // The owner before us may be frozen inside a transaction; the database ends that first.
    const claims = await checkpoints.claim(connection, firstOffsets, options.transactionTimeoutMs + 5_000, wanted)
    connection.release()
    return claims
  } catch (error) {
    connection.release(true)
    throw error
  }
}

/** Answers the offset to go on from. */
function begin<State, W extends Work>(context: Context<State, W>, claim: Claim): number {
  const { guards } = context.options
  const before = context.tasks.get(claim.partition)
  const task = openTask<State, W>(claim, context.processor.open(claim))
  if (before && !guards.drop) context.tasks.put(revive(before, task))
  else {
    if (before) context.tasks.drop(before)
    context.tasks.put(task)
  }
  return guards.position ? claim.nextOffset : Math.max(claim.nextOffset, before?.expectedOffset ?? 0)
}

/** Only without the guard `drop`: the old state goes on under the new claim. */
const revive = <State, W extends Work>(before: Task<State, W>, claimed: Task<State, W>): Task<State, W> => ({
  ...claimed,
  state: before.state,
})
