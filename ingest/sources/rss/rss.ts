import { NameMatcher } from '../../../domain/name-matcher.ts'
import type { SourceContext, VendorSource } from '../../catalogue.ts'
import { namesOf } from '../../known-names.ts'
import { textIn } from '../../polling/cursor-values.ts'
import { factsOn, isUnread } from '../../polling/facts-on.ts'
import type { Feed } from '../../polling/feed.ts'
import { polledSource } from '../../polling/polled-source.ts'
import { every } from '../../polling/rhythm.ts'
import { KeyRing } from '../../quota/key-ring.ts'
import { openVendorHttp } from '../../resilience/open-vendor-http.ts'
import { USER_AGENT } from '../../user-agent.ts'
import { FeedClient } from './client.ts'
import { KNOWN_FEEDS, type KnownFeed, ownFeeds } from './known-feeds.ts'
import { parseFeed, SOURCE } from './parse.ts'

const MINUTE_MS = 60_000

/** Feeds of exchanges, central banks, statisticians and wires, and whichever else the operator reads: RSS_FEEDS. */
export const rss: VendorSource = {
  name: SOURCE,
  needs: [],
  open(context) {
    const { settings, clock } = context
    const feeds = [...KNOWN_FEEDS, ...ownFeeds(settings.variables.RSS_FEEDS)]
    const urls = new Map(feeds.map(({ name, url }) => [name, new URL(url)]))
    const hosts = new Map([...urls.values()].map((url) => [url.origin, hostOf(url, context)]))
    const hostOfFeed = (name: string): Host => {
      const host = hosts.get(urls.get(name)?.origin ?? '')
      if (!host) throw new Error(`There is no feed ${name}`)
      return host
    }
    return polledSource({
      name: SOURCE,
      context,
      quota: ({ name }) => hostOfFeed(name).quota,
      feedsOf: (symbols) => {
        const names = new NameMatcher(namesOf(symbols))
        return feeds.map((feed) => feedOf(feed, hostOfFeed(feed.name).client, names, clock.now))
      },
    })
  },
}

interface Host {
  readonly quota: KeyRing
  readonly client: FeedClient
}

/** Nobody publishes a limit; this is politeness, to each host by itself. */
function hostOf(url: URL, { settings, clock, log, metrics, quotas }: SourceContext): Host {
  const windows = [{ kind: 'sliding', requests: 12, perMs: MINUTE_MS }] as const
  const quota = new KeyRing({ name: `${SOURCE}:${url.host}`, keys: [], windows, store: quotas, clock, log, metrics })
  const baseUrl = settings.urls[SOURCE]?.http ?? url.origin
  const http = openVendorHttp({
    vendor: SOURCE,
    title: url.host,
    baseUrl,
    userAgent: USER_AGENT,
    quota,
    clock,
    log,
    metrics,
  })
  return { quota, client: new FeedClient(http) }
}

function feedOf(
  { name, url, publisher, kind }: KnownFeed,
  client: FeedClient,
  names: NameMatcher,
  now: () => number,
): Feed {
  // What a central bank or a statistician writes is about no company, whatever it names.
  const symbolsIn = (headline: string) => (kind === 'PRESS_RELEASE' || kind === 'NEWS' ? names.symbolsIn(headline) : [])
  const read = (body: Buffer, receivedAtMs: number) => parseFeed(body, { publisher, kind, symbolsIn, receivedAtMs })
  return {
    name,
    topic: 'news-data',
    cost: 1,
    dueMs: every(MINUTE_MS),
    ask: async (cursor, signal) => {
      const version = { etag: textIn(cursor, 'etag'), lastModified: textIn(cursor, 'lastModified') }
      const told = await client.newerThan(
        version,
        new URL(url),
        ({ body, receivedAtMs }) => read(body, receivedAtMs),
        signal,
      )
      if (told === undefined) return { facts: [], rejects: [] }
      const { etag = null, lastModified = null } = told.version
      return { ...factsOn('news-data', told.read), isUnread: isUnread(told.read), cursor: { etag, lastModified } }
    },
    reparse: (original) => factsOn('news-data', read(original, now())),
  }
}
