import { createClient } from 'graphql-sse'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { PlatformError } from '../../domain/errors.ts'
import type { PlannerName } from '../../gateway/planner.ts'
import type { SubgraphPlace } from '../../gateway/subgraph-executor.ts'
import { openGateway, type Served } from '../support/gateway.ts'
import { data, query, subscribe } from '../support/graphql.ts'
import { aTick, bar, OPENED_MS } from '../support/market.ts'

const ways: [planner: PlannerName, placed: SubgraphPlace['kind']][] = [
  ['rust', 'local'],
  ['rust', 'remote'],
  ['js', 'local'],
  ['js', 'remote'],
]

describe.each(ways)('The graph, planned by %s over %s subgraphs', (planner, placed) => {
  let served: Served
  beforeAll(async () => {
    served = await openGateway(placed, { planner })
  })
  afterAll(() => served[Symbol.asyncDispose]())
  // The next test must not find a reader of this one.
  afterEach(() => served.live(0))

  const ask = (text: string, variables?: Record<string, unknown>) => query(served.url, text, variables)
  const failure = async (text: string, variables?: Record<string, unknown>) => {
    const { errors = [] } = await ask(text, variables)
    return errors.map(({ message, extensions }) => ({ code: extensions?.code, message }))
  }
  const live = (text: string, variables?: Record<string, unknown>) =>
    subscribe<Record<string, { symbol: string; price: number; close: number }>>(served.url, text, variables)
  const TICKS = 'subscription ($symbols: [ID!]!) { ticks(symbols: $symbols) { symbol price } }'

  test('runs on the planner that was asked for', () => {
    expect(served.gateway.planner).toBe(planner)
  })

  test('an instrument comes with its quote', async () => {
    const text =
      '{ instrument(symbol: "aapl") { symbol name assetClass quote { price change changePercent eventTime } } }'
    expect(await data(served.url, text)).toEqual({
      instrument: {
        symbol: 'AAPL',
        name: 'Apple Inc.',
        assetClass: 'EQUITY',
        quote: { price: 110, change: 10, changePercent: 10, eventTime: '2013-10-07T13:31:30.000Z' },
      },
    })
  })

  test('a symbol without an instrument is null', async () => {
    expect(await ask('{ instrument(symbol: "NOPE") { symbol } }')).toEqual({ data: { instrument: null } })
  })

  test('the quotes of a page of instruments are one read', async () => {
    const before = served.market.asked.quotes
    await data(served.url, '{ instruments { edges { node { symbol quote { price } } } } }')
    expect(served.market.asked.quotes - before).toBe(1)
  })

  test('pages of instruments follow each other without a gap', async () => {
    const text = `query ($after: String) {
      instruments(first: 3, after: $after) { edges { node { symbol } } pageInfo { hasNextPage hasPreviousPage endCursor } }
    }`
    type Page = { instruments: { edges: unknown[]; pageInfo: { endCursor: string; hasNextPage: boolean } } }
    const first = await data<Page>(served.url, text)
    expect(first.instruments.pageInfo.hasNextPage).toBe(true)
    expect(first.instruments.edges).toHaveLength(3)
    const second = await data<Page>(served.url, text, { after: first.instruments.pageInfo.endCursor })
    expect(second.instruments.edges).toEqual([{ node: { symbol: 'MSFT' } }])
    expect(second.instruments.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true })
  })

  test('bars end just after the latest trade where nobody says when', async () => {
    const text =
      '{ instrument(symbol: "AAPL") { bars(interval: ONE_MINUTE) { edges { node { start interval close } } } } }'
    expect(await data(served.url, text)).toEqual({
      instrument: {
        bars: {
          edges: [
            { node: { start: '2013-10-07T13:30:00.000Z', interval: 'ONE_MINUTE', close: 100 } },
            { node: { start: '2013-10-07T13:31:00.000Z', interval: 'ONE_MINUTE', close: 101 } },
          ],
        },
      },
    })
  })

  test('bars can be asked for between two moments', async () => {
    const text = `query ($from: DateTime, $to: DateTime) {
      instrument(symbol: "AAPL") { bars(interval: ONE_MINUTE, from: $from, to: $to, first: 1) {
        edges { node { start } } pageInfo { hasNextPage }
      } }
    }`
    const span = { from: '2013-10-07T09:31:00-04:00', to: '2013-10-07T14:00:00Z' }
    expect(await data(served.url, text, span)).toEqual({
      instrument: {
        bars: { edges: [{ node: { start: '2013-10-07T13:31:00.000Z' } }], pageInfo: { hasNextPage: true } },
      },
    })
  })

  test('quotes come in the order asked, without the symbols that have none', async () => {
    const text = '{ quotes(symbols: ["MSFT", "GOOGL", "aapl"]) { symbol previousClose } }'
    expect(await data(served.url, text)).toEqual({
      quotes: [
        { symbol: 'MSFT', previousClose: null },
        { symbol: 'AAPL', previousClose: 100 },
      ],
    })
  })

  test('instruments are found by their name', async () => {
    expect(await data(served.url, '{ searchInstruments(text: "micro") { symbol } }')).toEqual({
      searchInstruments: [{ symbol: 'MSFT' }],
    })
  })

  test('an entity is put together from two subgraphs, from either side', async () => {
    const text = '{ instrument(symbol: "AAPL") { name outlook } trending { symbol name outlook } }'
    expect(await data(served.url, text)).toEqual({
      instrument: { name: 'Apple Inc.', outlook: 'Outlook of AAPL' },
      trending: [
        { symbol: 'MSFT', name: 'Microsoft Corporation', outlook: 'Outlook of MSFT' },
        { symbol: 'AAPL', name: 'Apple Inc.', outlook: 'Outlook of AAPL' },
      ],
    })
  })

  test.each([
    ['a malformed symbol', '{ instrument(symbol: "$$") { symbol } }', 'INVALID_ARGUMENT', 'A symbol is 1 to 20'],
    [
      'too large a page',
      '{ instruments(first: 501) { edges { cursor } } }',
      'INVALID_ARGUMENT',
      'first must be from 1 to 500, was 501',
    ],
    [
      'a foreign cursor',
      '{ instruments(after: "bm8") { edges { cursor } } }',
      'INVALID_ARGUMENT',
      'after must be a cursor',
    ],
    ['an empty search', '{ searchInstruments(text: " ") { symbol } }', 'INVALID_ARGUMENT', 'text must have 1 to 100'],
    [
      'a span that ends before it begins',
      '{ instrument(symbol: "AAPL") { bars(interval: ONE_DAY, from: "2013-10-08T00:00:00Z", to: "2013-10-07T00:00:00Z") { edges { cursor } } } }',
      'INVALID_ARGUMENT',
      'from must be before to',
    ],
    ['a syntax error', '{ instrument(', 'GRAPHQL_PARSE_FAILED', 'Syntax Error'],
    ['an unknown field', '{ nope }', 'GRAPHQL_VALIDATION_FAILED', 'Cannot query field "nope"'],
    [
      'an argument of the wrong type',
      '{ instruments(first: "x") { edges { cursor } } }',
      'GRAPHQL_VALIDATION_FAILED',
      'Int cannot represent',
    ],
  ])('%s is refused with a code and a sentence', async (_what, text, code, sentence) => {
    const [error, ...more] = await failure(text)
    expect(more).toEqual([])
    expect(error.code).toBe(code)
    expect(error.message).toContain(sentence)
  })

  test('a variable that does not fit is the mistake of the client', async () => {
    const [error] = await failure('query ($first: Int) { instruments(first: $first) { edges { cursor } } }', {
      first: 'x',
    })
    expect(error.code).toBe('BAD_USER_INPUT')
    expect(error.message).toContain('Variable "$first"')
  })

  test('more quotes than the bound are refused', async () => {
    const symbols = Array.from({ length: 501 }, (_, i) => `S${i}`)
    const [error] = await failure('query ($symbols: [ID!]!) { quotes(symbols: $symbols) { symbol } }', { symbols })
    expect(error).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'symbols must name 0 to 500 instruments, named 501',
    })
  })

  test('what fails unexpectedly shows a reference and nothing of its cause', async () => {
    served.market.broken = new Error('password=hunter2')
    const answer = await ask('{ instrument(symbol: "AAPL") { symbol } }')
    served.market.broken = undefined
    expect(JSON.stringify(answer)).not.toContain('hunter2')
    expect(JSON.stringify(answer)).not.toContain('stack')
    expect(answer.errors?.[0].extensions).toEqual({
      code: 'INTERNAL_SERVER_ERROR',
      reference: expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
  })

  test('a store that is away is said with its code', async () => {
    served.market.broken = new PlatformError('STORE_UNAVAILABLE', 'The database cannot be reached')
    const [error] = await failure('{ instrument(symbol: "AAPL") { symbol } }')
    served.market.broken = undefined
    expect(error).toEqual({
      code: 'STORE_UNAVAILABLE',
      message: 'The store cannot be read now, try again in a moment',
    })
  })

  test('one entity that fails leaves the others', async () => {
    const answer = await query<{ instruments: { edges: { node: unknown }[] } }>(
      served.url,
      '{ instruments { edges { node { symbol outlook } } } }',
    )
    expect(answer.data?.instruments.edges.map(({ node }) => node)).toEqual([
      { symbol: 'AAPL', outlook: 'Outlook of AAPL' },
      { symbol: 'AMZN', outlook: null },
      { symbol: 'GOOGL', outlook: 'Outlook of GOOGL' },
      { symbol: 'MSFT', outlook: 'Outlook of MSFT' },
    ])
    expect(answer.errors?.map(({ extensions }) => extensions?.code)).toEqual(['INTERNAL_SERVER_ERROR'])
    expect(JSON.stringify(answer)).not.toContain('hunter2')
  })

  test('ticks arrive each by itself, in order', async () => {
    using ticks = live(TICKS, { symbols: ['aapl', 'MSFT'] })
    await served.live(1)
    const prices = Array.from({ length: 200 }, (_, i) => i + 1)
    await served.market.tell('AAPL', ...prices.slice(0, 100))
    await served.market.tell('MSFT', 7)
    await served.market.tell('AAPL', ...prices.slice(100))
    await expect.poll(() => ticks.events.length).toBe(201)
    const ofApple = ticks.events.filter(({ ticks: { symbol } }) => symbol === 'AAPL')
    expect(ofApple.map(({ ticks: { price } }) => price)).toEqual(prices)
  })

  test('an event carries the fields of both subgraphs', async () => {
    using ticks = live('subscription { ticks(symbols: ["AAPL"]) { price instrument { name outlook } } }')
    await served.live(1)
    await served.market.tell('AAPL', 1)
    await expect
      .poll(() => ticks.events)
      .toEqual([{ ticks: { price: 1, instrument: { name: 'Apple Inc.', outlook: 'Outlook of AAPL' } } }])
  })

  test('an event that fails is told once, with no data of the event before', async () => {
    using ticks = live('subscription { ticks(symbols: ["AAPL", "MSFT"]) { price instrument { name } } }')
    await served.live(1)
    await served.market.tell('AAPL', 1)
    await expect.poll(() => ticks.events.length).toBe(1)
    served.market.broken = new PlatformError('STORE_UNAVAILABLE', 'The database cannot be reached')
    // Its instrument was not read before.
    await served.market.tell('MSFT', 2)
    await expect.poll(() => ticks.errors.length).toBe(1)
    served.market.broken = undefined
    await served.market.tell('AAPL', 3)
    await expect.poll(() => ticks.events.map(({ ticks: { price } }) => price)).toEqual([1, 3])
    expect(ticks.errors).toMatchObject([{ extensions: { code: 'STORE_UNAVAILABLE' } }])
  })

  test('a tick of something nobody has described still has an instrument', async () => {
    using ticks = live('subscription { ticks(symbols: ["AAPL"]) { instrument { symbol name } } }')
    await served.live(1)
    await served.market.pubsub.publish('tick', 'AAPL', {
      ticks: [aTick('NEW', 1)],
      skipped: 0,
    })
    await expect.poll(() => ticks.events).toEqual([{ ticks: { instrument: { symbol: 'NEW', name: 'NEW' } } }])
  })

  test('bars arrive as they stand, of the interval asked for', async () => {
    using bars = live('subscription { bars(symbols: ["AAPL"], interval: ONE_MINUTE) { symbol close closed start } }')
    await served.live(1)
    await served.market.pubsub.publish('bar', 'AAPL:5m', { ...bar('AAPL', OPENED_MS, 1), interval: '5m' })
    await served.market.pubsub.publish('bar', 'AAPL:1m', bar('AAPL', OPENED_MS, 2))
    await expect
      .poll(() => bars.events)
      .toEqual([{ bars: { symbol: 'AAPL', close: 2, closed: true, start: '2013-10-07T13:30:00.000Z' } }])
  })

  test.each([
    [['NOPE', 'AAPL'], 'UNKNOWN_SYMBOL', 'No instrument has the symbol NOPE'],
    [['$'], 'INVALID_ARGUMENT', 'A symbol is 1 to 20 of A-Z 0-9 . - / = ^, was "$"'],
    [[], 'INVALID_ARGUMENT', 'symbols must name 1 to 100 instruments, named 0'],
    [
      Array.from({ length: 101 }, (_, i) => `S${i}`),
      'INVALID_ARGUMENT',
      'symbols must name 1 to 100 instruments, named 101',
    ],
  ])('a subscription to %j is refused', async (symbols, code, message) => {
    using ticks = live(TICKS, { symbols })
    await ticks.ended
    expect(ticks.errors).toMatchObject([{ message, extensions: { code } }])
    await served.live(0)
  })

  test.each([
    ['subscription { tickz }', 'GRAPHQL_VALIDATION_FAILED'],
    ['subscription {', 'GRAPHQL_PARSE_FAILED'],
    ['subscription ($s: [ID!]!) { ticks(symbols: $s) { price } }', 'BAD_USER_INPUT'],
  ])('over WebSocket %j is %s', async (text, code) => {
    using refused = live(text)
    await refused.ended
    expect(refused.errors).toMatchObject([{ extensions: { code } }])
    expect(JSON.stringify(refused.errors)).not.toContain('"http"')
  })

  test('identical subscriptions run once', async () => {
    using first = live(TICKS, { symbols: ['GOOGL'] })
    using second = live(TICKS.replaceAll(' ', '  '), { symbols: ['GOOGL'] })
    await served.live(2)
    expect(served.gateway.subscriptions.sources).toBe(1)
    await served.market.tell('GOOGL', 1, 2, 3)
    await expect.poll(() => second.events.length).toBe(3)
    await expect.poll(() => first.events).toEqual(second.events)
  })

  test('one who leaves does not end it for another', async () => {
    const first = live(TICKS, { symbols: ['AMZN'] })
    using second = live(TICKS, { symbols: ['AMZN'] })
    await served.live(2)
    first[Symbol.dispose]()
    await served.live(1)
    await served.market.tell('AMZN', 1)
    await expect.poll(() => second.events).toEqual([{ ticks: { symbol: 'AMZN', price: 1 } }])
  })

  test('the source ends with its last reader', async () => {
    const only = live(TICKS, { symbols: ['MSFT'] })
    await served.live(1)
    only[Symbol.dispose]()
    await expect.poll(() => served.gateway.subscriptions).toEqual({ sources: 0, readers: 0 })
    await served.live(0)
  })

  test('a subscription runs over SSE like over WebSocket', async () => {
    const client = createClient({ url: served.url, retryAttempts: 0 })
    const events: unknown[] = []
    const leave = client.subscribe(
      { query: TICKS, variables: { symbols: ['AAPL'] } },
      { next: ({ data: event }) => void events.push(event), error: () => undefined, complete: () => undefined },
    )
    await served.live(1)
    await served.market.tell('AAPL', 1, 2)
    await expect
      .poll(() => events)
      .toEqual([{ ticks: { symbol: 'AAPL', price: 1 } }, { ticks: { symbol: 'AAPL', price: 2 } }])
    leave()
    client.dispose()
    await served.live(0)
  })

  test('SSE and WebSocket share one source', async () => {
    const client = createClient({ url: served.url, retryAttempts: 0 })
    using socket = live(TICKS, { symbols: ['AAPL'] })
    const events: unknown[] = []
    client.subscribe(
      { query: TICKS, variables: { symbols: ['AAPL'] } },
      { next: ({ data: event }) => void events.push(event), error: () => undefined, complete: () => undefined },
    )
    await served.live(2)
    expect(served.gateway.subscriptions.sources).toBe(1)
    await served.market.tell('AAPL', 1)
    await expect.poll(() => events).toEqual([{ ticks: { symbol: 'AAPL', price: 1 } }])
    await expect.poll(() => socket.events).toEqual(events)
    client.dispose()
  })

  test('three hundred subscribers all get every tick, from one execution', async () => {
    const all = Array.from({ length: 300 }, () => live(TICKS, { symbols: ['AAPL'] }))
    await served.live(300)
    expect(served.gateway.subscriptions.sources).toBe(1)
    const delivered = async () => (await served.metrics.gatewayDelivered.get()).values[0].value
    const before = await delivered()
    await served.market.tell('AAPL', 1, 2, 3, 4, 5)
    await expect.poll(() => all.every(({ events }) => events.length === 5), { timeout: 20_000 }).toBe(true)
    expect((await delivered()) - before).toBe(1_500)
    for (const one of all) one[Symbol.dispose]()
    await served.live(0)
  })
})
