import { Arg, FieldResolver, Int, Resolver, Root } from 'type-graphql'
import type { BarInterval } from '../../domain/bar.ts'
import { PlatformError } from '../../domain/errors.ts'
import type { Instrument } from '../../domain/instrument.ts'
import type { Clock } from '../../platform/clock.ts'
import { DateTime } from '../../platform/graphql/date-time.ts'
import { type Connection, connection, cursorOf, firstOf, keyOfCursor } from '../../platform/graphql/page.ts'
import { BarConnection, BarIntervalEnum, type BarObject, barView } from './bar.ts'
import { InstrumentObject } from './instrument.ts'
import type { Loaders } from './loaders.ts'
import type { BarStore } from './stores.ts'

const PAGE = { byDefault: 500, max: 1_000 }
const CURSOR = 'bar'
const DAY_MS = 86_400_000

/** How far back bars are read where nobody says: every read of a series has a lower bound. */
const SPAN_DAYS: Record<BarInterval, number> = { '1m': 1, '5m': 7, '1h': 60, '1d': 730 }

@Resolver(() => InstrumentObject)
export class BarResolver {
  readonly #bars: BarStore
  readonly #loaders: Loaders
  readonly #clock: Clock

  constructor(bars: BarStore, loaders: Loaders, clock: Clock) {
    this.#bars = bars
    this.#loaders = loaders
    this.#clock = clock
  }

  @FieldResolver(() => BarConnection, {
    description:
      'Its bars, oldest first, in pages. INVALID_ARGUMENT where `from` is not before `to`, the page size is out of bounds or the cursor is foreign.',
  })
  async bars(
    @Root() instrument: Instrument,
    @Arg('interval', () => BarIntervalEnum, { description: 'How long each bar is.' }) interval: BarInterval,
    @Arg('from', () => DateTime, {
      nullable: true,
      description: `Bars that start then or later. Where it is not given: ${SPAN_DAYS['1m']} day before \`to\` for one minute, ${SPAN_DAYS['5m']} days for five minutes, ${SPAN_DAYS['1h']} days for one hour, ${SPAN_DAYS['1d']} days for one day.`,
    })
    from: Date | undefined,
    @Arg('to', () => DateTime, {
      nullable: true,
      description:
        'Bars that start before then. Where it is not given: just after the latest trade, or now without one.',
    })
    to: Date | undefined,
    @Arg('first', () => Int, {
      nullable: true,
      description: `How many at most, 1 to ${PAGE.max}; ${PAGE.byDefault} where it is not given.`,
    })
    first: number | undefined,
    @Arg('after', () => String, { nullable: true, description: 'Go on behind the edge with this cursor.' })
    after: string | undefined,
  ): Promise<Connection<BarObject>> {
    const toMs = to?.getTime() ?? (await this.#justAfterLatestTrade(instrument.symbol))
    const fromMs = from?.getTime() ?? toMs - SPAN_DAYS[interval] * DAY_MS
    if (fromMs >= toMs)
      throw new PlatformError(
        'INVALID_ARGUMENT',
        `from must be before to, were ${new Date(fromMs).toISOString()} and ${new Date(toMs).toISOString()}`,
      )
    const page = await this.#bars.page({
      symbol: instrument.symbol,
      interval,
      fromMs,
      toMs,
      first: firstOf(first, PAGE.byDefault, PAGE.max),
      afterMs: after ? startOfCursor(after) : undefined,
    })
    return connection(page, after, barView, (bar) => cursorOf(CURSOR, String(bar.startMs)))
  }

  /** A tape of years ago has its bars where its trades are, not where our clock is. */
  async #justAfterLatestTrade(symbol: string): Promise<number> {
    const quote = await this.#loaders.quotes.load(symbol)
    return quote ? quote.eventTimeMs + 1 : this.#clock.now()
  }
}

function startOfCursor(cursor: string): number {
  const startMs = Number(keyOfCursor(CURSOR, cursor))
  if (!Number.isSafeInteger(startMs))
    throw new PlatformError('INVALID_ARGUMENT', 'after must be a cursor that this list gave')
  return startMs
}
