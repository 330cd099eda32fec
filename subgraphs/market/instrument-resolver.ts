import { Arg, FieldResolver, ID, Int, Query, Resolver, Root } from 'type-graphql'
import { PlatformError } from '../../domain/errors.ts'
import { type Instrument, symbolOf } from '../../domain/instrument.ts'
import { type Connection, connection, cursorOf, firstOf, keyOfCursor } from '../../platform/graphql/page.ts'
import { symbolsOf } from '../../platform/graphql/symbols.ts'
import { InstrumentConnection, InstrumentObject } from './instrument.ts'
import type { Loaders } from './loaders.ts'
import { QuoteObject, quoteView } from './quote.ts'
import type { InstrumentStore } from './stores.ts'

const PAGE = { byDefault: 50, max: 500 }
const SEARCH = { byDefault: 10, max: 50 }
const SYMBOLS_MAX = 500
const SEARCH_TEXT_LENGTH_MAX = 100
const CURSOR = 'instrument'

@Resolver(() => InstrumentObject)
export class InstrumentResolver {
  readonly #instruments: InstrumentStore
  readonly #loaders: Loaders

  constructor(instruments: InstrumentStore, loaders: Loaders) {
    this.#instruments = instruments
    this.#loaders = loaders
  }

  @Query(() => InstrumentObject, {
    nullable: true,
    description: 'One instrument; null where no instrument has the symbol. INVALID_ARGUMENT where it cannot be one.',
  })
  async instrument(
    @Arg('symbol', () => ID, { description: 'Its symbol; lower case is accepted.' }) symbol: string,
  ): Promise<InstrumentObject | undefined> {
    return this.#loaders.instruments.load(symbolOf(symbol))
  }

  @Query(() => InstrumentConnection, {
    description:
      'Instruments in order of symbol, in pages. INVALID_ARGUMENT for a malformed symbol, a foreign cursor or a page size out of bounds.',
  })
  async instruments(
    @Arg('symbols', () => [ID], {
      nullable: true,
      description: `Only these, 1 to ${SYMBOLS_MAX}; symbols without an instrument are left out. All where it is not given.`,
    })
    symbols: string[] | undefined,
    @Arg('first', () => Int, {
      nullable: true,
      description: `How many at most, 1 to ${PAGE.max}; ${PAGE.byDefault} where it is not given.`,
    })
    first: number | undefined,
    @Arg('after', () => String, { nullable: true, description: 'Go on behind the edge with this cursor.' })
    after: string | undefined,
  ): Promise<Connection<Instrument>> {
    const page = await this.#instruments.page({
      symbols: symbols ? symbolsOf(symbols, 1, SYMBOLS_MAX) : undefined,
      first: firstOf(first, PAGE.byDefault, PAGE.max),
      after: after ? symbolOf(keyOfCursor(CURSOR, after)) : undefined,
    })
    return connection(
      page,
      after,
      (instrument) => instrument,
      ({ symbol }) => cursorOf(CURSOR, symbol),
    )
  }

  @Query(() => [InstrumentObject], {
    description:
      'Instruments whose symbol, name, other name or CIK is the text, begins with it or has words that do, best first.',
  })
  async searchInstruments(
    @Arg('text', () => String, {
      description: `1 to ${SEARCH_TEXT_LENGTH_MAX} characters; case does not matter.`,
    })
    text: string,
    @Arg('first', () => Int, {
      nullable: true,
      description: `How many at most, 1 to ${SEARCH.max}; ${SEARCH.byDefault} where it is not given.`,
    })
    first: number | undefined,
  ): Promise<InstrumentObject[]> {
    const wanted = text.trim()
    if (wanted.length === 0 || wanted.length > SEARCH_TEXT_LENGTH_MAX)
      throw new PlatformError(
        'INVALID_ARGUMENT',
        `text must have 1 to ${SEARCH_TEXT_LENGTH_MAX} characters, had ${wanted.length}`,
      )
    return this.#instruments.search(wanted, firstOf(first, SEARCH.byDefault, SEARCH.max))
  }

  @FieldResolver(() => QuoteObject, {
    nullable: true,
    description: 'Its latest price state; null where it has not traded yet.',
  })
  async quote(@Root() instrument: Instrument): Promise<QuoteObject | undefined> {
    const quote = await this.#loaders.quotes.load(instrument.symbol)
    return quote && quoteView(quote)
  }
}
