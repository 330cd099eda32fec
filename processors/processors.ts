import { Bars } from './bars.ts'
import type { ProcessorDeps } from './context.ts'
import { economics, releases } from './economics.ts'
import { Facts } from './facts.ts'
import { history } from './history.ts'
import { news } from './news.ts'
import type { ProcessorSettings } from './options.ts'
import { OutboxRelay } from './outbox-relay.ts'
import { quality } from './quality.ts'
import { quotes } from './quotes.ts'
import { type RunningProcessor, runProcessor } from './runtime.ts'
import { Ticks } from './ticks.ts'
import { Watch } from './watch.ts'

type Run = ProcessorDeps & { readonly onEvents: () => void; readonly options?: ProcessorSettings }

/** What each name stands for. Each reads a topic of its own as a group of its own; none waits for another. */
const STARTS = {
  ticks: (run: Run) => [runProcessor({ ...run, processor: new Ticks(run) })],
  bars: (run: Run) => [runProcessor({ ...run, processor: new Bars(run.codec) })],
  watch: (run: Run) => [runProcessor({ ...run, processor: new Watch(run) })],
  quotes: (run: Run) => [runProcessor({ ...run, processor: new Facts(quotes, run) })],
  history: (run: Run) => [runProcessor({ ...run, processor: new Facts(history, run) })],
  news: (run: Run) => [runProcessor({ ...run, processor: new Facts(news, run) })],
  economics: (run: Run) => [
    runProcessor({ ...run, processor: new Facts(economics, run) }),
    runProcessor({ ...run, processor: new Facts(releases, run) }),
  ],
  quality: (run: Run) => [runProcessor({ ...run, processor: new Facts(quality, run) })],
} satisfies Record<string, (run: Run) => Promise<RunningProcessor>[]>

export type ProcessorName = keyof typeof STARTS
export const PROCESSORS = Object.keys(STARTS) as readonly ProcessorName[]

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
  const starts = await Promise.allSettled(names.flatMap((name) => STARTS[name](run)))
  for (const each of starts) if (each.status === 'fulfilled') started.use(each.value)
  for (const each of starts) if (each.status === 'rejected') throw each.reason
  return started.move()
}
