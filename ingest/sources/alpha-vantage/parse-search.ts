import { z } from 'zod'
import type { AssetClass } from '../../../domain/instrument.ts'
import type { ItemsRead } from '../../json-answer.ts'
import { plainText } from '../../plain-text.ts'
import { decimal } from './decimal.ts'
import { answerOf } from './notices.ts'
import { fromAlphaVantage } from './symbols.ts'

/** An instrument as the search describes it. */
export interface Candidate {
  readonly symbol: string
  readonly name: string
  readonly assetClass: AssetClass
  /** ISO 4217. */
  readonly currency: string
  readonly unitsPerCurrency: number
  readonly region: string
  /** From 0 to 1: how well it fits the words. */
  readonly match: number
}

const CLASSES: ReadonlyMap<string, AssetClass> = new Map([
  ['equity', 'EQUITY'],
  ['etf', 'ETF'],
])
const matchFields = z.object({
  '1. symbol': z.string(),
  '2. name': z.string(),
  '3. type': z.string(),
  '4. region': z.string(),
  '8. currency': z.string(),
  '9. matchScore': decimal,
})

/** SYMBOL_SEARCH, the best match first. What has no symbol of the platform's form is left out. */
export function parseSearch(body: Buffer, receivedAtMs: number): ItemsRead<Candidate> {
  const answer = answerOf(body, receivedAtMs)
  const { bestMatches } = answer.as(z.object({ bestMatches: z.array(z.unknown()) }))
  return answer.items(bestMatches, {
    where: 'bestMatches',
    schema: matchFields,
    alone: (item) => ({ bestMatches: [item] }),
    read: (item) => {
      const symbol = fromAlphaVantage(item['1. symbol'])
      const name = plainText(item['2. name'], 200)
      if (symbol === undefined || name === '') return undefined
      const isPence = item['8. currency'] === 'GBX'
      return {
        symbol,
        name,
        assetClass: CLASSES.get(item['3. type'].toLowerCase()) ?? 'UNKNOWN',
        currency: isPence ? 'GBP' : item['8. currency'],
        unitsPerCurrency: isPence ? 100 : 1,
        region: plainText(item['4. region'], 100),
        match: item['9. matchScore'],
      }
    },
  })
}
