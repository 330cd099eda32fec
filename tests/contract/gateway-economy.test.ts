import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { PlannerName } from '../../gateway/planner.ts'
import { anObservation, aQualityEvent, aSeries, aSnapshot, FRIDAY_MS } from '../support/facts.ts'
import { openGateway, type Served } from '../support/gateway.ts'
import { data, query, subscribe } from '../support/graphql.ts'
import { aTick } from '../support/market.ts'

describe.each<PlannerName>(['rust', 'js'])(
  'The economy and the quality of prices in the graph, planned by %s',
  (planner) => {
    let served: Served
    beforeAll(async () => {
      served = await openGateway('local', { planner })
    })
    afterAll(() => served[Symbol.asyncDispose]())
    afterEach(() => served.live(0))

    const ask = <T = unknown>(text: string, variables?: Record<string, unknown>) => data<T>(served.url, text, variables)
    const live = <T>(text: string, variables?: Record<string, unknown>) => subscribe<T>(served.url, text, variables)

    test('a series comes with its latest value and its observations', async () => {
      const text = `{ series(id: "CPIAUCSL") {
      id title unit frequency seasonallyAdjusted licence attribution latest { date value vintage }
      observations { edges { node { date value } } }
    } unknown: series(id: "NOPE") { id } }`
      expect(await ask(text)).toEqual({
        series: {
          id: 'CPIAUCSL',
          title: 'Consumer Price Index for All Urban Consumers: All Items',
          unit: 'Index 1982-1984=100',
          frequency: 'MONTHLY',
          seasonallyAdjusted: true,
          licence: 'REDISTRIBUTABLE',
          attribution: expect.stringContaining('not endorsed'),
          latest: { date: '2026-10-01', value: 326, vintage: '2026-12-10' },
          observations: {
            edges: [{ node: { date: '2026-09-01', value: 324 } }, { node: { date: '2026-10-01', value: 326 } }],
          },
        },
        unknown: null,
      })
    })

    test('a series without a value has no latest one', async () => {
      expect(
        await ask('{ economicSeries(search: "unemployment") { edges { node { id latest { value } } } } }'),
      ).toEqual({
        economicSeries: { edges: [{ node: { id: 'UNRATE', latest: null } }] },
      })
    })

    test('observations are as they were known on a day', async () => {
      const text = `query ($asOf: Date) { economicObservations(seriesId: "CPIAUCSL", from: "2026-10-01", asOf: $asOf) {
      edges { node { value series { title } } }
    } }`
      const values = async (asOf?: string) => {
        const answer = await ask<{ economicObservations: { edges: { node: { value: number } }[] } }>(text, { asOf })
        return answer.economicObservations.edges.map(({ node }) => node.value)
      }
      expect(await values('2026-10-31')).toEqual([])
      expect(await values('2026-11-30')).toEqual([325.5])
      expect(await values()).toEqual([326])
    })

    test('pages of observations follow each other without a gap', async () => {
      const text = `query ($after: String) { economicObservations(seriesId: "CPIAUCSL", first: 1, after: $after) {
      edges { node { date } } pageInfo { hasNextPage endCursor }
    } }`
      type Page = { economicObservations: { edges: { node: { date: string } }[]; pageInfo: { endCursor: string } } }
      const { economicObservations: first } = await ask<Page>(text)
      const { economicObservations: second } = await ask<Page>(text, { after: first.pageInfo.endCursor })
      expect([first, second].map(({ edges }) => edges.map(({ node }) => node.date))).toEqual([
        ['2026-09-01'],
        ['2026-10-01'],
      ])
      expect(second.pageInfo).toMatchObject({ hasNextPage: false })
    })

    test('the calendar of releases begins today', async () => {
      const text = `query ($after: String) { economicReleases(first: 2, after: $after) {
      edges { node { date name releasesAt source } } pageInfo { endCursor }
    } }`
      type Page = { economicReleases: { edges: { node: { date: string } }[]; pageInfo: { endCursor: string } } }
      const { economicReleases: first } = await ask<Page>(text)
      // The clock of the fake market stands in 2013.
      expect(first.edges.map(({ node }) => node.date)).toEqual(['2013-10-16', '2026-12-10'])
      expect(first.edges[0].node).toMatchObject({ name: 'Consumer Price Index', releasesAt: null, source: 'fred' })
      const { economicReleases: second } = await ask<Page>(text, { after: first.pageInfo.endCursor })
      expect(second.edges.map(({ node }) => node.date)).toEqual(['2027-01-13'])
    })

    test('what there is to know of prices comes newest first, with the instrument it is about', async () => {
      const text = '{ dataQuality { edges { node { kind source symbol detail instrument { symbol name } } } } }'
      expect(await ask(text)).toEqual({
        dataQuality: {
          edges: [
            {
              node: {
                kind: 'SILENT_SOURCE',
                source: 'coinbase:BTC-USD',
                symbol: null,
                detail: 'Silent for 30 s.',
                instrument: null,
              },
            },
            {
              node: {
                kind: 'JUMP',
                source: 'coinbase:BTC-USD',
                symbol: 'BTC-USD',
                detail: 'The price moved by 9.5 of its usual moves.',
                instrument: { symbol: 'BTC-USD', name: 'BTC-USD' },
              },
            },
          ],
        },
      })
    })

    test('pages of it follow each other without a gap', async () => {
      const text = 'query ($after: String) { dataQuality(first: 1, after: $after) { edges { node { kind } cursor } } }'
      type Page = { dataQuality: { edges: { node: { kind: string }; cursor: string }[] } }
      const { dataQuality: first } = await ask<Page>(text)
      const { dataQuality: second } = await ask<Page>(text, { after: first.edges[0].cursor })
      expect([first, second].map(({ edges }) => edges.map(({ node }) => node.kind))).toEqual([
        ['SILENT_SOURCE'],
        ['JUMP'],
      ])
    })

    test('an instrument says how fresh its price is', async () => {
      const text = '{ instruments { edges { node { symbol freshness { source asOf delayed nextUpdateAt } } } } }'
      const { instruments } = await ask<{ instruments: { edges: { node: { freshness: unknown } }[] } }>(text)
      expect(instruments.edges.map(({ node }) => node.freshness)).toEqual([
        { source: 'coinbase:X', asOf: '2013-10-07T13:31:30.000Z', delayed: false, nextUpdateAt: null },
        null,
        null,
        {
          source: 'coinbase:X',
          asOf: '2013-10-07T13:30:00.000Z',
          delayed: false,
          nextUpdateAt: '2026-11-20T14:30:00.000Z',
        },
      ])
    })

    test.each([
      ['economicSeries(ids: [])', 'ids must name 1 to 500 series, named 0'],
      ['economicSeries(search: " ")', 'search must have 1 to 100 characters, had 0'],
      ['economicSeries(first: 501)', 'first must be from 1 to 500, was 501'],
      ['economicObservations(seriesId: "X", from: "2026-01-02", to: "2026-01-02")', 'from must be before to'],
      ['economicObservations(seriesId: "X", after: "b2JzZXJ2YXRpb246MjAyNi0wMi0zMA")', 'after must be a cursor'],
      ['economicReleases(to: "2013-10-07")', 'from must be before to'],
      ['economicReleases(after: "cmVsZWFzZTpb")', 'after must be a cursor that this list gave'],
      ['dataQuality(after: "cXVhbGl0eTp4")', 'after must be a cursor that this list gave'],
      ['dataQuality(sources: [])', 'sources must name 1 to 100 sources, named 0'],
    ])('%s is refused with a sentence', async (field, sentence) => {
      const error = (await query(served.url, `{ ${field} { edges { cursor } } }`)).errors?.[0]
      expect(error?.extensions?.code).toBe('INVALID_ARGUMENT')
      expect(error?.message).toContain(sentence)
    })

    test('a day that is none is the mistake of the client', async () => {
      const text = '{ economicReleases(from: "2026-02-30") { edges { cursor } } }'
      expect((await query(served.url, text)).errors?.[0].extensions?.code).toBe('GRAPHQL_VALIDATION_FAILED')
    })

    test('observations are heard of the series asked for', async () => {
      using told = live(
        'subscription { economicObservations(seriesIds: ["CPIAUCSL"]) { seriesId value series { title } } }',
      )
      using all = live('subscription { economicObservations { seriesId } }')
      await served.live(2)
      const other = anObservation({ series: aSeries({ seriesId: 'UNRATE' }) })
      for (const one of [other, anObservation()])
        for (const key of [one.series.seriesId, '*']) await served.market.pubsub.publish('observation', key, one)
      await expect.poll(() => all.events.length).toBe(2)
      expect(told.events).toEqual([
        { economicObservations: { seriesId: 'CPIAUCSL', value: 325.5, series: { title: aSeries().title } } },
      ])
    })

    test('data quality is heard by symbol, kind and source', async () => {
      type Told = { dataQuality: { kind: string; instrument: unknown } }
      using jumps = live<Told>(
        'subscription { dataQuality(symbols: ["btc-usd"], kinds: [JUMP]) { kind instrument { name } } }',
      )
      using silent = live<Told>('subscription { dataQuality(sources: ["kraken"]) { kind instrument { name } } }')
      await served.live(2)
      const events = [
        aQualityEvent(),
        aQualityEvent({ kind: 'STALE_SYMBOL' }),
        aQualityEvent({ kind: 'SILENT_SOURCE', source: 'kraken', symbol: null }),
      ]
      for (const event of events)
        for (const key of [...(event.symbol === null ? [] : [event.symbol]), '*'])
          await served.market.pubsub.publish('dataQuality', key, event)
      await expect.poll(() => silent.events).toEqual([{ dataQuality: { kind: 'SILENT_SOURCE', instrument: null } }])
      await expect
        .poll(() => jumps.events)
        .toEqual([{ dataQuality: { kind: 'JUMP', instrument: { name: 'BTC-USD' } } }])
    })

    test('a quote is heard when a trade or a vendor changes it', async () => {
      type Told = { quotes: { price: number; source: string } }
      using quotes = live<Told>(
        'subscription { quotes(symbols: ["AAPL"]) { price previousClose change source licence delayed } }',
      )
      await served.live(1)
      const { pubsub } = served.market
      // Older than what is stored: nothing has changed, and nobody was told of the stored one yet.
      await pubsub.publish('quote', 'AAPL', aSnapshot({ eventTimeMs: 1, ingestTimeMs: 1 }))
      const ticks = [231, 232].map((price, n) => ({ ...aTick('AAPL', price), eventTimeMs: FRIDAY_MS - 60_000 + n }))
      await pubsub.publish('tick', 'AAPL', { ticks: ticks.toReversed(), skipped: 0 })
      await pubsub.publish('quote', 'AAPL', aSnapshot({ eventTimeMs: FRIDAY_MS - 120_000 }))
      await pubsub.publish('quote', 'AAPL', aSnapshot({ price: 240 }))
      await expect
        .poll(() => quotes.events.map(({ quotes: one }) => one))
        .toEqual([
          { price: 110, previousClose: 100, change: 10, source: 'coinbase:X', licence: 'PERSONAL', delayed: false },
          { price: 232, previousClose: 100, change: 132, source: 'test', licence: 'PERSONAL', delayed: false },
          { price: 240, previousClose: 100, change: 140, source: 'alpha-vantage', licence: 'PERSONAL', delayed: true },
        ])
    })

    test('symbols are watched as long as somebody listens', async () => {
      using ticks = live('subscription { ticks(symbols: ["AAPL", "MSFT"]) { price } }')
      using news = live('subscription { articles(symbols: ["AAPL", "NEW"]) { id } }')
      await served.live(2)
      await served.market.clock.advance(15_000)
      expect(Object.fromEntries(served.market.watched)).toEqual({ AAPL: 2, MSFT: 1 })
      ticks[Symbol.dispose]()
      news[Symbol.dispose]()
      await served.live(0)
      await served.market.clock.advance(15_000)
      expect(served.market.watched.size).toBe(0)
    })
  },
)
