import { DateTime } from 'luxon'
import { type Article, type ArticleKind, article, SYMBOLS_PER_ARTICLE_MAX } from '../../../domain/article.ts'
import { PlatformError } from '../../../domain/errors.ts'
import { canonicalSymbol, isSymbol } from '../../../domain/instrument.ts'
import { VENDORS } from '../../../domain/vendors.ts'
import { canonicalUrl, idOfUrl } from '../../canonical-url.ts'
import type { ItemsRead } from '../../json-answer.ts'
import { oneLine, plainText } from '../../plain-text.ts'
import { childOf, childrenOf, textIn, XmlAnswer, type XmlElement } from '../../xml-answer.ts'
import { haltIn } from './trading-halt.ts'

export const SOURCE = 'rss'
/** What is behind so many is older than any look at a feed before. */
const ITEMS_MAX = 500
const HEADLINE_LENGTH_MAX = 1_000
/** Of wires a headline, an excerpt and the link may be shown, no more. */
const SUMMARY_LENGTH_MAX = 500
/** Listings whose symbols are the platform's own. */
const US_LISTING = /^(?:nasdaq|nyse|nyse american|nyse arca|amex)\s*:\s*(\S+)$/i

export interface FeedContext {
  readonly publisher: string
  readonly kind: ArticleKind
  readonly symbolsIn: (headline: string) => readonly string[]
  readonly receivedAtMs: number
}

/** RSS 2.0, RSS 1.0 or Atom, or one item of it. @throws VendorError */
export function parseFeed(body: Buffer, context: FeedContext): ItemsRead<Article> {
  const answer = new XmlAnswer(context.publisher, body)
  const items = itemsIn(answer.root)
  if (!items) throw answer.problem(`expected RSS or Atom, was <${oneLine(answer.root.name, 50)}>`)
  return answer.items(items.slice(0, ITEMS_MAX), 'item', (item) => [
    article({
      source: SOURCE,
      licence: VENDORS[SOURCE].licence,
      publisher: context.publisher,
      language: 'en',
      ingestTimeMs: context.receivedAtMs,
      vendorSentiment: null,
      filing: null,
      ...(haltIn(item) ?? newsIn(item, context)),
    }),
  ])
}

function itemsIn(root: XmlElement): readonly XmlElement[] | undefined {
  switch (root.name) {
    case 'item':
    case 'entry':
      return [root]
    case 'rss':
      return childrenOf(root, 'channel').flatMap((channel) => childrenOf(channel, 'item'))
    case 'rdf:RDF':
      return childrenOf(root, 'item')
    case 'feed':
      return childrenOf(root, 'entry')
    default:
      return undefined
  }
}

function newsIn(item: XmlElement, { kind, symbolsIn, receivedAtMs }: FeedContext) {
  const title = childOf(item, 'title')
  // In CDATA it is HTML; else its references are resolved already, and `a < b` is text.
  const headline = title?.hasCdata
    ? plainText(title.text, HEADLINE_LENGTH_MAX)
    : oneLine(title?.text ?? '', HEADLINE_LENGTH_MAX)
  const url = canonicalUrl(linkOf(item))
  const symbols = [...listedIn(item), ...symbolsIn(headline)]
  return {
    id: `${SOURCE}:${idOfUrl(url)}`,
    kind,
    headline,
    summary: plainText(textIn(item, 'description') ?? textIn(item, 'summary') ?? '', SUMMARY_LENGTH_MAX),
    url,
    publishedAtMs: publishedIn(item) ?? receivedAtMs,
    symbols: [...new Set(symbols)].slice(0, SYMBOLS_PER_ARTICLE_MAX),
  }
}

/** RSS has it as text, or in a guid that is an address; Atom in an attribute, among links to other things. */
function linkOf(item: XmlElement): string {
  const links = childrenOf(item, 'link')
  const page = links.find(({ attributes }) => (attributes.get('rel') ?? 'alternate') === 'alternate')
  return page?.attributes.get('href') ?? textIn(item, 'link') ?? textIn(item, 'guid') ?? ''
}

/** Undefined where the feed does not say. @throws INVALID_EVENT where what it says is no time. */
function publishedIn(item: XmlElement): number | undefined {
  const text = ['pubDate', 'published', 'updated', 'dc:date'].map((name) => textIn(item, name)).find(Boolean)
  if (text === undefined) return undefined
  const moment = [DateTime.fromRFC2822(text), DateTime.fromISO(text, { zone: 'utc' })].find(({ isValid }) => isValid)
  if (!moment)
    throw new PlatformError(
      'INVALID_EVENT',
      `the date must be like Fri, 20 Nov 2026 16:05:00 EST, was ${JSON.stringify(text.slice(0, 50))}`,
    )
  return moment.toMillis()
}

/** `<category domain=".../rss/stock">Nasdaq:ACME</category>` as GlobeNewswire has it. */
const listedIn = (item: XmlElement): readonly string[] =>
  childrenOf(item, 'category')
    .filter(({ attributes }) => attributes.get('domain')?.endsWith('/stock'))
    .map(({ text }) => canonicalSymbol((US_LISTING.exec(text.trim())?.[1] ?? '').toUpperCase()))
    .filter(isSymbol)
