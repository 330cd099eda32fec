import { DateTime } from 'luxon'
import { type Article, article, type Filing, SYMBOLS_PER_ARTICLE_MAX } from '../../../domain/article.ts'
import { PlatformError } from '../../../domain/errors.ts'
import { licenceOf } from '../../../domain/vendors.ts'
import type { Fact } from '../../../platform/bus/topics.ts'
import { NEW_YORK } from '../../exchange-clock.ts'
import type { ItemsRead } from '../../json-answer.ts'
import { oneLine, plainText } from '../../plain-text.ts'
import { childrenOf, textIn, XmlAnswer, type XmlElement } from '../../xml-answer.ts'
import { cikOf } from './company-tickers.ts'
import { filingHeadline } from './filing-words.ts'

export const SOURCE = 'sec-edgar'
/** EDGAR gives 100 at most; a document with more than this is none of its. */
const ENTRIES_MAX = 1_000
const TITLE_LENGTH_MAX = 500
const SUMMARY_LENGTH_MAX = 1_000
const HEADLINE_LENGTH_MAX = 1_000
const ACCESSION = /\d{10}-\d{2}-\d{6}/

export interface FilingsContext {
  readonly receivedAtMs: number
  /** Forms that are followed; amendments of theirs are. Others are passed over: EDGAR matches by how a form begins. */
  readonly forms: readonly string[]
  /** What a company's shares are known by; empty where it has none that trade. */
  readonly symbolsOf: (cik: string) => readonly string[]
}

/** Whose filing it is before whose it also is: an insider's statement is about the issuer. */
const ROLES = ['filer', 'issuer', 'subject', 'filed by', 'reporting']

interface Entry {
  readonly element: XmlElement
  readonly role: number
  readonly filing: Filing
  readonly url: string
  readonly summary: string
  readonly publishedAtMs: number
}

/**
 * The latest filings as an Atom feed, or one entry of it. A filing that is listed for several parties is one article, of
 * the party that comes first in ROLES. @throws VendorError
 */
export function parseLatestFilings(body: Buffer, context: FilingsContext): ItemsRead<Fact> {
  const answer = new XmlAnswer(SOURCE, body)
  const { root } = answer
  if (root.name !== 'feed' && root.name !== 'entry')
    throw answer.problem(`expected a feed, was <${root.name.slice(0, 50)}>`)
  const elements = root.name === 'entry' ? [root] : childrenOf(root, 'entry')
  if (elements.length > ENTRIES_MAX)
    throw answer.problem(`expected at most ${ENTRIES_MAX} entries, were ${elements.length}`)
  const entries = answer.items(elements, 'entry', (element) => entryOf(element, context))
  const filings = Map.groupBy(entries.facts, ({ filing }) => filing.accessionNumber)
  const principals = new Map<XmlElement, readonly Entry[]>()
  for (const parties of filings.values()) {
    const ordered = parties.toSorted((a, b) => a.role - b.role)
    const [principal] = ordered
    if (principal)
      principals.set(
        principal.element,
        ordered.filter(({ role }) => role === principal.role),
      )
  }
  const articles = answer.items([...principals.keys()], 'filing', (element) =>
    articleOf(principals.get(element) ?? [], context),
  )
  return { facts: articles.facts, rejects: [...entries.rejects, ...articles.rejects] }
}

function entryOf(element: XmlElement, { forms }: FilingsContext): readonly Entry[] {
  const [category] = childrenOf(element, 'category')
  const title = oneLine(textIn(element, 'title') ?? '', TITLE_LENGTH_MAX)
  const form = category?.attributes.get('term') ?? title.split(' - ', 1)[0] ?? ''
  if (!isFollowed(form, forms)) return []
  const parts = /^(.*) \((\d{1,10})\) \(([^()]+)\)$/.exec(
    title.startsWith(`${form} - `) ? title.slice(form.length + 3) : title,
  )
  if (parts === null) throw invalid('title must be like "8-K - ACME CORP (0001234567) (Filer)"', title)
  const [, company = '', cik = '', role = ''] = parts
  const html = textIn(element, 'summary') ?? ''
  const accessionNumber = ACCESSION.exec(textIn(element, 'id') ?? '')?.[0] ?? ACCESSION.exec(html)?.[0]
  if (accessionNumber === undefined) throw invalid('id must hold an accession number', textIn(element, 'id') ?? '')
  const summary = plainText(html, SUMMARY_LENGTH_MAX)
  const place = ROLES.indexOf(role.toLowerCase())
  return [
    {
      element,
      role: place < 0 ? ROLES.length : place,
      filing: { accessionNumber, form, items: itemsIn(summary), cik: cikOf(cik), company },
      url: linkOf(element),
      summary,
      publishedAtMs: momentOf('updated', textIn(element, 'updated') ?? ''),
    },
  ]
}

const isFollowed = (form: string, forms: readonly string[]) =>
  forms.some((followed) => form === followed || form === `${followed}/A`)

const itemsIn = (summary: string): readonly string[] => [
  ...new Set([...summary.matchAll(/\bItem (\d{1,2}\.\d{2})\b/g)].map(([, item = '']) => item)),
]

function linkOf(element: XmlElement): string {
  const links = childrenOf(element, 'link')
  const link = links.find(({ attributes }) => attributes.get('rel') === 'alternate') ?? links[0]
  return link?.attributes.get('href') ?? ''
}

/** With an offset, or in New York, where EDGAR is. @throws INVALID_EVENT */
function momentOf(field: string, text: string): number {
  const moment = DateTime.fromISO(text, { zone: NEW_YORK })
  if (!moment.isValid) throw invalid(`${field} must be a time like 2026-11-20T16:05:11-05:00`, text)
  return moment.toMillis()
}

function articleOf(parties: readonly Entry[], context: FilingsContext): readonly Fact[] {
  const [entry] = parties
  if (entry === undefined) return []
  const symbols = parties.flatMap(({ filing }) => context.symbolsOf(filing.cik))
  return [filingFact(entry, symbols, context.receivedAtMs)]
}

function filingFact(
  { filing, url, summary, publishedAtMs }: Pick<Entry, 'filing' | 'url' | 'summary' | 'publishedAtMs'>,
  symbols: readonly string[],
  receivedAtMs: number,
): Fact {
  const event: Article = article({
    id: `${SOURCE}:${filing.accessionNumber}`,
    source: SOURCE,
    licence: licenceOf(SOURCE),
    kind: 'FILING',
    headline: oneLine(filingHeadline(filing.company, filing.form, filing.items), HEADLINE_LENGTH_MAX),
    summary,
    url,
    publisher: 'SEC EDGAR',
    language: 'en',
    publishedAtMs,
    ingestTimeMs: receivedAtMs,
    symbols: [...new Set(symbols)].slice(0, SYMBOLS_PER_ARTICLE_MAX),
    vendorSentiment: null,
    filing,
  })
  return { topic: 'news-data', event }
}

const invalid = (expected: string, was: string) =>
  new PlatformError('INVALID_EVENT', `${expected}, was ${JSON.stringify(was.slice(0, 100))}`)
