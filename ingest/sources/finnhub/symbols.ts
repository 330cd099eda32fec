import { isFxPair, pairOf } from '../../../domain/currencies.ts'
import { isSymbol } from '../../../domain/instrument.ts'
import { isUsStock } from '../../us-stocks.ts'

/**
 * Finnhub names US stocks as everybody does, and pairs by the venue they trade at. We ask for pairs of currencies at Oanda,
 * for dollars of Tether at Binance (which writes them as one word) and for all other crypto at Coinbase.
 */
export function toFinnhub(symbol: string): string {
  const pair = pairOf(symbol)
  if (pair === undefined) return symbol
  if (isFxPair(pair)) return `OANDA:${pair.base}_${pair.quote}`
  return pair.quote === 'USDT' ? `BINANCE:${pair.base}USDT` : `COINBASE:${symbol}`
}

/** Undefined where it is none that we could have asked for. */
export function fromFinnhub(name: string): string | undefined {
  const symbol = platformForm(name)
  return symbol !== undefined && isSymbol(symbol) ? symbol : undefined
}

function platformForm(name: string): string | undefined {
  const [, venue = '', local = ''] = /^([A-Z]+):(.+)$/.exec(name) ?? []
  if (venue === '') return name
  if (venue === 'OANDA') return local.replace('_', '-')
  if (venue === 'COINBASE') return local
  return venue === 'BINANCE' && local.endsWith('USDT') ? `${local.slice(0, -'USDT'.length)}-USDT` : undefined
}

/**
 * What we follow over the socket. Not coins: Finnhub passes on the trades of Coinbase and Binance, which are read there, with
 * their numbers and without a key. Told by both, each trade would count twice in every bar.
 */
export function isStreamed(symbol: string): boolean {
  const pair = pairOf(symbol)
  return pair === undefined ? isUsStock(symbol) : isFxPair(pair)
}
