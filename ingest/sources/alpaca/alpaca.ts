import type { SourceContext, VendorSource } from '../../catalogue.ts'
import { mergedSource } from '../../merged-source.ts'
import { partTroubles } from '../../part-troubles.ts'
import { polledSource } from '../../polling/polled-source.ts'
import type { KeyRing } from '../../quota/key-ring.ts'
import type { StreamProtocol } from '../../streaming/stream-protocol.ts'
import { streamedSource } from '../../streaming/streamed-source.ts'
import { isUsStock } from '../../us-stocks.ts'
import { openVendorAccess } from '../../vendor-access.ts'
import { AlpacaClient, BASE_URL } from './client.ts'
import { errorOf } from './errors.ts'
import { feedsOf } from './feeds.ts'
import { type AlpacaKey, alpacaNews, alpacaTrades, STREAM_URL, STREAMED_SYMBOLS_MAX } from './stream.ts'
import { alpacaHistory } from './trade-history.ts'

const NAME = 'alpaca'
/** Of an account that pays nothing. */
const REQUESTS_PER_MINUTE = 200

/** Trades as IEX prints them and news as it is published, each over a socket; quotes, bars and missed news over HTTP. */
export const alpaca: VendorSource = {
  name: NAME,
  needs: ['ALPACA_KEY_ID', 'ALPACA_SECRET_KEY'],
  open(context) {
    const { settings, log } = context
    const { ALPACA_KEY_ID = '', ALPACA_SECRET_KEY = '' } = settings.variables
    const key = { id: ALPACA_KEY_ID.trim(), secret: ALPACA_SECRET_KEY.trim() }
    const trouble = partTroubles((sentence) => context.tellTrouble(NAME, sentence))
    const streamOf = (label: string, protocol: StreamProtocol) =>
      streamedSource({ ...context, protocol, tellTrouble: trouble(label) })
    const url = settings.urls[NAME]?.ws ?? STREAM_URL
    const stocks = context.tellsUsTrades ? settings.symbols.filter(isUsStock) : []
    if (stocks.length > STREAMED_SYMBOLS_MAX)
      log.info(
        { source: NAME, streamed: STREAMED_SYMBOLS_MAX, polled: stocks.length },
        `Alpaca streams trades of the first ${STREAMED_SYMBOLS_MAX} of ${stocks.length} stocks; the others have quotes`,
      )
    const { client, quota } = openClient(context, key)
    const trades = () => alpacaTrades({ url, key, symbols: stocks, history: alpacaHistory(client) })
    const parts = {
      ...(stocks.length > 0 && { stream: streamOf('stream', trades()) }),
      news: streamOf('news', alpacaNews({ url, key, symbols: settings.symbols })),
      feeds: polledSource({
        name: NAME,
        quota,
        context: { ...context, tellTrouble: (_source, sentence) => trouble('feeds')(sentence) },
        feedsOf: (symbols) => feedsOf(symbols, { client, now: context.clock.now }),
      }),
    }
    return mergedSource({ name: NAME, parts, context })
  },
}

function openClient(context: SourceContext, { id, secret }: AlpacaKey): { client: AlpacaClient; quota: KeyRing } {
  const windows = [{ kind: 'sliding', requests: REQUESTS_PER_MINUTE, perMs: 60_000 }] as const
  const { quota, http } = openVendorAccess(context, {
    name: NAME,
    baseUrl: BASE_URL,
    keys: [secret],
    windows,
    sign: (key) => ({ headers: { 'apca-api-key-id': id, 'apca-api-secret-key': key } }),
    hidden: [id],
    errorOf,
  })
  const leftOut = (symbol: string, why: string) =>
    context.log.warn({ source: NAME, symbol }, `${NAME} is not asked for ${symbol} any more: ${why}`)
  return { client: new AlpacaClient(http, leftOut), quota }
}
