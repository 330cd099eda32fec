import { Arg, Int, Query, Resolver } from 'type-graphql'
import { PlatformError } from '../../domain/errors.ts'
import type { EconomicRelease } from '../../domain/observation.ts'
import type { Clock } from '../../platform/clock.ts'
import { CalendarDate, isCalendarDate } from '../../platform/graphql/calendar-date.ts'
import { type Connection, connection, cursorOf, firstOf, keyOfCursor } from '../../platform/graphql/page.ts'
import { EconomicReleaseConnection, EconomicReleaseObject, economicReleaseView } from './economic-release.ts'
import type { EconomicReleaseStore, ReleasePlace } from './economic-stores.ts'
import { requireDays } from './observation-pages.ts'

const PAGE = { byDefault: 50, max: 500 }
const CURSOR = 'release'

@Resolver(() => EconomicReleaseObject)
export class EconomicReleaseResolver {
  readonly #releases: EconomicReleaseStore
  readonly #clock: Clock

  constructor(releases: EconomicReleaseStore, clock: Clock) {
    this.#releases = releases
    this.#clock = clock
  }

  @Query(() => EconomicReleaseConnection, {
    description:
      'The calendar of economic figures: when which is published, the earliest day first, in pages. INVALID_ARGUMENT for a foreign cursor, a page size out of bounds or a `from` that is not before `to`.',
  })
  async economicReleases(
    @Arg('from', () => CalendarDate, {
      nullable: true,
      description: 'Published on this day or later; today, UTC, where it is not given.',
    })
    from: string | undefined,
    @Arg('to', () => CalendarDate, { nullable: true, description: 'Published before this day.' })
    to: string | undefined,
    @Arg('first', () => Int, {
      nullable: true,
      description: `How many at most, 1 to ${PAGE.max}; ${PAGE.byDefault} where it is not given.`,
    })
    first: number | undefined,
    @Arg('after', () => String, { nullable: true, description: 'Go on behind the edge with this cursor.' })
    after: string | undefined,
  ): Promise<Connection<EconomicReleaseObject>> {
    const fromDay = from ?? new Date(this.#clock.now()).toISOString().slice(0, 10)
    requireDays(fromDay, to)
    const page = await this.#releases.page({
      from: fromDay,
      to,
      first: firstOf(first, PAGE.byDefault, PAGE.max),
      after: after === undefined ? undefined : placeOfCursor(after),
    })
    return connection(page, after, economicReleaseView, cursorOfRelease)
  }
}

const cursorOfRelease = ({ date, source, releaseId }: EconomicRelease): string =>
  cursorOf(CURSOR, JSON.stringify([date, source, releaseId]))

function placeOfCursor(cursor: string): ReleasePlace {
  const place = parsed(keyOfCursor(CURSOR, cursor))
  if (Array.isArray(place) && place.length === 3 && place.every((part) => typeof part === 'string')) {
    const [date, source, releaseId] = place
    if (isCalendarDate(date)) return { date, source, releaseId }
  }
  throw new PlatformError('INVALID_ARGUMENT', 'after must be a cursor that this list gave')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
