import { createHash } from 'node:crypto'
import { DateTime } from 'luxon'
import { KNOWN_FEEDS, type KnownFeed, ownFeeds } from '../../../ingest/sources/rss/known-feeds.ts'
import { parseFeed } from '../../../ingest/sources/rss/parse.ts'
import { rss } from '../../../ingest/sources/rss/rss.ts'
import type { Clock } from '../../../platform/clock.ts'
import type { VendorAnswer } from './faults.ts'
import { nameOf, type PolledVendorCase, type VendorFake } from './polled-vendor-case.ts'

const MINUTE_MS = 60_000
const START_MS = Date.parse('2026-11-20T15:00:00Z')
/** What was published before anybody read. */
const FIRST_MS = START_MS - 30 * MINUTE_MS
/** Until a halted stock trades again. */
const HALTED_MS = 5 * MINUTE_MS
const OWN_FEED = 'https://feeds.example.com/blog.atom?format=atom'

const FEEDS = [...KNOWN_FEEDS, ...ownFeeds(OWN_FEED)]
const addressOf = ({ url }: KnownFeed) => `${new URL(url).pathname}${new URL(url).search}`

/** Moments at which there was something new, the newest first. */
function momentsOf(everyMinutes: number, nowMs: number): readonly number[] {
  const moments: number[] = []
  for (let atMs = FIRST_MS; atMs <= nowMs; atMs += everyMinutes * MINUTE_MS) moments.unshift(atMs)
  return moments
}

const inNewYork = (ms: number, format: string) => DateTime.fromMillis(ms, { zone: 'America/New_York' }).toFormat(format)
const rfc822 = (ms: number) => new Date(ms).toUTCString()
const xml = (root: string) => `<?xml version="1.0" encoding="utf-8"?>\n${root}\n`
const channel = (title: string, items: readonly string[]) =>
  xml(`<rss version="2.0"><channel><title>${title}</title>${items.join('\n')}</channel></rss>`)

function halts(nowMs: number): string {
  const items = momentsOf(7, nowMs).map((ms) => {
    const resumesMs = ms + HALTED_MS
    const isOver = nowMs >= resumesMs
    return `<item><title>ACME</title><pubDate>${rfc822(ms)}</pubDate><ndaq:HaltDate>${inNewYork(ms, 'MM/dd/yyyy')}</ndaq:HaltDate><ndaq:HaltTime>${inNewYork(ms, 'HH:mm:ss')}</ndaq:HaltTime><ndaq:IssueSymbol>ACME</ndaq:IssueSymbol><ndaq:IssueName>Acme Inc. Common Stock</ndaq:IssueName><ndaq:Market>NASDAQ</ndaq:Market><ndaq:ReasonCode>LUDP</ndaq:ReasonCode><ndaq:ResumptionDate>${isOver ? inNewYork(resumesMs, 'MM/dd/yyyy') : ''}</ndaq:ResumptionDate><ndaq:ResumptionTradeTime>${isOver ? inNewYork(resumesMs, 'HH:mm:ss') : ''}</ndaq:ResumptionTradeTime><description><![CDATA[<table><tr><td>ACME</td></tr></table>]]></description></item>`
  })
  return xml(
    `<rss version="2.0" xmlns:ndaq="http://www.nasdaqtrader.com/"><channel><title>NASDAQTrader.com</title>${items.join('\n')}</channel></rss>`,
  )
}

const wireItem = (ms: number) =>
  `<item><guid isPermaLink="true">https://wire.example/${ms}</guid><link>https://wire.example/${ms}?utm_source=rss</link><category domain="https://www.globenewswire.com/rss/stock">Nasdaq:ACME</category><title>Apple &amp; Acme at ${ms}: margin &lt; 5%</title><description><![CDATA[<p>NEW YORK &amp; more</p>]]></description><pubDate>${rfc822(ms)}</pubDate></item>`

const newsItem = (host: string) => (ms: number) =>
  `<item><title><![CDATA[What is new at ${ms}]]></title><link>https://${host}/${ms}</link><pubDate>${rfc822(ms)}</pubDate></item>`

const DOCUMENTS: Readonly<Record<string, (nowMs: number) => string>> = {
  halts,
  fed: (nowMs) => channel('FRB: Press Release - All Releases', momentsOf(11, nowMs).map(newsItem('fed.example'))),
  // RSS 1.0, where items stand beside the channel.
  ecb: (nowMs) =>
    xml(
      `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"><channel><title>ECB</title></channel>${momentsOf(9, nowMs).map(newsItem('ecb.example')).join('\n')}</rdf:RDF>`,
    ),
  bls: (nowMs) => channel('BLS Latest', momentsOf(8, nowMs).map(newsItem('bls.example'))),
  globenewswire: (nowMs) => channel('Earnings', momentsOf(3, nowMs).map(wireItem)),
  prnewswire: (nowMs) => channel('Financial Services', momentsOf(4, nowMs).map(newsItem('pr.example'))),
}

/** Somebody's own feed, in Atom. */
const blog = (nowMs: number) =>
  xml(
    `<feed xmlns="http://www.w3.org/2005/Atom"><title>A blog</title>${momentsOf(10, nowMs)
      .map(
        (ms) =>
          `<entry><title>Thoughts at ${ms}</title><link rel="self" href="https://feeds.example.com/blog.atom"/><link href="https://feeds.example.com/${ms}"/><updated>${new Date(ms).toISOString()}</updated></entry>`,
      )
      .join('\n')}</feed>`,
  )

const documentOf = ({ name }: KnownFeed, nowMs: number) => (DOCUMENTS[name] ?? blog)(nowMs)

function answerTo(document: string, known: string | undefined): VendorAnswer {
  const etag = `"${createHash('sha1').update(document).digest('hex').slice(0, 16)}"`
  const headers = { 'content-type': 'application/rss+xml', etag }
  return known === etag ? { status: 304, headers, body: '' } : { headers, body: document }
}

const fake = (clock: Clock): VendorFake => ({
  answer: ({ path, query, headers }) => {
    const asked = query.size === 0 ? path : `${path}?${query}`
    const feed = FEEDS.find((each) => addressOf(each) === asked)
    if (!feed) return { status: 404, body: '<html><body>Not found</body></html>' }
    return answerTo(documentOf(feed, clock.now()), headers['if-none-match'])
  },
  told: (nowMs) =>
    FEEDS.flatMap((feed) =>
      parseFeed(Buffer.from(documentOf(feed, nowMs)), { ...feed, symbolsIn: () => [], receivedAtMs: nowMs })
        // That it is halted goes unsaid once it is said when it resumes.
        .facts.filter(({ kind, id }) => kind !== 'TRADING_HALT' || id.endsWith(':resumes'))
        .map((event) => nameOf({ topic: 'news-data', event })),
    ),
})

export const rssCase: PolledVendorCase = {
  source: rss,
  variables: { RSS_FEEDS: OWN_FEED },
  symbols: ['AAPL'],
  keys: [],
  // Each feed is at a host of its own. None publishes a limit; this is the politeness we promise.
  keyOf: ({ path }) => path,
  limits: [{ kind: 'sliding', requests: 12, perMs: MINUTE_MS }],
  startMs: START_MS,
  timesFaster: 200,
  errorBody: '<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Try again</Message></Error>',
  fake,
}
