import type { SourceContext, VendorSource } from '../../catalogue.ts'
import { mergedSource } from '../../merged-source.ts'
import { partTroubles } from '../../part-troubles.ts'
import { polledSource } from '../../polling/polled-source.ts'
import { keysOf } from '../../quota/key-ring.ts'
import type { QuotaWindow } from '../../quota/quota.ts'
import { streamedSource } from '../../streaming/streamed-source.ts'
import { openVendorAccess } from '../../vendor-access.ts'
import { BASE_URL, errorOf, TwelveDataClient } from './client.ts'
import { twelveDataFeeds } from './feeds.ts'
import { knownSymbols } from './kinds.ts'
import { STREAMED_SYMBOLS_MAX, twelveDataPrices } from './stream.ts'

const NAME = 'twelve-data'
const SOCKET_URL = 'wss://ws.twelvedata.com/v1/quotes/price'
const MINUTES_PER_DAY = 1_440
const FREE_CREDITS_PER_MINUTE = 8
const FREE_CREDITS_PER_DAY = 800

/** Prices of a few symbols as they change, over the first key's one socket; quotes and bars of all symbols with all keys. */
export const twelveData: VendorSource = {
  name: NAME,
  needs: ['TWELVE_DATA_KEY'],
  open(context) {
    const { settings, clock } = context
    const { TWELVE_DATA_KEY, TWELVE_DATA_CREDITS_PER_MINUTE } = settings.variables
    const keys = keysOf(TWELVE_DATA_KEY)
    const perMinute = TWELVE_DATA_CREDITS_PER_MINUTE === undefined ? undefined : Number(TWELVE_DATA_CREDITS_PER_MINUTE)
    const windows = perMinute === undefined ? freeWindows : paidWindows(perMinute)
    const { quota, http } = openVendorAccess(context, {
      name: NAME,
      baseUrl: BASE_URL,
      keys,
      windows,
      sign: (key) => ({ headers: { authorization: `apikey ${key}` } }),
      errorOf,
    })
    const troublesOf = partTroubles((trouble) => context.tellTrouble(NAME, trouble))
    const client = new TwelveDataClient(http)
    const perDay = perMinute === undefined ? FREE_CREDITS_PER_DAY : perMinute * MINUTES_PER_DAY
    const feeds = polledSource({
      name: NAME,
      quota,
      feedsOf: (symbols) => twelveDataFeeds(symbols, { client, creditsPerDay: perDay * keys.length, now: clock.now }),
      context: { ...context, tellTrouble: (_source, trouble) => troublesOf('feeds')(trouble) },
    })
    const stream = streamOf(context, keys[0], troublesOf('stream'))
    return mergedSource({ name: NAME, parts: { ...(stream && { stream }), feeds }, context })
  },
}

const freeWindows: readonly QuotaWindow[] = [
  { kind: 'sliding', requests: FREE_CREDITS_PER_MINUTE, perMs: 60_000 },
  { kind: 'day', requests: FREE_CREDITS_PER_DAY, timeZone: 'UTC' },
]

/** Paid plans are sold by the minute, and have no limit of the day. */
const paidWindows = (perMinute: number): readonly QuotaWindow[] => [
  { kind: 'sliding', requests: perMinute, perMs: 60_000 },
]

/** Undefined where none of the symbols is one for it. What it has no room for is asked for like the rest. */
function streamOf(
  { settings, clock, log, metrics }: SourceContext,
  key: string | undefined,
  tellTrouble: (trouble: string | undefined) => void,
) {
  const symbols = knownSymbols(settings.symbols).slice(0, STREAMED_SYMBOLS_MAX)
  if (key === undefined || symbols.length === 0) return undefined
  const protocol = twelveDataPrices({ url: settings.urls[NAME]?.ws ?? SOCKET_URL, key, symbols })
  return streamedSource({ protocol, clock, log, metrics, tellTrouble })
}
