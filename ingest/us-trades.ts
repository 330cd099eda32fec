import type { VendorName } from '../domain/vendors.ts'
import type { SourceSettings } from './catalogue.ts'

/** Who passes on trades of US stocks, and when. Of all exchanges before those of one, and many symbols before few. */
const TELLERS: readonly { readonly name: VendorName; readonly when?: (settings: SourceSettings) => boolean }[] = [
  { name: 'polygon', when: ({ variables }) => variables.POLYGON_WS !== undefined },
  { name: 'finnhub' },
  { name: 'alpaca' },
]

/**
 * The one of these vendors that tells trades of US stocks. They all pass on what the same exchanges print, and bars add up what
 * every source tells: told by two, each trade would count twice. The others tell all else that they have.
 */
export const usTradesTeller = (read: readonly VendorName[], settings: SourceSettings): VendorName | undefined =>
  TELLERS.find(({ name, when }) => read.includes(name) && (when?.(settings) ?? true))?.name
