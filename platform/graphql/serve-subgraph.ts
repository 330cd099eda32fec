import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ApolloServer } from '@apollo/server'
import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled'
import { ApolloServerPluginDrainHttpServer } from '@apollo/server/plugin/drainHttpServer'
import { expressMiddleware } from '@as-integrations/express5'
import express from 'express'
import { type ExecutionArgs, type ExecutionResult, execute, subscribe } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'
import { type Health, opsHandler } from '../health.ts'
import { cannotListen } from '../listening.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { publicError } from './public-error.ts'
import type { Subgraph } from './subgraph.ts'

const PATH = '/graphql'
const BODY_LIMIT = '1mb'
const MESSAGE_BYTES_MAX = 1_048_576

export interface ServeSubgraphOptions {
  readonly subgraph: Subgraph
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  readonly health: Health
  readonly metrics: Metrics
  readonly log: Log
}

export interface ServedSubgraph extends AsyncDisposable {
  readonly url: string
  readonly port: number
}

/** A subgraph as a process of its own, for a gateway elsewhere: queries over HTTP, subscriptions over WebSocket. */
export async function serveSubgraph(options: ServeSubgraphOptions): Promise<ServedSubgraph> {
  const { subgraph, host, log } = options
  const answerOps = opsHandler(options)
  const app = express().disable('x-powered-by')
  const http = createServer((request, response) => {
    if (!answerOps(request, response)) app(request, response)
  })
  const sockets = new WebSocketServer({
    server: http,
    path: PATH,
    maxPayload: MESSAGE_BYTES_MAX,
    perMessageDeflate: false,
  })
  const subscriptions = useServer({ ...masked(subgraph, log), isProd: true }, sockets)
  const apollo = new ApolloServer({
    schema: subgraph.schema,
    formatError: (_formatted, error) => publicError(error, log).toJSON(),
    includeStacktraceInErrorResponses: false,
    // Our own lifecycle decides when to stop.
    stopOnTerminationSignals: false,
    logger: {
      debug: log.debug.bind(log),
      info: log.debug.bind(log),
      warn: log.warn.bind(log),
      error: log.error.bind(log),
    },
    plugins: [ApolloServerPluginInlineTraceDisabled(), ApolloServerPluginDrainHttpServer({ httpServer: http })],
  })
  await apollo.start()
  app.use(PATH, express.json({ limit: BODY_LIMIT }), expressMiddleware(apollo))
  const port = await listening(http, options)
  let stopped: Promise<void> | undefined
  const stop = async () => {
    // Open sockets would keep the HTTP server from draining.
    await subscriptions.dispose()
    await apollo.stop()
  }
  return {
    port,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}${PATH}`,
    [Symbol.asyncDispose]: () => {
      stopped ??= stop()
      return stopped
    },
  }
}

/** What runs over the WebSocket, with its errors as the outside may see them. */
function masked({ schema }: Subgraph, log: Log) {
  const presentable = (result: ExecutionResult): ExecutionResult =>
    result.errors ? { ...result, errors: result.errors.map((error) => publicError(error, log)) } : result
  return {
    schema,
    execute: async (args: ExecutionArgs) => presentable(await execute(args)),
    subscribe: async (args: ExecutionArgs) => {
      const started = await subscribe(args)
      return Symbol.asyncIterator in started ? started : presentable(started)
    },
    onNext: (_context: unknown, _id: string, _payload: unknown, _args: unknown, result: ExecutionResult) =>
      result.errors && presentable(result),
  }
}

function listening(server: Server, { subgraph, host, port }: ServeSubgraphOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const refused = (cause: Error) => reject(cannotListen(`The subgraph ${subgraph.name}`, host, port, cause))
    server.once('error', refused)
    server.listen(port, host, () => {
      server.off('error', refused)
      resolve((server.address() as AddressInfo).port)
    })
  })
}
