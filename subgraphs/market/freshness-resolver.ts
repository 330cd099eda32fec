import { FieldResolver, Resolver, Root } from 'type-graphql'
import type { Instrument } from '../../domain/instrument.ts'
import { Freshness } from './freshness.ts'
import { InstrumentObject } from './instrument.ts'
import type { Loaders } from './loaders.ts'

@Resolver(() => InstrumentObject)
export class FreshnessResolver {
  readonly #loaders: Loaders

  constructor(loaders: Loaders) {
    this.#loaders = loaders
  }

  @FieldResolver(() => Freshness, {
    nullable: true,
    description:
      'How old its price is and when a newer one may come. Null where there is no price and no plan for one.',
  })
  async freshness(@Root() { symbol }: Instrument): Promise<Freshness | undefined> {
    const [quote, plan] = await Promise.all([this.#loaders.quotes.load(symbol), this.#loaders.plans.load(symbol)])
    if (!quote && !plan) return undefined
    return {
      source: quote?.source,
      asOf: quote && new Date(quote.eventTimeMs),
      delayed: quote?.delayed,
      nextUpdateAt: plan && new Date(plan.nextUpdateAtMs),
    }
  }
}
