import { Directive, Field, ID, ObjectType, registerEnumType } from 'type-graphql'
import type { AssetClass } from '../../domain/instrument.ts'
import { PageInfo } from '../../platform/graphql/page-info.ts'

export const AssetClassEnum = {
  EQUITY: 'EQUITY',
  ETF: 'ETF',
  CRYPTO: 'CRYPTO',
  FX: 'FX',
  UNKNOWN: 'UNKNOWN',
} as const satisfies { [C in AssetClass]: C }

registerEnumType(AssetClassEnum, {
  name: 'AssetClass',
  description: 'What kind of thing an instrument is.',
  valuesConfig: {
    EQUITY: { description: 'A share in a company.' },
    ETF: { description: 'An exchange-traded fund.' },
    CRYPTO: { description: 'A crypto currency against another currency.' },
    FX: { description: 'A currency pair.' },
    UNKNOWN: { description: 'Nobody has described the instrument yet: it was listed by its first tick.' },
  },
})

@Directive('@key(fields: "symbol")')
@ObjectType('Instrument', { description: 'Something that trades, under the one symbol the platform knows it by.' })
export class InstrumentObject {
  @Field(() => ID, { description: 'Upper case, e.g. AAPL, BRK.B, BTC-USD.' })
  symbol: string

  @Field(() => String, { description: 'Its full name; the symbol again where nobody has described it yet.' })
  name: string

  @Field(() => String, {
    description: 'ISO 10383 market identifier code of the listing venue, e.g. XNAS; empty where there is none.',
  })
  exchange: string

  @Field(() => String, { description: 'ISO 4217 code of the currency its prices are in, e.g. USD.' })
  currency: string

  @Field(() => AssetClassEnum, { description: 'What kind of thing it is.' })
  assetClass: AssetClass

  @Field(() => [String], {
    description: 'What else people call it by: short names, brands, symbols it once had; the most usual first.',
  })
  aliases: readonly string[]

  @Field(() => String, {
    nullable: true,
    description:
      "Its company's Central Index Key at the SEC, ten digits. Null where there is none or nobody has told it.",
  })
  cik: string | null
}

@ObjectType('InstrumentEdge', { description: 'An instrument in a list, with its place.' })
export class InstrumentEdge {
  @Field(() => InstrumentObject, { description: 'The instrument.' })
  node: InstrumentObject

  @Field(() => String, { description: 'Opaque: hand it back as `after` to go on behind this edge.' })
  cursor: string
}

@ObjectType('InstrumentConnection', { description: 'A page of instruments, in order of symbol.' })
export class InstrumentConnection {
  @Field(() => [InstrumentEdge], { description: 'The instruments of the page.' })
  edges: InstrumentEdge[]

  @Field(() => PageInfo, { description: 'Where the page stands.' })
  pageInfo: PageInfo
}
