import type { VendorSource } from '../../catalogue.ts'
import { NEW_YORK } from '../../exchange-clock.ts'
import { isDescribed } from '../../known-names.ts'
import { polledSource } from '../../polling/polled-source.ts'
import { keysOf } from '../../quota/key-ring.ts'
import type { QuotaWindow } from '../../quota/quota.ts'
import { openVendorAccess } from '../../vendor-access.ts'
import { AlphaVantageClient, BASE_URL } from './client.ts'
import { feedsOf } from './feeds.ts'

const NAME = 'alpha-vantage'
const FREE_REQUESTS_PER_DAY = 25
/** One a second; a little more lies between two, because the network does not keep distances. */
const FREE_DISTANCE_MS = 1_100

/** Quotes, bars, news with moods. Free keys are told once a day, so that is when they are used. */
export const alphaVantage: VendorSource = {
  name: NAME,
  needs: ['ALPHA_VANTAGE_KEY'],
  open(context) {
    const { settings, clock } = context
    const { ALPHA_VANTAGE_KEY, ALPHA_VANTAGE_REQUESTS_PER_MINUTE } = settings.variables
    const keys = keysOf(ALPHA_VANTAGE_KEY)
    const perMinute =
      ALPHA_VANTAGE_REQUESTS_PER_MINUTE === undefined ? undefined : Number(ALPHA_VANTAGE_REQUESTS_PER_MINUTE)
    const windows = perMinute === undefined ? freeWindows : premiumWindows(perMinute)
    const { quota, http } = openVendorAccess(context, {
      name: NAME,
      baseUrl: BASE_URL,
      keys,
      windows,
      sign: (key) => ({ query: { apikey: key } }),
    })
    const client = new AlphaVantageClient(http)
    const plan = { isPremium: perMinute !== undefined, requestsPerDay: FREE_REQUESTS_PER_DAY * keys.length }
    return polledSource({
      name: NAME,
      quota,
      feedsOf: (symbols) => feedsOf(symbols, { client, plan, now: clock.now, describe: context.describe, isDescribed }),
      context,
    })
  },
}

const freeWindows: readonly QuotaWindow[] = [
  { kind: 'sliding', requests: 1, perMs: FREE_DISTANCE_MS },
  { kind: 'day', requests: FREE_REQUESTS_PER_DAY, timeZone: NEW_YORK },
]

/** Premium plans are sold by the minute; a burst within it is limited too, to what is not told. */
const premiumWindows = (perMinute: number): readonly QuotaWindow[] => [
  { kind: 'sliding', requests: perMinute, perMs: 60_000 },
  { kind: 'sliding', requests: Math.max(1, Math.ceil(perMinute / 60)), perMs: 1_000 },
]
