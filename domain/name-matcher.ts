/** What people call an instrument by. */
export interface Named {
  readonly symbol: string
  readonly name: string
  readonly aliases: readonly string[]
}

/** `AT&T`, `Macy's`, `3M` and `JD.com` are one word each. */
const WORD = /[\p{L}\p{N}][\p{L}\p{N}&'’+]*(?:\.[\p{L}\p{N}&'’+]+)*/gu
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
    'a abc align allegiant ally american and apache assurant atlas avalanche ball bank best bill block booking ' +
    'boot box camping capital carnival carrier celsius chewy citizens civil clean clear coherent cooper core ' +
    'cosmos crane crown digital dollar dover dow eagle electronic emerging emerson energy enhance entergy ' +
    'equitable equity essential everest extra fair fifth financial first five fortune fox gap garden general ' +
    'genuine global grab grand green guess hartford health hess home host hub humana independence insurance ' +
    'interactive international invitation iron jack key kind leader life live lucid matador match medical micro ' +
    'mid middle mosaic motion nasdaq national new newmarket news northern nov nu nyse of old on one open opera ' +
    'packaging paramount pool popular power prime principal products progressive public pure range rapid real ' +
    'regions reinsurance republic resources rocket rush safe sea select service services simply skyline smart ' +
    'snap solutions southern square standard state states steel story strategy sun systems tapestry target ' +
    'technologies technology tenet the third toast trade travelers treasuries twist united unity universal ' +
    'upstart us usa value vertex via visa vital waters western williams workday zoom'
  ).split(' '),
)
/** `GM` and `UPS` are written in capitals, or are other words. */
const INITIALS_LENGTH_MAX = 4

interface Name {
  /** Several where a company has several classes of shares. */
  readonly symbols: string[]
  readonly words: readonly string[]
  readonly areInitials: boolean
}

interface Mention {
  readonly symbol: string
  readonly at: number
}

/**
 * Finds the instruments that a text names: whole words, capitalised as a name is, and no words of every day, because an
 * alert about the wrong company is worse than none.
 */
export class NameMatcher {
  /** By their first word in small letters, the longest first. */
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
    const mentions = [...this.#tags(text), ...this.#mentions(text)].sort((a, b) => a.at - b.at)
    return [...new Set(mentions.map(({ symbol }) => symbol))]
  }

  #add(symbol: string, words: readonly string[], written: string): void {
    const first = folded(words[0])
    const names = this.#names.get(first) ?? []
    const same = names.find((name) => folded(name.words.join(' ')) === folded(words.join(' ')))
    const areInitials = written.length <= INITIALS_LENGTH_MAX && written === written.toUpperCase()
    if (!same) names.push({ symbols: [symbol], words, areInitials })
    else if (!same.symbols.includes(symbol)) same.symbols.push(symbol)
    this.#names.set(first, names)
  }

  *#tags(text: string): Generator<Mention> {
    for (const pattern of [CASHTAG, LISTING])
      for (const match of text.matchAll(pattern)) {
        const symbol = match[1].toUpperCase().replace('-', '.')
        if (this.#symbols.has(symbol)) yield { symbol, at: match.index }
      }
  }

  *#mentions(text: string): Generator<Mention> {
    const written = [...text.matchAll(WORD)]
    for (let i = 0; i < written.length; i++) {
      const [word] = written[i]
      const name = [folded(word), folded(withoutGenitive(word))]
        .flatMap((first) => this.#names.get(first) ?? [])
        .find(({ words, areInitials }) => words.every((of, at) => says(written[i + at]?.[0] ?? '', of, areInitials)))
      if (!name) continue
      for (const symbol of name.symbols) yield { symbol, at: written[i].index }
      i += name.words.length - 1
    }
  }
}

/** `Apple’s` says Apple; `Wendy` does not say Wendy's. */
function says(written: string, word: string, areInitials: boolean): boolean {
  const form = [written, withoutGenitive(written)].find((form) => folded(form) === folded(word))
  if (form === undefined) return false
  // Begins with a capital as names do in headlines, or as its owner writes it: `eBay`, `of`.
  return form === word || (!areInitials && /^.?[\p{Lu}\p{N}]/u.test(form))
}

const withoutGenitive = (word: string): string => word.replace(/['’]s?$/, '')
const folded = (word: string): string => word.toLowerCase().replaceAll('’', "'")

/** The words to search news for it by: its shortest name that names nobody else. Empty where it has none. */
export function searchWords({ symbol, name, aliases }: Named): string {
  // `BTCUSD` is how some write the symbol; nobody writes it in the news.
  const names = [...aliases.filter((alias) => alias !== symbol.replace('-', '')), name]
  const ways = names.map(waysToSay).find((ways) => ways.length > 0)
  return ways?.at(-1)?.join(' ') ?? ''
}

/** With its legal form and, unless only words of every day are left, without: `Apple Inc`, `Apple`. */
function waysToSay(written: string): readonly (readonly string[])[] {
  const all = [...written.matchAll(WORD)].map(([word]) => word)
  const words = all[0]?.toLowerCase() === 'the' ? all.slice(1) : all
  const form = words.findIndex((word, i) => i > 0 && LEGAL_FORMS.has(word.toLowerCase()))
  const short = form < 0 ? words : words.slice(0, form)
  const full = form < 0 ? [] : words.slice(0, form + 1)
  const isTelling = short.some((word) => word.length > 1 && !EVERYDAY_WORDS.has(folded(word)))
  return [full, isTelling ? short : []].filter((words) => words.length > 0)
}
