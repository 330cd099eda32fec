import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway } from '../../gateway/gateway.ts'
import type { SubgraphPlace } from '../../gateway/subgraph-executor.ts'
import type { EventBus } from '../../platform/bus/bus.ts'
import { openKafkaBus } from '../../platform/bus/kafka-bus.ts'
import { MemoryBus } from '../../platform/bus/memory-bus.ts'
import type { Fact } from '../../platform/bus/topics.ts'
import { systemClock } from '../../platform/clock.ts'
import { Watchers } from '../../platform/graphql/watchers.ts'
import { Health } from '../../platform/health.ts'
import { silentLog } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import { MemoryPubSub } from '../../platform/pubsub/memory-pubsub.ts'
import type { PubSub } from '../../platform/pubsub/pubsub.ts'
import { RedisPubSub } from '../../platform/pubsub/redis-pubsub.ts'
import { Instruments } from '../../platform/store/instruments.ts'
import { SymbolInterestStore } from '../../platform/store/symbol-interest.ts'
import { buildSubgraphNamed, SUBGRAPHS } from '../../subgraphs/subgraphs.ts'
import { aFiling, anArticle, anObservation, aQualityEvent, aSnapshot, FRIDAY_MS } from '../support/facts.ts'
import { data, type Subscription, subscribe } from '../support/graphql.ts'
import { INSTRUMENTS } from '../support/market.ts'
import { OPENING_MS, openProcessing, type Processing, print } from '../support/processing.ts'

interface Backend {
  readonly openBus: (metrics: Metrics) => Promise<EventBus>
  readonly openPubSub: (metrics: Metrics) => PubSub
}

const backends: [name: string, backend: Backend][] = [
  [
    'embedded backends',
    {
      openBus: async (metrics) => new MemoryBus({ log: silentLog, metrics }),
      openPubSub: (metrics) => new MemoryPubSub({ log: silentLog, metrics }),
    },
  ],
]
const { KAFKA_BROKERS, REDIS_URL } = process.env
if (KAFKA_BROKERS && REDIS_URL)
  backends.push([
    'Kafka and Redis',
    {
      openBus: (metrics) =>
        openKafkaBus({ brokers: KAFKA_BROKERS.split(','), clientId: 'e2e-facts', log: silentLog, metrics }),
      openPubSub: (metrics) =>
        new RedisPubSub({ url: REDIS_URL, prefix: `e2e-${randomUUID()}`, log: silentLog, metrics }),
    },
  ])

const SOON = { timeout: 30_000, interval: 20 }
const TOPICS = [
  'news-data',
  'economic-data',
  'economic-releases',
  'data-quality',
  'stock-quotes',
  'stock-data',
] as const

describe.each(backends)('the life of a fact that is not a tick, on %s', (_name, backend) => {
  let processing: Processing
  let url: string
  const opened = new AsyncDisposableStack()
  beforeAll(async () => {
    processing = opened.use(await openProcessing({ ...backend, topics: TOPICS }))
    const { database, pubsub, metrics } = processing
    await new Instruments(database).add(INSTRUMENTS)
    await processing.start(['news', 'economics', 'quality', 'quotes', 'watch'])
    const store = new SymbolInterestStore(database)
    const watchers = opened.use(new Watchers({ store, clock: systemClock, log: silentLog, metrics }))
    const places: Record<string, SubgraphPlace> = {}
    for (const name of SUBGRAPHS) {
      const { sdl, schema } = await buildSubgraphNamed(name, {
        database,
        pubsub,
        watchers,
        clock: systemClock,
        metrics,
      })
      places[name] = { kind: 'local', sdl, schema }
    }
    const health = new Health({ log: silentLog })
    const gateway = await startGateway({
      host: '127.0.0.1',
      port: 0,
      subgraphs: places,
      health,
      metrics,
      log: silentLog,
    })
    opened.use(gateway)
    url = gateway.url
  })
  afterAll(() => opened.disposeAsync())

  const listening = (channel: string, count: number) =>
    expect
      .poll(async () => {
        const { values } = await processing.metrics.pubsubListeners.get()
        return values.find(({ labels }) => labels.channel === channel)?.value
      }, SOON)
      .toBe(count)

  /** What the subscriber hears of the facts, each told twice, as a source does that was killed before its checkpoint. */
  const heard = async <T>(told: Subscription<T>, ...facts: Fact[]): Promise<readonly T[]> => {
    await processing.tell(...facts, ...facts)
    await expect.poll(() => told.events.length, SOON).toBe(facts.length)
    expect(told.errors).toEqual([])
    return told.events
  }

  test('an article is heard once by who listens to its symbol, and can be queried when it is', async () => {
    using articles = subscribe<{ articles: { id: string; headline: string } }>(
      url,
      'subscription { articles(symbols: ["AAPL"]) { id headline licence attribution instruments { symbol name } } }',
    )
    await listening('article', 1)
    const [first, second] = await heard(
      articles,
      { topic: 'news-data', event: anArticle({ symbols: ['MSFT', 'AAPL'] }) },
      { topic: 'news-data', event: aFiling() },
    )
    expect(first.articles).toEqual({
      id: 'newsapi:1',
      headline: 'Apple opens a shop on the moon',
      licence: 'DELAYED',
      attribution: 'Powered by NewsAPI.org',
      instruments: [
        { symbol: 'MSFT', name: 'Microsoft Corporation' },
        { symbol: 'AAPL', name: 'Apple Inc.' },
      ],
    })
    expect(second.articles.id).toBe(aFiling().id)

    const text = `{
      instrument(symbol: "AAPL") { name news(first: 5) { edges { node { id } } } }
      articles(kinds: [FILING]) { edges { node { id filing { form } } } }
    }`
    const ids = [aFiling().id, 'newsapi:1']
    const answer = await data<{ instrument: { news: { edges: { node: { id: string } }[] } } }>(url, text)
    expect(answer).toMatchObject({
      instrument: { name: 'Apple Inc.' },
      articles: { edges: [{ node: { id: ids[0], filing: { form: '8-K' } } }] },
    })
    // Both are of one moment: by id.
    expect(answer.instrument.news.edges.map(({ node }) => node.id).toSorted()).toEqual(ids.toSorted())
  })

  test('an observation and its revision are heard once each, and the series answers both', async () => {
    using told = subscribe<{ economicObservations: { value: number } }>(
      url,
      'subscription { economicObservations(seriesIds: ["CPIAUCSL"]) { date value vintage series { title unit } } }',
    )
    await listening('observation', 1)
    const events = await heard(
      told,
      { topic: 'economic-data', event: anObservation() },
      { topic: 'economic-data', event: anObservation({ value: 326, vintage: '2026-12-10' }) },
    )
    expect(events.map(({ economicObservations: { value } }) => value)).toEqual([325.5, 326])
    const text = `{ series(id: "CPIAUCSL") {
      latest { value } observations(asOf: "2026-11-30") { edges { node { value vintage } } }
    } }`
    expect(await data(url, text)).toEqual({
      series: {
        latest: { value: 326 },
        observations: { edges: [{ node: { value: 325.5, vintage: '2026-11-13' } }] },
      },
    })
  })

  test('what there is to know of a price is heard once, and listed newest first', async () => {
    using told = subscribe<{ dataQuality: { kind: string } }>(
      url,
      'subscription { dataQuality { kind source symbol detail } }',
    )
    await listening('dataQuality', 1)
    await heard(
      told,
      { topic: 'data-quality', event: aQualityEvent() },
      {
        topic: 'data-quality',
        event: aQualityEvent({ kind: 'SILENT_SOURCE', symbol: null, eventTimeMs: FRIDAY_MS + 5_000 }),
      },
    )
    const page = 'edges { node { kind symbol } cursor } pageInfo { hasNextPage endCursor }'
    type Page = { dataQuality: { edges: { node: unknown }[]; pageInfo: { endCursor: string } } }
    const { dataQuality: first } = await data<Page>(url, `{ dataQuality(first: 1) { ${page} } }`)
    const text = `query ($after: String) { dataQuality(after: $after) { ${page} } }`
    const { dataQuality: second } = await data<Page>(url, text, { after: first.pageInfo.endCursor })
    expect([...first.edges, ...second.edges].map(({ node }) => node)).toEqual([
      { kind: 'SILENT_SOURCE', symbol: null },
      { kind: 'JUMP', symbol: 'BTC-USD' },
    ])
  })

  test('what is wrong with a price is found in its ticks, heard once, and can be queried when it is', async () => {
    const FINDING = 'kind source symbol eventTime detail'
    using told = subscribe<{ dataQuality: unknown }>(
      url,
      `subscription { dataQuality(symbols: ["IBM"]) { ${FINDING} } }`,
    )
    await listening('dataQuality', 1)
    const at = (seconds: number, price: number) =>
      print({ symbol: 'IBM', source: 'finnhub', price, eventTimeMs: OPENING_MS + seconds * 1_000 })
    const calm = Array.from({ length: 60 }, (_, i) => at(i, 300 + (i % 2) / 100))
    const faults = [at(60, 330), at(61, 300), at(10, 300)]
    await processing.produce(...calm, ...faults)
    await processing.produce(...faults)
    await expect.poll(() => told.events.length, SOON).toBe(2)
    const findings = [
      {
        kind: 'JUMP',
        source: 'finnhub',
        symbol: 'IBM',
        eventTime: '2026-03-02T14:31:00.000Z',
        detail: expect.stringContaining('from 300.01 to 330 '),
      },
      {
        kind: 'OUT_OF_ORDER',
        source: 'finnhub',
        symbol: 'IBM',
        eventTime: '2026-03-02T14:30:10.000Z',
        detail: 'A print of IBM came 51 s after a newer one of finnhub.',
      },
    ]
    expect(told.events.map(({ dataQuality }) => dataQuality)).toEqual(findings)
    const text = `{ dataQuality(symbols: ["IBM"]) { edges { node { ${FINDING} } } } }`
    expect(await data(url, text)).toEqual({ dataQuality: { edges: findings.map((node) => ({ node })) } })
  })

  test("a vendor's price is heard as a quote, and is the instrument's quote and freshness", async () => {
    const QUOTE = 'symbol price previousClose source delayed licence'
    using quotes = subscribe<{ quotes: unknown }>(url, `subscription { quotes(symbols: ["AAPL"]) { ${QUOTE} } }`)
    await listening('quote', 1)
    const [{ quotes: told }] = await heard(quotes, { topic: 'stock-quotes', event: aSnapshot() })
    expect(told).toEqual({
      symbol: 'AAPL',
      price: 231.5,
      previousClose: 229,
      source: 'alpha-vantage',
      delayed: true,
      licence: 'PERSONAL',
    })
    const text = `{ instrument(symbol: "AAPL") { quote { ${QUOTE} } freshness { source asOf delayed nextUpdateAt } } }`
    expect(await data(url, text)).toEqual({
      instrument: {
        quote: told,
        freshness: { source: 'alpha-vantage', asOf: '2026-11-20T14:30:00.000Z', delayed: true, nextUpdateAt: null },
      },
    })
  })
})
