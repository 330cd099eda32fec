import { Directive, Field, ID, ObjectType } from 'type-graphql'

/** `Instrument.news` is in `instrument-resolver.ts`; everything else about an instrument is another subgraph's. */
@Directive('@key(fields: "symbol")')
@ObjectType('Instrument', { description: 'Something that trades, under the one symbol the platform knows it by.' })
export class NewsInstrumentObject {
  @Field(() => ID, { description: 'Upper case, e.g. AAPL, BRK.B, BTC-USD.' })
  symbol: string
}
