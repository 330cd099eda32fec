import { licenceOf } from '../domain/vendors.ts'
import type { Fact } from '../platform/bus/topics.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { Source, SourceBatch } from './source.ts'

/** Who is served: whoever runs the platform, or anybody. */
export type Audience = 'personal' | 'public'

/**
 * The same source, told to the audience. To the public only what may be redistributed: anything else is withheld here, at
 * the door, so that it is in no table, topic or channel from which it could leave. Counted; the checkpoint moves on.
 */
export function toldTo(audience: Audience, source: Source, metrics: Metrics): Source {
  if (audience === 'personal') return source
  async function* read(from: unknown, signal: AbortSignal): AsyncIterable<SourceBatch<unknown>> {
    for await (const batch of source.read(from, signal)) {
      const ticks = batch.ticks.filter((tick) => licenceOf(tick.source) === 'REDISTRIBUTABLE')
      const facts = (batch.facts ?? []).filter((fact) => licenceOfFact(fact) === 'REDISTRIBUTABLE')
      const withheld = batch.ticks.length + (batch.facts?.length ?? 0) - ticks.length - facts.length
      if (withheld > 0) metrics.ingestWithheld.inc({ source: source.name }, withheld)
      yield { ...batch, ticks, facts }
    }
  }
  return { name: source.name, read, saved: (checkpoint) => source.saved?.(checkpoint) }
}

function licenceOfFact({ topic, event }: Fact) {
  if (topic === 'economic-data') return event.series.licence
  // About a source, and ours to tell.
  if (topic === 'data-quality') return 'REDISTRIBUTABLE'
  return event.licence
}
