import type { TimedHistory } from '../../streaming/stream-protocol.ts'
import { type AlpacaClient, SYMBOLS_PER_REQUEST } from './client.ts'

/** Trades on IEX that have been printed; they are free, and told at once. */
export const alpacaHistory = (client: AlpacaClient): TimedHistory => ({
  symbolsAtOnce: SYMBOLS_PER_REQUEST,
  async *prints(symbols, fromMs, signal) {
    let token: string | undefined
    do {
      const { facts, rejects, nextPageToken } = await client.trades(symbols, fromMs, token, signal)
      yield { prints: facts, rejects }
      token = nextPageToken
    } while (token !== undefined)
  },
})
