import { expect } from 'vitest'
import { type Gateway, type GatewayOptions, startGateway } from '../../gateway/gateway.ts'
import type { SubgraphPlace } from '../../gateway/subgraph-executor.ts'
import { type ServedSubgraph, serveSubgraph } from '../../platform/graphql/serve-subgraph.ts'
import type { Subgraph } from '../../platform/graphql/subgraph.ts'
import { Health } from '../../platform/health.ts'
import { silentLog } from '../../platform/log.ts'
import { type Metrics, openMetrics } from '../../platform/metrics.ts'
import { type FakeMarket, fakeMarket } from './market.ts'
import { type FakeNews, fakeNews } from './news.ts'
import { outlookSubgraph } from './outlook.ts'

/** Longer than a client gets to go by itself. */
const SOON = { timeout: 5_000 }

export interface Served extends AsyncDisposable {
  readonly gateway: Gateway
  readonly url: string
  readonly market: FakeMarket
  readonly news: FakeNews
  /** Of the gateway alone. */
  readonly metrics: Metrics
  /** Resolves once so many subscriptions run and, where there are any, what they wait for would reach them. */
  live(readers: number): Promise<void>
}

export const serve = (subgraph: Subgraph, port = 0): Promise<ServedSubgraph> =>
  serveSubgraph({
    subgraph,
    host: '127.0.0.1',
    port,
    health: new Health({ log: silentLog }),
    metrics: openMetrics(),
    log: silentLog,
  })

/** A gateway over market, news and outlook, in this process or each behind a server of its own. */
export async function openGateway(
  placed: SubgraphPlace['kind'],
  options: Partial<Omit<GatewayOptions, 'subgraphs' | 'metrics'>> = {},
): Promise<Served> {
  await using started = new AsyncDisposableStack()
  const market = await fakeMarket()
  const news = await fakeNews(market)
  const subgraphs: Record<string, SubgraphPlace> = {}
  for (const subgraph of [market.subgraph, news.subgraph, await outlookSubgraph()]) {
    const { name, sdl, schema } = subgraph
    subgraphs[name] =
      placed === 'local'
        ? { kind: 'local', sdl, schema }
        : { kind: 'remote', sdl, url: started.use(await serve(subgraph)).url }
  }
  const metrics = openMetrics()
  const health = new Health({ log: silentLog })
  const gateway = started.use(
    await startGateway({ host: '127.0.0.1', port: 0, log: silentLog, health, ...options, subgraphs, metrics }),
  )
  const live = async (readers: number) => {
    // Each source listens to one symbol at least.
    const enough = (count: number) => (readers === 0 ? count === 0 : count >= gateway.subscriptions.sources)
    await expect.poll(() => gateway.subscriptions.readers, SOON).toBe(readers)
    await expect.poll(() => listeners(market.metrics), SOON).toSatisfy(enough)
  }
  const running = started.move()
  return { gateway, url: gateway.url, market, news, metrics, live, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

/** How many listen to the pubsub, in whichever process the subgraph runs. */
async function listeners({ pubsubListeners }: Metrics): Promise<number> {
  const { values } = await pubsubListeners.get()
  return values.reduce((sum, { value }) => sum + value, 0)
}
