import type { ArticleKind } from '../../../domain/article.ts'
import { PlatformError } from '../../../domain/errors.ts'

export interface KnownFeed {
  /** Names it in checkpoints and dead letters. */
  readonly name: string
  readonly url: string
  readonly publisher: string
  readonly kind: ArticleKind
}

const known = (name: string, publisher: string, kind: ArticleKind, url: string): KnownFeed => ({
  name,
  publisher,
  kind,
  url,
})

/** Public feeds whose publishers offer them to be read by programs. */
export const KNOWN_FEEDS: readonly KnownFeed[] = [
  known('halts', 'Nasdaq', 'TRADING_HALT', 'https://www.nasdaqtrader.com/rss.aspx?feed=tradehalts'),
  known('fed', 'Federal Reserve', 'CENTRAL_BANK', 'https://www.federalreserve.gov/feeds/press_all.xml'),
  known('ecb', 'European Central Bank', 'CENTRAL_BANK', 'https://www.ecb.europa.eu/rss/press.html'),
  known('bls', 'Bureau of Labor Statistics', 'NEWS', 'https://www.bls.gov/feed/bls_latest.rss'),
  known(
    'globenewswire',
    'GlobeNewswire',
    'PRESS_RELEASE',
    'https://www.globenewswire.com/RssFeed/subjectcode/13-Earnings%20Releases%20And%20Operating%20Results',
  ),
  known(
    'prnewswire',
    'PR Newswire',
    'PRESS_RELEASE',
    'https://www.prnewswire.com/rss/financial-services-latest-news/financial-services-latest-news-list.rss',
  ),
]

/** The addresses of RSS_FEEDS. @throws INVALID_ARGUMENT */
export function ownFeeds(setting: string | undefined): readonly KnownFeed[] {
  const addresses = (setting ?? '').split(',').map((address) => address.trim())
  return [...new Set(addresses)]
    .filter((address) => address !== '')
    .map((address) => {
      const url = URL.parse(address)
      if (url?.protocol !== 'https:')
        throw new PlatformError(
          'INVALID_ARGUMENT',
          `RSS_FEEDS must be https addresses, was ${JSON.stringify(address.slice(0, 100))}`,
        )
      return known(`${url.host}${url.pathname}${url.search}`, url.hostname.replace(/^www\./, ''), 'NEWS', url.href)
    })
}
