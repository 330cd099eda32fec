/** ISO 4217 codes of currencies that trade in pairs; vendors keep them apart from crypto by where they are listed. */
const CURRENCIES: ReadonlySet<string> = new Set(
  (
    'AED ARS AUD BRL CAD CHF CLP CNH CNY COP CZK DKK EUR GBP HKD HUF IDR ILS INR ISK JPY KRW MXN MYR NOK NZD PEN PHP PLN ' +
    'RON SAR SEK SGD THB TRY TWD UAH USD VND ZAR XAU XAG'
  ).split(' '),
)

export interface Pair {
  readonly base: string
  readonly quote: string
}

/** `BTC-USD` in its parts; undefined for a symbol that is no pair. A dash is what makes one: share classes have a dot. */
export function pairOf(symbol: string): Pair | undefined {
  const [base = '', quote = '', ...more] = symbol.split('-')
  return base !== '' && quote !== '' && more.length === 0 ? { base, quote } : undefined
}

/** Both sides are state currencies (or gold and silver): `EUR-USD` and not `BTC-USD`. */
export const isFxPair = ({ base, quote }: Pair): boolean => CURRENCIES.has(base) && CURRENCIES.has(quote)
