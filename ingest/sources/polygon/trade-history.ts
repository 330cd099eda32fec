import type { TimedHistory } from '../../streaming/stream-protocol.ts'
import type { PolygonClient } from './client.ts'

/** Trades that have been printed, for plans that include them. */
export const polygonHistory = (client: PolygonClient): TimedHistory => ({
  symbolsAtOnce: 1,
  async *prints(symbols, fromMs, signal) {
    for (const symbol of symbols) {
      let nextUrl: string | undefined
      do {
        const page = await client.trades(symbol, fromMs, nextUrl, signal)
        yield { prints: page.facts, rejects: page.rejects }
        nextUrl = page.nextUrl
      } while (nextUrl !== undefined)
    }
  },
})
