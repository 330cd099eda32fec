import { Bars } from './bars.ts'
import type { ProcessorDeps } from './context.ts'
import type { ProcessorSettings } from './options.ts'
import { OutboxRelay } from './outbox-relay.ts'
import { type RunningProcessor, runProcessor } from './runtime.ts'
import { Ticks } from './ticks.ts'

export const PROCESSORS = ['ticks', 'bars'] as const
export type ProcessorName = (typeof PROCESSORS)[number]

/**
 * The processors of this process and the relay of their events. The relay works once over all processes, however many
 * have one. Stops in reverse order: first the processors, then the relay.
 */
export async function startProcessors(
  names: readonly ProcessorName[],
  deps: ProcessorDeps,
  options?: ProcessorSettings,
): Promise<AsyncDisposable> {
  await using started = new AsyncDisposableStack()
  const relay = started.use(new OutboxRelay(deps))
  const run = { ...deps, onEvents: relay.nudge, ...(options && { options }) }
  const start = (name: ProcessorName): Promise<RunningProcessor> => {
    if (name === 'ticks') return runProcessor({ ...run, processor: new Ticks(deps) })
    return runProcessor({ ...run, processor: new Bars(deps.codec) })
  }
  const starts = await Promise.allSettled(names.map(start))
  for (const each of starts) if (each.status === 'fulfilled') started.use(each.value)
  for (const each of starts) if (each.status === 'rejected') throw each.reason
  return started.move()
}
