import { isFxPair, pairOf } from '../../../domain/currencies.ts'
import { isSymbol } from '../../../domain/instrument.ts'
import { NEW_YORK } from '../../exchange-clock.ts'

/** Where an instrument is listed: its day ends there. */
export interface Listing {
  readonly timeZone: string
  /** The end of trading by the clock there; undefined: the US exchanges, whose days differ. */
  readonly close: string | undefined
}

const US: Listing = { timeZone: NEW_YORK, close: undefined }

/** Suffixes of exchanges; any other dot is that of a share class. */
const EXCHANGES: Readonly<Record<string, Listing>> = {
  LON: { timeZone: 'Europe/London', close: '16:30' },
  TRT: { timeZone: 'America/Toronto', close: '16:00' },
  TRV: { timeZone: 'America/Toronto', close: '16:00' },
  DEX: { timeZone: 'Europe/Berlin', close: '17:30' },
  FRK: { timeZone: 'Europe/Berlin', close: '20:00' },
  PAR: { timeZone: 'Europe/Paris', close: '17:30' },
  AMS: { timeZone: 'Europe/Amsterdam', close: '17:30' },
  BRU: { timeZone: 'Europe/Brussels', close: '17:30' },
  SHH: { timeZone: 'Asia/Shanghai', close: '15:00' },
  SHZ: { timeZone: 'Asia/Shanghai', close: '15:00' },
  BSE: { timeZone: 'Asia/Kolkata', close: '15:30' },
}

const suffixOf = (symbol: string): string => symbol.slice(symbol.lastIndexOf('.') + 1)
const hasExchange = (symbol: string): boolean => symbol.includes('.') && Object.hasOwn(EXCHANGES, suffixOf(symbol))

export const listingOf = (symbol: string): Listing => (hasExchange(symbol) ? EXCHANGES[suffixOf(symbol)] : US)

/** Many London lines are told in pence, and the quote does not say which. */
export const mayBeInPence = (symbol: string): boolean => hasExchange(symbol) && suffixOf(symbol) === 'LON'

/** `BRK.B` is `BRK-B` there. Undefined for pairs and indices: Alpha Vantage quotes no such symbols. */
export function toAlphaVantage(symbol: string): string | undefined {
  if (!/^[A-Z0-9.]+$/.test(symbol)) return undefined
  return hasExchange(symbol) ? symbol : symbol.replaceAll('.', '-')
}

/** Currencies that stand first in their pair with the dollar. */
const BEFORE_THE_DOLLAR = new Set(['EUR', 'GBP', 'AUD', 'NZD', 'XAU', 'XAG'])

/** `COIN`, `BRK-B`, `CRYPTO:BTC`, `FOREX:EUR` under the platform's symbols; undefined for what is no instrument. */
export function fromAlphaVantage(ticker: string): string | undefined {
  const [market, name] = ticker.includes(':') ? ticker.split(':', 2) : ['', ticker]
  const symbol = symbolIn(market, name)
  return symbol !== undefined && isSymbol(symbol) ? symbol : undefined
}

function symbolIn(market: string, name: string): string | undefined {
  if (market === '') return name.replaceAll('-', '.')
  if (market === 'CRYPTO') return `${name}-USD`
  if (market !== 'FOREX' || name === 'USD') return undefined
  const symbol = BEFORE_THE_DOLLAR.has(name) ? `${name}-USD` : `USD-${name}`
  const pair = pairOf(symbol)
  return pair && isFxPair(pair) ? symbol : undefined
}
