import { Field, Float, ID, ObjectType } from 'type-graphql'
import { change, changePercent, type Quote } from '../../domain/quote.ts'
import { DateTime } from '../../platform/graphql/date-time.ts'

@ObjectType('Quote', { description: 'The latest price state of an instrument: its newest trade by event time.' })
export class QuoteObject {
  @Field(() => ID, { description: 'Symbol of the instrument.' })
  symbol: string

  @Field(() => Float, { description: "Price of the newest trade, in the instrument's currency." })
  price: number

  @Field(() => Float, {
    description: 'Size of the newest trade in shares, coins or units; 0 where the venue does not tell.',
  })
  size: number

  @Field(() => DateTime, { description: 'When the newest trade happened at the venue, UTC.' })
  eventTime: Date

  @Field(() => Float, {
    nullable: true,
    description:
      'Close of the last bar before the UTC day of `eventTime`, at most seven days back. Null where there was none.',
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
}

export const quoteView = (quote: Quote): QuoteObject => ({
  symbol: quote.symbol,
  price: quote.price,
  size: quote.size,
  eventTime: new Date(quote.eventTimeMs),
  previousClose: quote.previousClose,
  change: change(quote),
  changePercent: changePercent(quote),
})
