import type { SourceContext, VendorSource } from '../../catalogue.ts'
import { mergedSource } from '../../merged-source.ts'
import { partTroubles } from '../../part-troubles.ts'
import { polledSource } from '../../polling/polled-source.ts'
import { keysOf } from '../../quota/key-ring.ts'
import type { QuotaWindow } from '../../quota/quota.ts'
import { streamedSource } from '../../streaming/streamed-source.ts'
import { isUsStock } from '../../us-stocks.ts'
import { openVendorAccess } from '../../vendor-access.ts'
import { BASE_URL, errorOf, FinnhubClient } from './client.ts'
import { finnhubFeeds } from './feeds.ts'
import { finnhubStream, STREAMED_SYMBOLS_MAX } from './stream.ts'
import { isStreamed } from './symbols.ts'

const NAME = 'finnhub'
const SOCKET_URL = 'wss://ws.finnhub.io'
const FREE_REQUESTS_PER_MINUTE = 60
/** Whatever the plan. */
const REQUESTS_PER_SECOND = 30

/** Trades of US stocks and currencies as they happen, over the first key's one socket; quotes and news with all keys. */
export const finnhub: VendorSource = {
  name: NAME,
  needs: ['FINNHUB_KEY'],
  open(context) {
    const { settings, clock } = context
    const { FINNHUB_KEY, FINNHUB_REQUESTS_PER_MINUTE = FREE_REQUESTS_PER_MINUTE } = settings.variables
    const keys = keysOf(FINNHUB_KEY)
    const windows = windowsOf(Number(FINNHUB_REQUESTS_PER_MINUTE))
    const { quota, http } = openVendorAccess(context, {
      name: NAME,
      baseUrl: BASE_URL,
      keys,
      windows,
      sign: (key) => ({ headers: { 'x-finnhub-token': key } }),
      errorOf,
    })
    const troublesOf = partTroubles((trouble) => context.tellTrouble(NAME, trouble))
    const client = new FinnhubClient(http)
    const feeds = polledSource({
      name: NAME,
      quota,
      feedsOf: (symbols) => finnhubFeeds(symbols, { client, now: clock.now }),
      context: { ...context, tellTrouble: (_source, trouble) => troublesOf('feeds')(trouble) },
    })
    const stream = streamOf(context, keys[0], troublesOf('stream'))
    return mergedSource({ name: NAME, parts: { ...(stream && { stream }), feeds }, context })
  },
}

const windowsOf = (perMinute: number): readonly QuotaWindow[] => [
  { kind: 'sliding', requests: perMinute, perMs: 60_000 },
  { kind: 'sliding', requests: REQUESTS_PER_SECOND, perMs: 1_000 },
]

/** Undefined where none of the symbols is one for it. */
function streamOf(
  { settings, tellsUsTrades, clock, log, metrics }: SourceContext,
  key: string | undefined,
  tellTrouble: (trouble: string | undefined) => void,
) {
  const symbols = settings.symbols.filter((symbol) => isStreamed(symbol) && (tellsUsTrades || !isUsStock(symbol)))
  if (key === undefined || symbols.length === 0) return undefined
  if (symbols.length > STREAMED_SYMBOLS_MAX)
    log.warn(
      { source: NAME, symbols: symbols.slice(STREAMED_SYMBOLS_MAX) },
      `The stream of ${NAME} follows ${STREAMED_SYMBOLS_MAX} symbols; the others of SYMBOLS are only asked for`,
    )
  const protocol = finnhubStream({
    url: settings.urls[NAME]?.ws ?? SOCKET_URL,
    key,
    symbols,
    skipped: (count) => metrics.streamSkipped.inc({ source: NAME }, count),
  })
  return streamedSource({ protocol, clock, log, metrics, tellTrouble })
}
