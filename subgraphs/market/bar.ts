import { Field, Float, ID, Int, ObjectType, registerEnumType } from 'type-graphql'
import type { Bar, BarInterval } from '../../domain/bar.ts'
import type { Licence } from '../../domain/vendors.ts'
import { DateTime } from '../../platform/graphql/date-time.ts'
import { LicenceEnum } from '../../platform/graphql/licence.ts'
import { PageInfo } from '../../platform/graphql/page-info.ts'

export const BarIntervalEnum = {
  ONE_MINUTE: '1m',
  FIVE_MINUTES: '5m',
  ONE_HOUR: '1h',
  ONE_DAY: '1d',
} as const satisfies Record<string, BarInterval>

registerEnumType(BarIntervalEnum, {
  name: 'BarInterval',
  description: 'How long a bar is. Bars start on whole intervals, UTC.',
  valuesConfig: {
    ONE_MINUTE: { description: 'From each full minute.' },
    FIVE_MINUTES: { description: 'From minutes 0, 5, 10 … of the hour.' },
    ONE_HOUR: { description: 'From each full hour, UTC.' },
    ONE_DAY: { description: 'From midnight, UTC.' },
  },
})

@ObjectType('Bar', {
  description: 'Open, high, low, close and volume of one instrument over one interval of event time.',
})
export class BarObject {
  @Field(() => ID, { description: 'Symbol of the instrument.' })
  symbol: string

  @Field(() => BarIntervalEnum, { description: 'How long the bar is.' })
  interval: BarInterval

  @Field(() => DateTime, { description: 'Where it begins, UTC, included. It ends one interval later, excluded.' })
  start: Date

  @Field(() => Float, { description: "Price of its first trade by event time, in the instrument's currency." })
  open: number

  @Field(() => Float, { description: "Its highest price, in the instrument's currency." })
  high: number

  @Field(() => Float, { description: "Its lowest price, in the instrument's currency." })
  low: number

  @Field(() => Float, { description: "Price of its last trade by event time, in the instrument's currency." })
  close: number

  @Field(() => Float, { description: 'Sum of the sizes of its trades, in shares, coins or units.' })
  volume: number

  @Field(() => Int, { description: 'How many trades it holds; 0 where a vendor tells the bar and not this.' })
  trades: number

  @Field(() => Boolean, {
    description: 'True once event time has passed its end. A late trade may still correct it; it is then told again.',
  })
  closed: boolean

  @Field(() => String, {
    nullable: true,
    description: 'The vendor that computed it. Null where it was computed here, from the trades we were told.',
  })
  source?: string

  @Field(() => LicenceEnum, {
    nullable: true,
    description: "What may be done with the vendor's bar. Null where it was computed here: then as with the trades.",
  })
  licence?: Licence
}

@ObjectType('BarEdge', { description: 'A bar in a list, with its place.' })
export class BarEdge {
  @Field(() => BarObject, { description: 'The bar.' })
  node: BarObject

  @Field(() => String, { description: 'Opaque: hand it back as `after` to go on behind this edge.' })
  cursor: string
}

@ObjectType('BarConnection', { description: 'A page of bars, oldest first. An interval without a trade has no bar.' })
export class BarConnection {
  @Field(() => [BarEdge], { description: 'The bars of the page.' })
  edges: BarEdge[]

  @Field(() => PageInfo, { description: 'Where the page stands.' })
  pageInfo: PageInfo
}

export const barView = (bar: Bar): BarObject => ({
  symbol: bar.symbol,
  interval: bar.interval,
  start: new Date(bar.startMs),
  open: bar.open,
  high: bar.high,
  low: bar.low,
  close: bar.close,
  volume: bar.volume,
  trades: bar.trades,
  closed: bar.closed,
  source: bar.source,
  licence: bar.licence,
})
