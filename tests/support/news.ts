import { Directive, Field, FieldResolver, ID, ObjectType, Query, Resolver, Root } from 'type-graphql'
import { buildSubgraph, type Subgraph } from '../../platform/graphql/subgraph.ts'

@Directive('@key(fields: "symbol")')
@ObjectType('Instrument')
class NewsInstrument {
  @Field(() => ID)
  symbol: string
}

@Resolver(() => NewsInstrument)
class NewsResolver {
  @Query(() => [NewsInstrument])
  trending(): NewsInstrument[] {
    return [{ symbol: 'MSFT' }, { symbol: 'AAPL' }]
  }

  @FieldResolver(() => String, { nullable: true })
  latestNews(@Root() { symbol }: NewsInstrument): string {
    if (symbol === 'AMZN') throw new Error('the news of AMZN are broken: password=hunter2')
    return `News of ${symbol}`
  }
}

/** A second subgraph, to prove that an entity is put together from both: what it adds is `Instrument.latestNews`. */
export function newsSubgraph(): Promise<Subgraph> {
  return buildSubgraph({
    name: 'news',
    resolvers: [new NewsResolver()],
    references: { Instrument: async (references) => references.map(({ symbol }) => ({ symbol })) },
  })
}
