import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGatewayRuntime, type GatewayRuntime } from '@graphql-hive/gateway-runtime'
import type { Executor } from '@graphql-tools/utils'
import { publicError } from '../platform/graphql/public-error.ts'
import { type Health, opsHandler } from '../platform/health.ts'
import { cannotListen } from '../platform/listening.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import { compose } from './compose.ts'
import { DOCUMENT_LIMITS, type DocumentLimits } from './document-limits.ts'
import { EventStreams } from './event-streams.ts'
import { GRAPHIQL, renderGraphiql } from './graphiql.ts'
import { httpListener } from './http.ts'
import { LocalSubscriptions } from './local-subscriptions.ts'
import { originAllowed } from './origins.ts'
import { choosePlanner, type Planner, type PlannerName } from './planner.ts'
import { useRequestChecks } from './request-checks.ts'
import { useRequestMetrics } from './request-metrics.ts'
import { SharedSubscriptions } from './shared-subscriptions.ts'
import { useSharedSubscriptions } from './sharing-plugin.ts'
import { SOCKET_LIMITS, type SocketLimits, Sockets } from './sockets.ts'
import { openSubgraph, type SubgraphExecutor, type SubgraphPlace } from './subgraph-executor.ts'

export interface GatewayLimits extends SocketLimits, DocumentLimits {
  /** Over all connections. */
  readonly subscriptionsMax: number
  /** Results that may wait for one slow reader. */
  readonly resultsWaitingMax: number
  readonly bodyBytesMax: number
  readonly queryLimitMs: number
  /** For requests under way when the gateway stops. */
  readonly stopLimitMs: number
}

export const GATEWAY_LIMITS: GatewayLimits = {
  ...SOCKET_LIMITS,
  ...DOCUMENT_LIMITS,
  subscriptionsMax: 100_000,
  resultsWaitingMax: 1_000,
  bodyBytesMax: 262_144,
  queryLimitMs: 10_000,
  stopLimitMs: 10_000,
}

export interface GatewayOptions {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  readonly subgraphs: Readonly<Record<string, SubgraphPlace>>
  readonly health: Health
  readonly metrics: Metrics
  readonly log: Log
  readonly limits?: Partial<GatewayLimits>
  /** Pages of other origins that may call us from a browser, like https://app.example.com. */
  readonly origins?: readonly string[]
  /** Whether clients may read the schema, and people find GraphiQL. On unless told otherwise. */
  readonly introspection?: boolean
  readonly planner?: PlannerName | 'auto'
}

export interface Gateway extends AsyncDisposable {
  readonly port: number
  readonly url: string
  readonly planner: PlannerName
  /** What runs now: distinct executions, and the subscriptions they serve. */
  readonly subscriptions: { readonly sources: number; readonly readers: number }
}

const PATH = '/graphql'

/**
 * One graph over all subgraphs: queries and mutations over HTTP, subscriptions over WebSocket and SSE, operations beside
 * them, all on one port. Resolves when it can answer.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { metrics, log, health, host } = options
  const limits = { ...GATEWAY_LIMITS, ...options.limits }
  const planner = await choosePlanner(options.planner ?? 'auto', log)
  const executors = openSubgraphs(options.subgraphs, limits, planner, metrics)
  const shared = new SharedSubscriptions({ ...limits, metrics, log })
  const runtime = openRuntime(options, limits, planner, executors, shared)
  // Before listening: a WebSocket may be the first to ask, and would find no schema.
  await runtime.getSchema()

  const streams = new EventStreams(limits, metrics)
  const graphql: RequestListener = (request, response) => runtime.requestListener(request, response)
  const listener = httpListener({
    path: PATH,
    bodyBytesMax: limits.bodyBytesMax,
    graphql,
    ops: opsHandler({ health, metrics }),
    metrics,
  })
  const server = createServer((request, response) => {
    streams.watch(request, response)
    listener(request, response)
  })
  const sockets = new Sockets({
    server,
    runtime,
    path: PATH,
    limits,
    originAllowed: originAllowed(options.origins ?? []),
    metrics,
    log,
  })
  let stopped: Promise<void> | undefined
  const stop = async () => {
    const closed = closing(server, limits.stopLimitMs)
    // A stream that is cut off is opened again by its client, elsewhere; one that completes would not be.
    streams.close()
    await sockets.close()
    await closed
    await shared.end()
    await Promise.all([...executors.values()].map((executor) => executor[Symbol.asyncDispose]()))
    await runtime[Symbol.asyncDispose]()
  }
  const port = await listening(server, options.port, host).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  return {
    port,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}${PATH}`,
    planner: planner.name,
    get subscriptions() {
      return shared.size
    },
    [Symbol.asyncDispose]: () => {
      stopped ??= stop()
      return stopped
    },
  }
}

function openSubgraphs(places: GatewayOptions['subgraphs'], limits: GatewayLimits, planner: Planner, metrics: Metrics) {
  const bounds = { ...limits, planner: planner.name, onDropped: () => metrics.gatewaySkipped.inc() }
  return new Map(Object.entries(places).map(([name, place]) => [name, openSubgraph(name, place, bounds)]))
}

function openRuntime(
  { subgraphs, introspection = true, origins = [], metrics, log }: GatewayOptions,
  limits: GatewayLimits,
  planner: Planner,
  executors: ReadonlyMap<string, SubgraphExecutor>,
  shared: SharedSubscriptions,
): GatewayRuntime {
  const sdls = Object.entries(subgraphs).map(([name, { sdl }]) => ({ name, sdl }))
  const executorOf = (name: string): Executor => {
    const executor = executors.get(name)
    if (!executor) throw new Error(`No subgraph is named ${name}`)
    return executor.execute as Executor
  }
  const { supergraph } = compose(sdls)
  const local = new LocalSubscriptions(subgraphs, supergraph)
  return createGatewayRuntime({
    supergraph,
    ...(planner.handler && { unifiedGraphHandler: planner.handler }),
    transportEntries: { '*.http': { kind: 'subgraph' } },
    transports: { subgraph: { getSubgraphExecutor: ({ subgraphName }) => executorOf(subgraphName) } },
    // They would put the names of subgraphs into errors, and codes of their own in place of ours.
    subgraphErrors: false,
    plugins: () => [
      useRequestChecks(limits, metrics),
      useRequestMetrics(metrics),
      useSharedSubscriptions(shared, local),
    ],
    maskedErrors: { maskError: (error) => publicError(error, log) },
    logging: false,
    graphqlEndpoint: PATH,
    landingPage: false,
    graphiql: introspection ? { ...GRAPHIQL, defaultTabs: [...GRAPHIQL.defaultTabs] } : false,
    renderGraphiQL: renderGraphiql,
    ...(introspection ? {} : { disableIntrospection: {} }),
    cors:
      origins.length > 0 ? { origin: [...origins], methods: ['GET', 'POST', 'OPTIONS'], credentials: false } : false,
  })
}

function listening(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const refused = (cause: Error) => reject(cannotListen('The gateway', host, port, cause))
    server.once('error', refused)
    server.listen(port, host, () => {
      server.off('error', refused)
      resolve((server.address() as AddressInfo).port)
    })
  })
}

/** Requests under way may finish within the limit. */
function closing(server: Server, limitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), limitMs)
    server.close(() => {
      clearTimeout(cut)
      resolve()
    })
    server.closeIdleConnections()
  })
}
