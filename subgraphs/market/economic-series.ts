import { Field, ID, ObjectType, registerEnumType } from 'type-graphql'
import type { EconomicSeries, Frequency } from '../../domain/observation.ts'
import { attributionOf, type Licence } from '../../domain/vendors.ts'
import { LicenceEnum } from '../../platform/graphql/licence.ts'
import { PageInfo } from '../../platform/graphql/page-info.ts'

export const FrequencyEnum = {
  DAILY: 'DAILY',
  WEEKLY: 'WEEKLY',
  BIWEEKLY: 'BIWEEKLY',
  MONTHLY: 'MONTHLY',
  QUARTERLY: 'QUARTERLY',
  SEMIANNUAL: 'SEMIANNUAL',
  ANNUAL: 'ANNUAL',
  IRREGULAR: 'IRREGULAR',
} as const satisfies { [F in Frequency]: F }

registerEnumType(FrequencyEnum, {
  name: 'Frequency',
  description: 'How long the periods are that the values of a series are about.',
  valuesConfig: {
    DAILY: { description: 'A day, as a rule a business day.' },
    WEEKLY: { description: 'A week.' },
    BIWEEKLY: { description: 'Two weeks.' },
    MONTHLY: { description: 'A month.' },
    QUARTERLY: { description: 'Three months.' },
    SEMIANNUAL: { description: 'Half a year.' },
    ANNUAL: { description: 'A year.' },
    IRREGULAR: { description: 'As it comes.' },
  },
})

/** `latest` and `observations` are in `economic-series-resolver.ts`. */
@ObjectType('EconomicSeries', { description: 'What a publisher measures again and again: a rate, an index, a price.' })
export class EconomicSeriesObject {
  @Field(() => ID, { description: "FRED's own id, e.g. CPIAUCSL, else the publisher's before a dot, e.g. ECB.EURUSD." })
  id: string

  @Field(() => String, { description: 'What it measures.' })
  title: string

  @Field(() => String, { description: 'What its values count, as the publisher says, e.g. Percent.' })
  unit: string

  @Field(() => FrequencyEnum, { description: 'How long its periods are.' })
  frequency: Frequency

  @Field(() => Boolean, { description: 'True where the publisher has taken the usual course of a year out of it.' })
  seasonallyAdjusted: boolean

  @Field(() => String, { description: 'Who told us, e.g. fred.' })
  source: string

  @Field(() => LicenceEnum, { description: 'What may be done with its values.' })
  licence: Licence

  @Field(() => String, {
    nullable: true,
    description: "What the source's terms ask to be shown beside it. Null where they ask nothing.",
  })
  attribution?: string
}

@ObjectType('EconomicSeriesEdge', { description: 'A series in a list, with its place.' })
export class EconomicSeriesEdge {
  @Field(() => EconomicSeriesObject, { description: 'The series.' })
  node: EconomicSeriesObject

  @Field(() => String, { description: 'Opaque: hand it back as `after` to go on behind this edge.' })
  cursor: string
}

@ObjectType('EconomicSeriesConnection', { description: 'A page of series, in order of id.' })
export class EconomicSeriesConnection {
  @Field(() => [EconomicSeriesEdge], { description: 'The series of the page.' })
  edges: EconomicSeriesEdge[]

  @Field(() => PageInfo, { description: 'Where the page stands.' })
  pageInfo: PageInfo
}

export const economicSeriesView = ({ seriesId, ...series }: EconomicSeries): EconomicSeriesObject => ({
  ...series,
  id: seriesId,
  attribution: attributionOf(series.source),
})
