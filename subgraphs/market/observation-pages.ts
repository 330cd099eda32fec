import { PlatformError } from '../../domain/errors.ts'
import { isCalendarDate } from '../../platform/graphql/calendar-date.ts'
import { type Connection, connection, cursorOf, firstOf, keyOfCursor } from '../../platform/graphql/page.ts'
import { requireSpan } from '../../platform/graphql/span.ts'
import type { ObservationStore } from './economic-stores.ts'
import { type ObservationObject, observationView } from './observation.ts'

const PAGE = { byDefault: 500, max: 1_000 }
const CURSOR = 'observation'

// The arguments are those of a field and of a query.
export const FROM = 'Periods that begin then or later.'
export const TO = 'Periods that begin before then.'
export const AS_OF = 'As it was known at the end of this day: later revisions, and later releases, are not there.'
export const FIRST = `How many at most, 1 to ${PAGE.max}; ${PAGE.byDefault} where it is not given.`
export const AFTER = 'Go on behind the edge with this cursor.'

export interface ObservationsWanted {
  readonly from: string | undefined
  readonly to: string | undefined
  readonly asOf: string | undefined
  readonly first: number | undefined
  readonly after: string | undefined
}

/** Pages of the observations of one series. */
export class ObservationPages {
  readonly #observations: ObservationStore

  constructor(observations: ObservationStore) {
    this.#observations = observations
  }

  /** @throws INVALID_ARGUMENT for a foreign cursor, a page size out of bounds, or a span without a day. */
  async page(seriesId: string, wanted: ObservationsWanted): Promise<Connection<ObservationObject>> {
    const { from, to, asOf, first, after } = wanted
    requireDays(from, to)
    const page = await this.#observations.page({
      seriesId,
      from,
      to,
      asOf,
      first: firstOf(first, PAGE.byDefault, PAGE.max),
      after: after === undefined ? undefined : dateOfCursor(after),
    })
    return connection(page, after, observationView, ({ date }) => cursorOf(CURSOR, date))
  }
}

/** @throws INVALID_ARGUMENT where both days are given and no day is between them. */
export const requireDays = (from: string | undefined, to: string | undefined): void =>
  requireSpan(from === undefined ? undefined : Date.parse(from), to === undefined ? undefined : Date.parse(to))

function dateOfCursor(cursor: string): string {
  const date = keyOfCursor(CURSOR, cursor)
  if (!isCalendarDate(date)) throw new PlatformError('INVALID_ARGUMENT', 'after must be a cursor that this list gave')
  return date
}
