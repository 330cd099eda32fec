import { upsertHistoricalBars } from '../platform/store/historical-bars.ts'
import { listInstruments } from '../platform/store/tick-writer.ts'
import type { FactSink } from './facts.ts'

/** stock-history → bars as vendors computed them. Nobody is told: they are about times that have passed. */
export const history: FactSink<'stock-history'> = {
  name: 'history',
  topic: 'stock-history',
  async store(connection, facts) {
    await listInstruments(connection, new Set(facts.map(({ symbol }) => symbol)))
    await upsertHistoricalBars(connection, facts)
    return []
  },
}
