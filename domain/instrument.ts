import { PlatformError } from './errors.ts'

export type AssetClass = 'EQUITY' | 'ETF' | 'CRYPTO' | 'FX' | 'UNKNOWN'

/** Something that trades, under the one symbol the platform knows it by. */
export interface Instrument {
  readonly symbol: string
  readonly name: string
  /** ISO 10383 market identifier code of the listing venue, e.g. XNAS; empty where there is none. */
  readonly exchange: string
  /** ISO 4217 code of the currency its prices are in. */
  readonly currency: string
  readonly assetClass: AssetClass
}

const SYMBOL = /^[A-Z0-9][A-Z0-9.\-/=^]{0,19}$/

/** Upper case letters and digits, then also . - / = ^ (BRK.B, BTC-USD); at most 20 characters. */
export const isSymbol = (text: string): boolean => SYMBOL.test(text)

/** @throws INVALID_ARGUMENT where the text cannot be a symbol. */
export function symbolOf(text: string): string {
  const symbol = text.trim().toUpperCase()
  if (!isSymbol(symbol))
    throw new PlatformError('INVALID_ARGUMENT', `A symbol is 1 to 20 of A-Z 0-9 . - / = ^, was ${JSON.stringify(text)}`)
  return symbol
}

/** An instrument nobody has described yet: it was listed by its first tick. */
export const undescribed = (symbol: string): Instrument => ({
  symbol,
  name: symbol,
  exchange: '',
  currency: 'USD',
  assetClass: 'UNKNOWN',
})
