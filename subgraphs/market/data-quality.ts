import { Field, ID, ObjectType, registerEnumType } from 'type-graphql'
import type { DataQuality, DataQualityKind } from '../../domain/data-quality.ts'
import { DateTime } from '../../platform/graphql/date-time.ts'
import { PageInfo } from '../../platform/graphql/page-info.ts'

export const DataQualityKindEnum = {
  SILENT_SOURCE: 'SILENT_SOURCE',
  SOURCE_RECOVERED: 'SOURCE_RECOVERED',
  STALE_SYMBOL: 'STALE_SYMBOL',
  GAP: 'GAP',
  OUT_OF_ORDER: 'OUT_OF_ORDER',
  JUMP: 'JUMP',
  VENUE_DISAGREEMENT: 'VENUE_DISAGREEMENT',
  CORRECTION: 'CORRECTION',
} as const satisfies { [K in DataQualityKind]: K }

registerEnumType(DataQualityKindEnum, {
  name: 'DataQualityKind',
  description: 'What there is to know before trusting a price.',
  valuesConfig: {
    SILENT_SOURCE: { description: 'Nothing has come from a source for longer than it is ever silent.' },
    SOURCE_RECOVERED: { description: 'A silent source is heard again.' },
    STALE_SYMBOL: { description: 'A symbol is quiet for much longer than usual while its source goes on.' },
    GAP: { description: 'Trades are missing that the source cannot tell again.' },
    OUT_OF_ORDER: { description: 'A trade far older than those before it.' },
    JUMP: { description: "A price far from the one before, measured in the symbol's own usual moves." },
    VENUE_DISAGREEMENT: { description: 'Two sources tell prices of one instrument, at one time, too far apart.' },
    CORRECTION: { description: 'The venue has taken back or corrected a trade.' },
  },
})

/** `DataQuality.instrument` is in `data-quality-resolver.ts`. */
@ObjectType('DataQuality', { description: 'Something to know before trusting a price.' })
export class DataQualityObject {
  @Field(() => DataQualityKindEnum, { description: 'What sort of thing.' })
  kind: DataQualityKind

  @Field(() => String, { description: 'The source it is about, e.g. coinbase:BTC-USD.' })
  source: string

  @Field(() => ID, { nullable: true, description: 'The symbol it is about. Null where it is the whole source.' })
  symbol: string | null

  @Field(() => DateTime, { description: 'Since when, or of which trade, UTC.' })
  eventTime: Date

  @Field(() => DateTime, { description: 'When we noticed, UTC.' })
  ingestTime: Date

  @Field(() => String, { description: 'One sentence for people, with the numbers.' })
  detail: string
}

@ObjectType('DataQualityEdge', { description: 'A piece of data quality in a list, with its place.' })
export class DataQualityEdge {
  @Field(() => DataQualityObject, { description: 'What there is to know.' })
  node: DataQualityObject

  @Field(() => String, { description: 'Opaque: hand it back as `after` to go on behind this edge.' })
  cursor: string
}

@ObjectType('DataQualityConnection', { description: 'A page of what there is to know of prices, the newest first.' })
export class DataQualityConnection {
  @Field(() => [DataQualityEdge], { description: 'What is on the page.' })
  edges: DataQualityEdge[]

  @Field(() => PageInfo, { description: 'Where the page stands.' })
  pageInfo: PageInfo
}

export const dataQualityView = (quality: DataQuality): DataQualityObject => ({
  kind: quality.kind,
  source: quality.source,
  symbol: quality.symbol,
  eventTime: new Date(quality.eventTimeMs),
  ingestTime: new Date(quality.ingestTimeMs),
  detail: quality.detail,
})
