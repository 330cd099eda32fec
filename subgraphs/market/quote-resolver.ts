import { Arg, ID, Query, Resolver } from 'type-graphql'
import { symbolsOf } from '../../platform/graphql/symbols.ts'
import type { Loaders } from './loaders.ts'
import { QuoteObject, quoteView } from './quote.ts'

const SYMBOLS_MAX = 500

@Resolver(() => QuoteObject)
export class QuoteResolver {
  readonly #loaders: Loaders

  constructor(loaders: Loaders) {
    this.#loaders = loaders
  }

  @Query(() => [QuoteObject], {
    description:
      'The latest price state of each of the symbols, in their order; symbols without a quote are left out. INVALID_ARGUMENT for a malformed symbol or too many.',
  })
  async quotes(
    @Arg('symbols', () => [ID], { description: `Up to ${SYMBOLS_MAX} symbols; lower case is accepted.` })
    symbols: string[],
  ): Promise<QuoteObject[]> {
    const quotes = await Promise.all(
      symbolsOf(symbols, 0, SYMBOLS_MAX).map((symbol) => this.#loaders.quotes.load(symbol)),
    )
    return quotes.filter((quote) => quote !== undefined).map(quoteView)
  }
}
