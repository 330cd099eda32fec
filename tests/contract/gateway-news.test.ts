import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { PlannerName } from '../../gateway/planner.ts'
import type { SubgraphPlace } from '../../gateway/subgraph-executor.ts'
import { anArticle } from '../support/facts.ts'
import { openGateway, type Served } from '../support/gateway.ts'
import { data, query, subscribe } from '../support/graphql.ts'

const ways: [planner: PlannerName, placed: SubgraphPlace['kind']][] = [
  ['rust', 'local'],
  ['rust', 'remote'],
  ['js', 'local'],
  ['js', 'remote'],
]

interface Page {
  edges: { node: { id: string; headline: string } }[]
  pageInfo: { hasNextPage: boolean; endCursor: string }
}

describe.each(ways)('News in the graph, planned by %s over %s subgraphs', (planner, placed) => {
  let served: Served
  beforeAll(async () => {
    served = await openGateway(placed, { planner })
  })
  afterAll(() => served[Symbol.asyncDispose]())
  afterEach(() => served.live(0))

  const ask = <T = unknown>(text: string, variables?: Record<string, unknown>) => data<T>(served.url, text, variables)
  const refusal = async (text: string) => (await query(served.url, text)).errors?.[0]
  const tell = (article: ReturnType<typeof anArticle>) =>
    Promise.all([...article.symbols, '*'].map((key) => served.market.pubsub.publish('article', key, article)))

  test('an instrument comes with its quote from one subgraph and its news from another', async () => {
    const text = `{ instrument(symbol: "AAPL") {
      quote { price licence source } news(first: 2) { edges { node { headline } } pageInfo { hasNextPage } }
    } }`
    expect(await ask(text)).toEqual({
      instrument: {
        quote: { price: 110, licence: 'PERSONAL', source: 'coinbase:X' },
        news: {
          edges: [
            { node: { headline: 'Two of them' } },
            { node: { headline: 'Apple Inc. 8-K: Results of operations (2.02)' } },
          ],
          pageInfo: { hasNextPage: true },
        },
      },
    })
  })

  test('articles come with the instruments they name, described and quoted by another subgraph', async () => {
    const text = '{ articles(first: 2) { edges { node { headline instruments { symbol name quote { price } } } } } }'
    expect(await ask(text)).toEqual({
      articles: {
        edges: [
          { node: { headline: 'Rates stay', instruments: [] } },
          {
            node: {
              headline: 'Two of them',
              instruments: [
                { symbol: 'MSFT', name: 'Microsoft Corporation', quote: { price: 30 } },
                { symbol: 'AAPL', name: 'Apple Inc.', quote: { price: 110 } },
              ],
            },
          },
        ],
      },
    })
  })

  test('the news of a page of instruments are one read', async () => {
    const before = served.news.asked
    const text = '{ instruments { edges { node { symbol news(first: 1) { edges { node { id } } } } } } }'
    const { instruments } = await ask<{ instruments: { edges: { node: { symbol: string; news: Page } }[] } }>(text)
    expect(instruments.edges.map(({ node }) => [node.symbol, node.news.edges.map((edge) => edge.node.id)])).toEqual([
      ['AAPL', ['rss:both']],
      ['AMZN', []],
      ['GOOGL', []],
      ['MSFT', ['rss:both']],
    ])
    expect(served.news.asked - before).toBe(1)
  })

  test('pages of articles follow each other without a gap', async () => {
    const text = `query ($after: String) { articles(first: 3, after: $after) {
      edges { node { id } } pageInfo { hasNextPage endCursor }
    } }`
    const { articles: first } = await ask<{ articles: Page }>(text)
    const { articles: second } = await ask<{ articles: Page }>(text, { after: first.pageInfo.endCursor })
    expect([...first.edges, ...second.edges].map(({ node }) => node.id)).toEqual([
      'rss:fed',
      'rss:both',
      'sec-edgar:0000320193-26-000077',
      'newsapi:moon',
    ])
    expect([first.pageInfo.hasNextPage, second.pageInfo.hasNextPage]).toEqual([true, false])
  })

  test('an article is found by its id, with what may be done with it and what was filed', async () => {
    const text = `{ article(id: "sec-edgar:0000320193-26-000077") {
      kind licence attribution publishedAt symbols vendorSentiment filing { form items cik company accessionNumber }
    } none: article(id: "x") { id } }`
    expect(await ask(text)).toEqual({
      article: {
        kind: 'FILING',
        licence: 'REDISTRIBUTABLE',
        attribution: 'Source: SEC EDGAR',
        publishedAt: '2026-11-20T14:29:58.000Z',
        symbols: ['AAPL'],
        vendorSentiment: null,
        filing: {
          form: '8-K',
          items: ['2.02', '9.01'],
          cik: '0000320193',
          company: 'Apple Inc.',
          accessionNumber: '0000320193-26-000077',
        },
      },
      none: null,
    })
  })

  test('articles are narrowed by symbol, kind, source and time', async () => {
    const text = `{
      named: articles(symbols: ["msft"]) { edges { node { id } } }
      filed: articles(kinds: [FILING]) { edges { node { id } } }
      told: articles(sources: ["newsapi"], to: "2026-11-20T14:29:58Z") { edges { node { id } } }
    }`
    const found = await ask<Record<string, Page>>(text)
    expect(Object.values(found).map(({ edges }) => edges.map(({ node }) => node.id))).toEqual([
      ['rss:both'],
      ['sec-edgar:0000320193-26-000077'],
      ['newsapi:moon'],
    ])
  })

  test.each([
    ['articles(first: 101)', 'first must be from 1 to 100, was 101'],
    ['articles(symbols: ["$"])', 'A symbol is 1 to 20'],
    ['articles(symbols: [])', 'symbols must name 1 to 100 instruments, named 0'],
    ['articles(sources: [])', 'sources must name 1 to 20 sources, named 0'],
    ['articles(after: "bm8")', 'after must be a cursor that this list gave'],
    ['articles(after: "YXJ0aWNsZTpub25l")', 'after must be a cursor that this list gave'],
    ['articles(from: "2026-11-20T00:00:00Z", to: "2026-11-20T00:00:00Z")', 'from must be before to'],
  ])('%s is refused with a sentence', async (field, sentence) => {
    const error = await refusal(`{ ${field} { edges { cursor } } }`)
    expect(error?.extensions?.code).toBe('INVALID_ARGUMENT')
    expect(error?.message).toContain(sentence)
  })

  const LIVE = `subscription ($symbols: [ID!], $kinds: [ArticleKind!]) { articles(symbols: $symbols, kinds: $kinds) {
    headline instruments { symbol name quote { price } }
  } }`
  const live = (variables: Record<string, unknown> = {}) =>
    subscribe<{ articles: { headline: string } }>(served.url, LIVE, variables)

  test('an article is heard with fields of both subgraphs', async () => {
    using articles = live()
    await served.live(1)
    await tell(anArticle({ headline: 'News', symbols: ['MSFT', 'NEW'] }))
    await expect
      .poll(() => articles.events)
      .toEqual([
        {
          articles: {
            headline: 'News',
            instruments: [
              { symbol: 'MSFT', name: 'Microsoft Corporation', quote: { price: 30 } },
              { symbol: 'NEW', name: 'NEW', quote: null },
            ],
          },
        },
      ])
  })

  test('an article that names several of the symbols is heard once, one that names none of them never', async () => {
    using articles = live({ symbols: ['AAPL', 'msft'] })
    await served.live(1)
    await tell(anArticle({ headline: 'of nobody', symbols: [] }))
    await tell(anArticle({ headline: 'of another', symbols: ['AMZN'] }))
    await tell(anArticle({ headline: 'of both', symbols: ['AMZN', 'MSFT', 'AAPL'] }))
    await tell(anArticle({ headline: 'of one', symbols: ['AAPL'] }))
    await expect.poll(() => articles.events.map(({ articles: one }) => one.headline)).toEqual(['of both', 'of one'])
  })

  test('only articles of the kinds asked for are heard', async () => {
    using articles = live({ kinds: ['CENTRAL_BANK'] })
    await served.live(1)
    await tell(anArticle({ headline: 'news' }))
    await tell(anArticle({ headline: 'rates', kind: 'CENTRAL_BANK' }))
    await expect.poll(() => articles.events.map(({ articles: one }) => one.headline)).toEqual(['rates'])
  })

  test('equal subscriptions run once', async () => {
    using first = live({ symbols: ['AAPL'] })
    using second = live({ symbols: ['AAPL'] })
    await served.live(2)
    expect(served.gateway.subscriptions.sources).toBe(1)
    await tell(anArticle())
    await expect.poll(() => [first.events.length, second.events.length]).toEqual([1, 1])
  })

  test('a subscription to too many symbols is refused', async () => {
    using refused = live({ symbols: Array.from({ length: 101 }, (_, i) => `S${i}`) })
    await refused.ended
    expect(refused.errors).toMatchObject([{ extensions: { code: 'INVALID_ARGUMENT' } }])
  })
})
