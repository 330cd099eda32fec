import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { type Gateway, startGateway } from '../../gateway/gateway.ts'
import type { PlannerName } from '../../gateway/planner.ts'
import type { ServedSubgraph } from '../../platform/graphql/serve-subgraph.ts'
import { Health } from '../../platform/health.ts'
import { silentLog } from '../../platform/log.ts'
import { openMetrics } from '../../platform/metrics.ts'
import { serve } from '../support/gateway.ts'
import { data, query, subscribe } from '../support/graphql.ts'
import { type FakeMarket, fakeMarket } from '../support/market.ts'

const TICKS = 'subscription { ticks(symbols: ["AAPL"]) { price } }'
const ASK = '{ instrument(symbol: "AAPL") { symbol } }'

describe.each<PlannerName>(['rust', 'js'])('A gateway over a subgraph elsewhere, planned by %s', (planner) => {
  let opened = new AsyncDisposableStack()
  afterEach(async () => {
    await opened.disposeAsync()
    opened = new AsyncDisposableStack()
  })

  const gatewayTo = async (market: FakeMarket, url: string, queryLimitMs = 5_000): Promise<Gateway> =>
    opened.use(
      await startGateway({
        host: '127.0.0.1',
        port: 0,
        planner,
        subgraphs: { market: { kind: 'remote', sdl: market.subgraph.sdl, url } },
        health: new Health({ log: silentLog }),
        metrics: openMetrics(),
        log: silentLog,
        limits: { queryLimitMs },
      }),
    )
  const start = async () => {
    const market = await fakeMarket()
    const subgraph: ServedSubgraph = await serve(market.subgraph)
    opened.defer(() => subgraph[Symbol.asyncDispose]())
    return { market, subgraph, gateway: await gatewayTo(market, subgraph.url) }
  }
  const listening = ({ metrics }: FakeMarket) =>
    expect.poll(async () => (await metrics.pubsubListeners.get()).values.some(({ value }) => value > 0)).toBe(true)
  const codes = (errors: readonly unknown[] = []) =>
    errors.map((error) => (error as { extensions?: { code?: string } }).extensions?.code)

  test('starts before its subgraph does', async () => {
    const market = await fakeMarket()
    const gateway = await gatewayTo(market, 'http://127.0.0.1:1/graphql')
    const { errors = [] } = await query(gateway.url, ASK)
    expect(errors).toMatchObject([
      {
        message: 'The subgraph market cannot be reached',
        extensions: { code: 'SUBGRAPH_UNAVAILABLE', retryable: true },
      },
    ])
    using ticks = subscribe(gateway.url, TICKS)
    await ticks.ended
    expect(codes(ticks.errors)).toEqual(['SUBGRAPH_UNAVAILABLE'])
  })

  test('tells every subscriber when the subgraph dies, and goes on when it is back', async () => {
    const { market, subgraph, gateway } = await start()
    using first = subscribe<{ ticks: { price: number } }>(gateway.url, TICKS)
    using second = subscribe<{ ticks: { price: number } }>(gateway.url, TICKS)
    await listening(market)
    await market.tell('AAPL', 1)
    await expect.poll(() => second.events.length).toBe(1)

    await subgraph[Symbol.asyncDispose]()
    await Promise.all([first.ended, second.ended])
    for (const { events, errors } of [first, second]) {
      expect(codes(errors)).toEqual(['SUBGRAPH_UNAVAILABLE'])
      // Not the last event once more.
      expect(events).toEqual([{ ticks: { price: 1 } }])
    }
    expect(codes((await query(gateway.url, ASK)).errors)).toEqual(['SUBGRAPH_UNAVAILABLE'])

    const again = await serve(market.subgraph, subgraph.port)
    opened.defer(() => again[Symbol.asyncDispose]())
    expect(await data(gateway.url, ASK)).toEqual({ instrument: { symbol: 'AAPL' } })
    using third = subscribe<{ ticks: { price: number } }>(gateway.url, TICKS)
    await listening(market)
    await market.tell('AAPL', 2)
    await expect.poll(() => third.events).toEqual([{ ticks: { price: 2 } }])
    expect(gateway.subscriptions).toEqual({ sources: 1, readers: 1 })
  })

  test('does not wait for ever for a subgraph that is silent', async () => {
    const market = await fakeMarket()
    const held: Socket[] = []
    const silent = await new Promise<Server>((resolve) => {
      const server = createServer((socket) => held.push(socket)).listen(0, '127.0.0.1', () => resolve(server))
    })
    opened.defer(async () => {
      for (const socket of held) socket.destroy()
      silent.close()
    })
    const gateway = await gatewayTo(market, `http://127.0.0.1:${portOf(silent)}/graphql`, 200)
    expect((await query(gateway.url, ASK)).errors).toMatchObject([
      { message: 'The subgraph market did not answer in time', extensions: { code: 'SUBGRAPH_UNAVAILABLE' } },
    ])
    using ticks = subscribe(gateway.url, TICKS)
    await ticks.ended
    expect(codes(ticks.errors)).toEqual(['SUBGRAPH_UNAVAILABLE'])
  })

  test('does not take a frozen subgraph for a quiet one', async () => {
    const { market, subgraph } = await start()
    const pairs: Socket[] = []
    const wire = await new Promise<Server>((resolve) => {
      const server = createServer((near) => {
        const far = connect(subgraph.port, '127.0.0.1')
        pairs.push(near, far)
        near.pipe(far).pipe(near)
        for (const side of [near, far]) side.on('error', () => undefined)
      }).listen(0, '127.0.0.1', () => resolve(server))
    })
    opened.defer(async () => {
      for (const side of pairs) side.destroy()
      wire.close()
    })
    const gateway = await gatewayTo(market, `http://127.0.0.1:${portOf(wire)}/graphql`)
    using ticks = subscribe<{ ticks: { price: number } }>(gateway.url, TICKS)
    await listening(market)
    await market.tell('AAPL', 1)
    await expect.poll(() => ticks.events.length).toBe(1)
    // The connections stay open; nothing passes any more.
    for (const side of pairs) side.unpipe().pause()
    await ticks.ended
    expect(codes(ticks.errors)).toEqual(['SUBGRAPH_UNAVAILABLE'])
  })

  test('a subgraph by itself answers operations beside its queries', async () => {
    const { subgraph } = await start()
    const get = async (path: string) => (await fetch(`http://127.0.0.1:${subgraph.port}${path}`)).status
    expect(await Promise.all(['/live', '/ready', '/metrics'].map(get))).toEqual([200, 200, 200])
    expect(await data(subgraph.url, '{ _service { sdl } }')).toMatchObject({
      _service: { sdl: expect.stringContaining('@link') },
    })
  })

  test('a subgraph refuses entities it does not have, each by itself', async () => {
    const { subgraph } = await start()
    const text = 'query ($of: [_Any!]!) { _entities(representations: $of) { ... on Instrument { name } } }'
    const of = [
      { __typename: 'Person', id: 1 },
      { __typename: 'Instrument', symbol: 'AAPL' },
      { __typename: 'Instrument', symbol: '$' },
    ]
    const answer = await query(subgraph.url, text, { of })
    expect(answer.data).toEqual({ _entities: [null, { name: 'Apple Inc.' }, null] })
    expect(codes(answer.errors)).toEqual(['INVALID_ARGUMENT', 'INVALID_ARGUMENT'])
  })
})

const portOf = (server: Server): number => (server.address() as AddressInfo).port
