import type { Source, SourceBatch } from '../source.ts'
import type { Feed } from './feed.ts'
import type { PolledCheckpoint } from './feed-progress.ts'
import { Polling } from './polling.ts'
import type { PolledSourceOptions } from './polling-options.ts'

/**
 * Asks a vendor's feeds, each when it is due, the most wanted first, and no more than its budget lasts for. What fails is
 * tried again later and for ever; a feed that the vendor does not know is put aside until the next start; only a vendor
 * that has refused every key ends the source. A feed's cursor moves with what it told, so a crash between the two asks
 * again and tells the same facts again.
 */
export const polledSource = (options: PolledSourceOptions): Source<PolledCheckpoint> => ({
  name: options.name,
  read: (from, signal): AsyncIterable<SourceBatch<PolledCheckpoint>> => new Polling(options, from).run(signal),
  reparse: (feed, original) => feedNamed(options, feed)?.reparse(original),
})

/** A feed of a symbol is named for it, `quote:AAPL`, and is there also where the symbol is not configured any more. */
function feedNamed({ feedsOf, context }: PolledSourceOptions, name: string): Feed | undefined {
  const symbols = new Set([...context.settings.symbols, name.slice(name.indexOf(':') + 1)])
  return feedsOf([...symbols]).find((feed) => feed.name === name)
}
