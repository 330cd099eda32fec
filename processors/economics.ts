import { EVERY_KEY } from '../platform/pubsub/pubsub.ts'
import { upsertReleases } from '../platform/store/economic-releases.ts'
import { appendObservations } from '../platform/store/observations.ts'
import type { FactSink } from './facts.ts'

/** economic-data → series and observations, each value once by period and vintage. */
export const economics: FactSink<'economic-data'> = {
  name: 'economics',
  topic: 'economic-data',
  store: appendObservations,
  async tell(publish, observation) {
    const keys = [observation.series.seriesId, EVERY_KEY]
    await Promise.all(keys.map((key) => publish('observation', key, observation)))
  },
}

/** economic-releases → the calendar of publications. */
export const releases: FactSink<'economic-releases'> = {
  name: 'releases',
  topic: 'economic-releases',
  async store(connection, facts) {
    await upsertReleases(connection, facts)
    return []
  },
}
