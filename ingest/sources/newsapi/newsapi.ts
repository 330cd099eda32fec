import { NameMatcher } from '../../../domain/name-matcher.ts'
import type { VendorSource } from '../../catalogue.ts'
import { namesOf } from '../../known-names.ts'
import { polledSource } from '../../polling/polled-source.ts'
import { keysOf } from '../../quota/key-ring.ts'
import { openVendorAccess } from '../../vendor-access.ts'
import { BASE_URL, NewsApiClient } from './client.ts'
import { newsFeeds } from './feeds.ts'
import { errorOf } from './parse.ts'

const NAME = 'newsapi'
const HALF_DAY_MS = 43_200_000
/** Of a developer's key: half of them in each half of a day. */
const DEVELOPER_REQUESTS_PER_DAY = 100

/** Articles about the companies that somebody follows, and the headlines of business. A developer's key hears a day late. */
export const newsapi: VendorSource = {
  name: NAME,
  needs: ['NEWSAPI_KEY'],
  open(context) {
    const { settings, clock } = context
    const { NEWSAPI_KEY, NEWSAPI_REQUESTS_PER_DAY } = settings.variables
    const keys = keysOf(NEWSAPI_KEY)
    const perDay =
      NEWSAPI_REQUESTS_PER_DAY === undefined ? DEVELOPER_REQUESTS_PER_DAY : Number(NEWSAPI_REQUESTS_PER_DAY)
    const windows = [
      { kind: 'sliding', requests: perDay, perMs: 2 * HALF_DAY_MS },
      { kind: 'sliding', requests: Math.ceil(perDay / 2), perMs: HALF_DAY_MS },
    ] as const
    const { quota, http } = openVendorAccess(context, {
      name: NAME,
      baseUrl: BASE_URL,
      keys,
      windows,
      sign: (key) => ({ headers: { 'x-api-key': key } }),
      errorOf: ({ body }) => errorOf(body),
    })
    const client = new NewsApiClient(http)
    return polledSource({
      name: NAME,
      quota,
      feedsOf: (symbols) => {
        const companies = namesOf(symbols)
        const names = new NameMatcher(companies)
        return newsFeeds({ client, companies, names, requestsPerDay: perDay * keys.length, now: clock.now })
      },
      context,
    })
  },
}
