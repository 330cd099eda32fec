import { Field, Float, ID, ObjectType } from 'type-graphql'
import { change, changePercent, type Quote } from '../../domain/quote.ts'
import { attributionOf, type Licence } from '../../domain/vendors.ts'
import { DateTime } from '../../platform/graphql/date-time.ts'
import { LicenceEnum } from '../../platform/graphql/licence.ts'

@ObjectType('Quote', {
  description:
    'The latest price state of an instrument: its newest trade by event time, or a newer price as a vendor tells it.',
})
export class QuoteObject {
  @Field(() => ID, { description: 'Symbol of the instrument.' })
  symbol: string

  @Field(() => Float, { description: "The newest price, in the instrument's currency." })
  price: number

  @Field(() => Float, {
    description: 'Size of the newest trade in shares, coins or units; 0 where the source does not tell.',
  })
  size: number

  @Field(() => DateTime, { description: 'What the price is as of, UTC: when the newest trade happened at the venue.' })
  eventTime: Date

  @Field(() => Float, {
    nullable: true,
    description:
      'Close of the last bar before the UTC day of `eventTime`, at most seven days back; what the vendor tells where there was none. Null where neither is known.',
  })
  previousClose?: number

  @Field(() => Float, {
    nullable: true,
    description: "`price` minus `previousClose`, in the instrument's currency. Null where there is no previous close.",
  })
  change?: number

  @Field(() => Float, {
    nullable: true,
    description: '`change` in percent of `previousClose`: 1.5 is up one and a half percent. Null like `change`.',
  })
  changePercent?: number

  @Field(() => String, { description: 'Who told the price, e.g. coinbase:BTC-USD.' })
  source: string

  @Field(() => Boolean, { description: "True where it is older than seconds by the source's terms." })
  delayed: boolean

  @Field(() => LicenceEnum, { description: 'What may be done with it.' })
  licence: Licence

  @Field(() => String, {
    nullable: true,
    description: "What the source's terms ask to be shown beside it. Null where they ask nothing.",
  })
  attribution?: string
}

export const quoteView = (quote: Quote): QuoteObject => ({
  symbol: quote.symbol,
  price: quote.price,
  size: quote.size,
  eventTime: new Date(quote.eventTimeMs),
  previousClose: quote.previousClose,
  change: change(quote),
  changePercent: changePercent(quote),
  source: quote.source,
  delayed: quote.delayed,
  licence: quote.licence,
  attribution: attributionOf(quote.source),
})
