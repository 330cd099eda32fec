import { upsertSnapshots } from '../platform/store/quote-snapshots.ts'
import { listInstruments } from '../platform/store/tick-writer.ts'
import type { FactSink } from './facts.ts'

/** stock-quotes → the newest picture that each vendor has of a price. What has a price can be found. */
export const quotes: FactSink<'stock-quotes'> = {
  name: 'quotes',
  topic: 'stock-quotes',
  async store(connection, facts) {
    await listInstruments(connection, new Set(facts.map(({ symbol }) => symbol)))
    return upsertSnapshots(connection, facts)
  },
  tell: (publish, quote) => publish('quote', quote.symbol, quote),
}
