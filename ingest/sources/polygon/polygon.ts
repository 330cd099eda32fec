import type { SourceContext, VendorSource } from '../../catalogue.ts'
import { mergedSource } from '../../merged-source.ts'
import { partTroubles } from '../../part-troubles.ts'
import { polledSource } from '../../polling/polled-source.ts'
import { type KeyRing, keysOf } from '../../quota/key-ring.ts'
import type { QuotaWindow } from '../../quota/quota.ts'
import { SYMBOLS_MAX } from '../../streaming/bounds.ts'
import { streamedSource } from '../../streaming/streamed-source.ts'
import { isUsStock } from '../../us-stocks.ts'
import { openVendorAccess } from '../../vendor-access.ts'
import { BASE_URL, PolygonClient } from './client.ts'
import { errorOf } from './errors.ts'
import { feedsOf } from './feeds.ts'
import { polygonTrades, STREAM_URLS } from './stream.ts'
import { polygonHistory } from './trade-history.ts'

const NAME = 'polygon'
const FREE: readonly QuotaWindow[] = [{ kind: 'sliding', requests: 5, perMs: 60_000 }]
/** Plans that are paid for are not limited; this is politeness. */
const PAID: readonly QuotaWindow[] = [{ kind: 'sliding', requests: 300, perMs: 60_000 }]

/** Days, minutes and news of stocks over HTTP; for plans that include it, trades of all exchanges over a socket. */
export const polygon: VendorSource = {
  name: NAME,
  needs: ['POLYGON_KEY'],
  open(context) {
    const { settings } = context
    const keys = keysOf(settings.variables.POLYGON_KEY)
    const trouble = partTroubles((sentence) => context.tellTrouble(NAME, sentence))
    const plan = settings.variables.POLYGON_WS
    const isPaid = plan !== undefined
    const { client, quota } = openClient(context, keys, isPaid)
    const feeds = polledSource({
      name: NAME,
      quota,
      context: { ...context, tellTrouble: (_source, sentence) => trouble('feeds')(sentence) },
      feedsOf: (symbols) => feedsOf(symbols, { client, isPaid, now: context.clock.now }),
    })
    const symbols = settings.symbols.filter(isUsStock).slice(0, SYMBOLS_MAX)
    if (plan === undefined || !context.tellsUsTrades || symbols.length === 0)
      return mergedSource({ name: NAME, parts: { feeds }, context })
    const url = settings.urls[NAME]?.ws ?? STREAM_URLS[plan === 'live' ? 'live' : 'delayed']
    // One connection is all that most plans allow, and so it is of the first key.
    const protocol = polygonTrades({ url, key: keys[0] ?? '', symbols, history: polygonHistory(client) })
    const stream = streamedSource({ ...context, protocol, tellTrouble: trouble('stream') })
    return mergedSource({ name: NAME, parts: { stream, feeds }, context })
  },
}

function openClient(
  context: SourceContext,
  keys: readonly string[],
  isPaid: boolean,
): { client: PolygonClient; quota: KeyRing } {
  const { quota, http } = openVendorAccess(context, {
    name: NAME,
    baseUrl: BASE_URL,
    keys,
    windows: isPaid ? PAID : FREE,
    sign: (key) => ({ headers: { authorization: `Bearer ${key}` } }),
    errorOf,
  })
  return { client: new PolygonClient(http), quota }
}
