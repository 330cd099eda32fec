/** What people call an instrument by. */
export interface Named {
  readonly symbol: string
  readonly name: string
  readonly aliases: readonly string[]
}

/** `AT&T`, `Macy's` and `3M` are one word each. */
const WORD = /[\p{L}\p{N}][\p{L}\p{N}&'’+]*/gu
/** `$AAPL`, and `NASDAQ: AAPL` as press releases write it. */
const CASHTAG = /\$([A-Z]{1,5}(?:\.[A-Z])?)(?![A-Za-z0-9])/g
const LISTING = /\b(?:Nasdaq|NYSE)(?: [A-Z][a-z]+)?\s?:\s?([A-Z]{1,5}(?:[.-][A-Z])?)(?![A-Za-z0-9])/gi

/** Where a company's name ends; what follows is about the share: `Alphabet Inc. Class A`. */
const LEGAL_FORMS = new Set(
  'inc incorporated corp corporation co company companies ltd limited plc llc lp sa ag nv se holding holdings group trust class'.split(
    ' ',
  ),
)
/** A name of nothing but such words means a company only together with its legal form: `Target Corporation`, not `Target`. */
const EVERYDAY_WORDS = new Set(
  (
    'a align allegiant ally american and assurant atlas ball bank best block boot box camping carnival carrier ' +
    'capital chewy citizens civil clean clear core crane crown digital dollar dover dow eagle electronic emerson emerging ' +
    'energy enhance entergy equity essential everest extra fair fifth financial first five fortune fox garden gap general ' +
    'genuine global grand green guess health hess home host hub humana independence insurance interactive international ' +
    'invitation iron jack key kind leader life live match medical micro mid middle motion national new news nu of old one ' +
    'open opera paramount pool power prime principal products progressive public pure range rapid real regions republic ' +
    'resources rocket rush safe sea select service services simply skyline smart snap solutions southern square standard ' +
    'state states steel story sun systems target technologies technology the third toast travelers trade twist united unity ' +
    'universal us usa value vertex via visa vital waters western workday zoom'
  ).split(' '),
)
/** Small letters within a name. */
const WITHIN_NAMES = new Set(['of', 'and', 'the', 'for', 'in', 'on', 'de'])
/** `GM` and `UPS` are written in capitals, or are other words. */
const INITIALS_LENGTH_MAX = 4

interface Name {
  readonly symbol: string
  readonly words: readonly string[]
  readonly initials: boolean
}

/**
 * Finds the instruments that a text names: whole words, capitalised as a name is, and no words of every day, because an
 * alert about the wrong company is worse than none.
 */
export class NameMatcher {
  /** By their first word, the longest first. Of two that are written alike, the first one told. */
  readonly #names = new Map<string, Name[]>()
  readonly #symbols: ReadonlySet<string>

  constructor(instruments: readonly Named[]) {
    this.#symbols = new Set(instruments.map(({ symbol }) => symbol))
    for (const { symbol, name, aliases } of instruments)
      for (const written of [name, ...aliases])
        for (const words of waysToSay(written)) this.#add(symbol, words, written)
    for (const names of this.#names.values()) names.sort((a, b) => b.words.length - a.words.length)
  }

  /** In the order of their first mention, each once. */
  symbolsIn(text: string): readonly string[] {
    return [...new Set([...this.#tags(text), ...this.#mentions(text)].sort((a, b) => a.at - b.at).map((m) => m.symbol))]
  }

  #add(symbol: string, words: readonly string[], written: string): void {
    const names = this.#names.get(words[0])
    const initials = written.length <= INITIALS_LENGTH_MAX && written === written.toUpperCase()
    if (!names) this.#names.set(words[0], [{ symbol, words, initials }])
    else if (!names.some((name) => name.words.join(' ') === words.join(' '))) names.push({ symbol, words, initials })
  }

  *#tags(text: string): Generator<{ symbol: string; at: number }> {
    for (const pattern of [CASHTAG, LISTING])
      for (const match of text.matchAll(pattern)) {
        const symbol = match[1].toUpperCase().replace('-', '.')
        if (this.#symbols.has(symbol)) yield { symbol, at: match.index }
      }
  }

  *#mentions(text: string): Generator<{ symbol: string; at: number }> {
    const written = [...text.matchAll(WORD)]
    for (let i = 0; i < written.length; i++) {
      const names = this.#names.get(folded(written[i][0]))
      const name = names?.find(({ words, initials }) =>
        words.every((word, at) => saysWord(written[i + at]?.[0] ?? '', word, initials)),
      )
      if (!name) continue
      yield { symbol: name.symbol, at: written[i].index }
      i += name.words.length - 1
    }
  }
}

function saysWord(written: string, word: string, initials: boolean): boolean {
  if (folded(written) !== word) return false
  if (initials) return withoutGenitive(written) === word.toUpperCase()
  // `eBay` has its capital second.
  return /^.?[\p{Lu}\p{N}]/u.test(written) || WITHIN_NAMES.has(word)
}

const withoutGenitive = (word: string): string => word.replace(/['’]s?$/, '')
const folded = (word: string): string => withoutGenitive(word).toLowerCase().replaceAll('’', "'")

/** The words to search news for it by: its shortest name that names nobody else. Empty where it has none. */
export function searchWords({ name, aliases }: Named): string {
  const ways = [...aliases, name].map(waysToSay).find((ways) => ways.length > 0)
  return ways?.at(-1)?.join(' ') ?? ''
}

/** With its legal form and, unless only words of every day are left, without: `apple inc`, `apple`. */
function waysToSay(written: string): readonly (readonly string[])[] {
  const all = [...written.matchAll(WORD)].map(([word]) => folded(word))
  const words = all[0] === 'the' ? all.slice(1) : all
  const form = words.findIndex((word, i) => i > 0 && LEGAL_FORMS.has(word))
  const short = form < 0 ? words : words.slice(0, form)
  const full = form < 0 ? [] : words.slice(0, form + 1)
  const isTelling = short.some((word) => word.length > 1 && !EVERYDAY_WORDS.has(word))
  return [full, isTelling ? short : []].filter((words) => words.length > 0)
}
