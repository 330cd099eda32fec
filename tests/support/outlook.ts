import { Directive, Field, FieldResolver, ID, ObjectType, Query, Resolver, Root } from 'type-graphql'
import { buildSubgraph, type Subgraph } from '../../platform/graphql/subgraph.ts'

@Directive('@key(fields: "symbol")')
@ObjectType('Instrument')
class OutlookInstrument {
  @Field(() => ID)
  symbol: string
}

@Resolver(() => OutlookInstrument)
class OutlookResolver {
  @Query(() => [OutlookInstrument])
  trending(): OutlookInstrument[] {
    return [{ symbol: 'MSFT' }, { symbol: 'AAPL' }]
  }

  @FieldResolver(() => String, { nullable: true })
  outlook(@Root() { symbol }: OutlookInstrument): string {
    if (symbol === 'AMZN') throw new Error('the outlook of AMZN is broken: password=hunter2')
    return `Outlook of ${symbol}`
  }
}

/** A subgraph that is nobody's, to prove what happens where an entity of one subgraph fails in another: `Instrument.outlook`. */
export function outlookSubgraph(): Promise<Subgraph> {
  return buildSubgraph({
    name: 'outlook',
    resolvers: [new OutlookResolver()],
    references: { Instrument: async (references) => references.map(({ symbol }) => ({ symbol })) },
  })
}
