import type { EconomicSeries } from '../../../domain/observation.ts'
import type { SourceContext, VendorSource } from '../../catalogue.ts'
import type { Feed } from '../../polling/feed.ts'
import { polledSource } from '../../polling/polled-source.ts'
import { keysOf } from '../../quota/key-ring.ts'
import type { VendorHttp } from '../../resilience/vendor-http.ts'
import { openVendorAccess } from '../../vendor-access.ts'
import { BASE_URL, FredClient, GRAPH_URL, GraphClient } from './client.ts'
import { fredFeeds } from './feeds.ts'
import { graphFeed } from './graph.ts'
import { KNOWN_SERIES } from './known-series.ts'
import { errorOf } from './parse.ts'

const NAME = 'fred'
const MINUTE_MS = 60_000
const REQUESTS_PER_MINUTE = 120
/** Charts are drawn for people: so fast a person clicks. */
const GRAPHS_PER_MINUTE = 12

/**
 * Series of the US economy. With a key: every vintage, soon after its release, and the calendar of releases. Without one:
 * the numbers of the charts of the series that we can describe, as they are when we see them.
 */
export const fred: VendorSource = {
  name: NAME,
  needs: [],
  open(context) {
    const keys = keysOf(context.settings.variables.FRED_KEY)
    const isKeyed = keys.length > 0
    const windows = [
      { kind: 'sliding', requests: isKeyed ? REQUESTS_PER_MINUTE : GRAPHS_PER_MINUTE, perMs: MINUTE_MS },
    ] as const
    const { quota, http } = openVendorAccess(context, {
      name: NAME,
      baseUrl: isKeyed ? BASE_URL : GRAPH_URL,
      keys,
      windows,
      sign: (key) => ({ query: { api_key: key } }),
      errorOf: ({ body }) => errorOf(body),
    })
    const feeds = isKeyed
      ? fredFeeds({ client: new FredClient(http), seriesIds: followed(context), now: context.clock.now })
      : chartFeeds(context, http)
    return polledSource({ name: NAME, quota, feedsOf: () => feeds, context })
  },
}

function chartFeeds(context: SourceContext, http: VendorHttp): readonly Feed[] {
  const { clock, log } = context
  const client = new GraphClient(http)
  const described = new Map<string, EconomicSeries>(KNOWN_SERIES.map((series) => [series.seriesId, series]))
  const ids = followed(context)
  const strangers = ids.filter((seriesId) => !described.has(seriesId))
  if (strangers.length > 0)
    log.warn({ source: NAME }, `Without FRED_KEY nothing describes ${strangers.join(', ')}: they are not read`)
  return ids.flatMap((seriesId) => {
    const series = described.get(seriesId)
    return series ? [graphFeed(series, client, clock.now)] : []
  })
}

/** `FRED_SERIES=DGS10,CPIAUCSL`; left out: the known ones. */
const followed = ({ settings }: SourceContext): readonly string[] => {
  const named = keysOf(settings.variables.FRED_SERIES)
  return named.length > 0 ? named : KNOWN_SERIES.map(({ seriesId }) => seriesId)
}
