import { Field, ID, ObjectType } from 'type-graphql'
import type { EconomicRelease } from '../../domain/observation.ts'
import { attributionOf, type Licence } from '../../domain/vendors.ts'
import { CalendarDate } from '../../platform/graphql/calendar-date.ts'
import { DateTime } from '../../platform/graphql/date-time.ts'
import { LicenceEnum } from '../../platform/graphql/licence.ts'
import { PageInfo } from '../../platform/graphql/page-info.ts'

@ObjectType('EconomicRelease', { description: 'A planned or past publication of economic figures.' })
export class EconomicReleaseObject {
  @Field(() => ID, { description: "The source's own id of what is published again and again, e.g. 10 for FRED's CPI." })
  releaseId: string

  @Field(() => String, { description: 'What is published, e.g. Consumer Price Index.' })
  name: string

  @Field(() => CalendarDate, { description: 'The day of publication.' })
  date: string

  @Field(() => DateTime, {
    nullable: true,
    description: 'The moment of publication. Null where only the day is known.',
  })
  releasesAt: Date | null

  @Field(() => String, { description: 'Who told us, e.g. fred.' })
  source: string

  @Field(() => LicenceEnum, { description: 'What may be done with it.' })
  licence: Licence

  @Field(() => String, {
    nullable: true,
    description: "What the source's terms ask to be shown beside it. Null where they ask nothing.",
  })
  attribution?: string

  @Field(() => DateTime, { description: 'When we first saw it, UTC.' })
  ingestTime: Date
}

@ObjectType('EconomicReleaseEdge', { description: 'A release in a list, with its place.' })
export class EconomicReleaseEdge {
  @Field(() => EconomicReleaseObject, { description: 'The release.' })
  node: EconomicReleaseObject

  @Field(() => String, { description: 'Opaque: hand it back as `after` to go on behind this edge.' })
  cursor: string
}

@ObjectType('EconomicReleaseConnection', { description: 'A page of releases, the earliest day first.' })
export class EconomicReleaseConnection {
  @Field(() => [EconomicReleaseEdge], { description: 'The releases of the page.' })
  edges: EconomicReleaseEdge[]

  @Field(() => PageInfo, { description: 'Where the page stands.' })
  pageInfo: PageInfo
}

export const economicReleaseView = ({
  releasesAtMs,
  ingestTimeMs,
  ...release
}: EconomicRelease): EconomicReleaseObject => ({
  ...release,
  releasesAt: releasesAtMs === null ? null : new Date(releasesAtMs),
  ingestTime: new Date(ingestTimeMs),
  attribution: attributionOf(release.source),
})
