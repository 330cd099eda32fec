import { z } from 'zod'
import { PlatformError } from '../../../domain/errors.ts'
import { isSymbol } from '../../../domain/instrument.ts'
import { type ItemsRead, JsonAnswer } from '../../json-answer.ts'

/** One listed security of a company that files with the SEC. A company has as many as it has share classes. */
export interface CompanyTicker {
  /** Central Index Key, ten digits. */
  readonly cik: string
  /** As the platform knows it: `BRK.B`. */
  readonly symbol: string
  readonly name: string
  /** Place in the list, which is by market value: 0 is the largest. */
  readonly rank: number
}

const NAME_LENGTH_MAX = 300

const listSchema = z.record(z.string(), z.unknown())
const rowSchema = z.tuple([
  z.string().regex(/^\d{1,7}$/, { error: 'must be the place in the list' }),
  z.object({
    cik_str: z.union([z.int().min(1).max(9_999_999_999), z.string().regex(/^\d{1,10}$/)]),
    ticker: z.string(),
    title: z.string().trim().min(1).max(NAME_LENGTH_MAX),
  }),
])

export const cikOf = (cik: string | number): string => String(cik).padStart(10, '0')

/** The SEC separates share classes by a dash, the platform by a dot. @throws INVALID_EVENT */
export function symbolOfTicker(ticker: string): string {
  const symbol = ticker.trim().toUpperCase().replaceAll('-', '.')
  if (!isSymbol(symbol))
    throw new PlatformError(
      'INVALID_EVENT',
      `ticker must be 1 to 20 of A-Z 0-9 -, was ${JSON.stringify(ticker.slice(0, 50))}`,
    )
  return symbol
}

/** The list of `company_tickers.json`. @throws VendorError */
export function readCompanyTickers(body: Buffer): ItemsRead<CompanyTicker> {
  const answer = new JsonAnswer('sec-edgar', body)
  return answer.items(Object.entries(answer.as(listSchema)), {
    where: 'companies',
    schema: rowSchema,
    read: ([place, { cik_str, ticker, title }]) => ({
      cik: cikOf(cik_str),
      symbol: symbolOfTicker(ticker),
      name: title,
      rank: Number(place),
    }),
    alone: (row) => (Array.isArray(row) ? { [String(row[0])]: row[1] } : row),
  })
}
