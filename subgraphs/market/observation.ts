import { Field, Float, ID, ObjectType } from 'type-graphql'
import { CalendarDate } from '../../platform/graphql/calendar-date.ts'
import { DateTime } from '../../platform/graphql/date-time.ts'
import { PageInfo } from '../../platform/graphql/page-info.ts'
import type { StoredObservation } from './economic-stores.ts'

/** `Observation.series` is in `observation-resolver.ts`. */
@ObjectType('Observation', {
  description:
    'One value of one series for one period, as it was known from `vintage` on. A revision is another observation of the same period.',
})
export class ObservationObject {
  @Field(() => ID, { description: 'Id of the series.' })
  seriesId: string

  @Field(() => CalendarDate, { description: 'First day of the period it is about.' })
  date: string

  @Field(() => Float, {
    nullable: true,
    description: 'In the unit of the series. Null where the publisher says that there is none, as on a holiday.',
  })
  value: number | null

  @Field(() => CalendarDate, { description: 'The first day on which this value was the known one.' })
  vintage: string

  @Field(() => DateTime, {
    description: "When it was released; the first moment of the day, at the publisher's, where only the day is told.",
  })
  releasedAt: Date

  @Field(() => DateTime, { description: 'When we first saw it, UTC.' })
  ingestTime: Date
}

@ObjectType('ObservationEdge', { description: 'An observation in a list, with its place.' })
export class ObservationEdge {
  @Field(() => ObservationObject, { description: 'The observation.' })
  node: ObservationObject

  @Field(() => String, { description: 'Opaque: hand it back as `after` to go on behind this edge.' })
  cursor: string
}

@ObjectType('ObservationConnection', { description: 'A page of observations, one a period, the oldest period first.' })
export class ObservationConnection {
  @Field(() => [ObservationEdge], { description: 'The observations of the page.' })
  edges: ObservationEdge[]

  @Field(() => PageInfo, { description: 'Where the page stands.' })
  pageInfo: PageInfo
}

export const observationView = (observation: StoredObservation): ObservationObject => ({
  seriesId: observation.seriesId,
  date: observation.date,
  value: observation.value,
  vintage: observation.vintage,
  releasedAt: new Date(observation.releasedAtMs),
  ingestTime: new Date(observation.ingestTimeMs),
})
