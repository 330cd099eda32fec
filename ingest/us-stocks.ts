/** Up to five letters, and maybe a class of shares after a dot, `BRK.B`: longer ends are of other exchanges, as in `TSCO.LON`. */
const US_STOCK = /^[A-Z]{1,5}(\.[A-Z]{1,2})?$/

/** Whether it may be a stock of the US exchanges, which are those that free plans tell: no pair, no index, no other exchange. */
export const isUsStock = (symbol: string): boolean => US_STOCK.test(symbol)
