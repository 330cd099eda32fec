import { type Named, searchWords } from '../../../domain/name-matcher.ts'

export interface CompanyQuery {
  /** `"Apple" OR "Goldman Sachs"` */
  readonly text: string
  /** The symbol that the next query begins with; the first one of all where this was the last of a round. */
  readonly next: string
  readonly endsRound: boolean
}

/**
 * As many companies in one query as it may be long, from `first` on, so that a few requests a day go round all of them.
 * Undefined where there is nobody to ask about.
 */
export function companyQuery(
  companies: readonly Named[],
  first: string | undefined,
  lengthMax: number,
): CompanyQuery | undefined {
  const phrases = companies
    .map((company) => ({ symbol: company.symbol, words: searchWords(company) }))
    .filter(({ words }) => words !== '' && words.length + 2 <= lengthMax)
    .map(({ symbol, words }) => ({ symbol, phrase: `"${words}"` }))
  // Somebody who is no longer asked about cannot be gone on from: the round begins anew.
  const start = Math.max(
    0,
    phrases.findIndex(({ symbol }) => symbol === first),
  )
  let text = ''
  let end = start
  for (; end < phrases.length; end++) {
    const longer = text === '' ? phrases[end].phrase : `${text} OR ${phrases[end].phrase}`
    if (longer.length > lengthMax) break
    text = longer
  }
  if (text === '') return undefined
  const endsRound = end === phrases.length
  return { text, next: phrases[endsRound ? 0 : end].symbol, endsRound }
}
