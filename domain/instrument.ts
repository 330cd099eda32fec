import { PlatformError } from './errors.ts'

export type AssetClass = 'EQUITY' | 'ETF' | 'CRYPTO' | 'FX' | 'UNKNOWN'

/** Something that trades, under the one symbol the platform knows it by. */
export interface Instrument {
  readonly symbol: string
  readonly name: string
  /** ISO 10383 market identifier code of the listing venue, e.g. XNAS; empty where there is none. */
  readonly exchange: string
  /** ISO 4217 code of the currency its prices are in, or the code of the coin that a pair of coins is priced in. */
  readonly currency: string
  readonly assetClass: AssetClass
  /** What else people call it by: short names, brands, symbols it once had. The most usual first. */
  readonly aliases: readonly string[]
  /** Its company's Central Index Key at the SEC, ten digits; null where there is none or nobody has told it. */
  readonly cik: string | null
}

const SYMBOL = /^[A-Z0-9][A-Z0-9.\-/=^]{0,19}$/

/** Upper case letters and digits, then also . - / = ^ (BRK.B, BTC-USD); at most 20 characters. */
export const isSymbol = (text: string): boolean => SYMBOL.test(text)

const SHARE_CLASS = /^([A-Z]{1,6})[-/]([A-Z]{1,2})$/
const PAIR = /^([A-Z0-9]{2,10})\/([A-Z0-9]{3,10})$/

/**
 * The one way we write a symbol that others write in several: a share class after a dot (`BRK-B` and `BRK/B` are `BRK.B`),
 * a pair with a dash (`EUR/USD` is `EUR-USD`). Which of the two it is shows in the last part: a share class has one or two
 * letters, a currency three or more.
 */
export const canonicalSymbol = (symbol: string): string => symbol.replace(SHARE_CLASS, '$1.$2').replace(PAIR, '$1-$2')

/** As we write it: see `canonicalSymbol`. @throws INVALID_ARGUMENT where the text cannot be a symbol. */
export function symbolOf(text: string): string {
  const symbol = canonicalSymbol(text.trim().toUpperCase())
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
  aliases: [],
  cik: null,
})
