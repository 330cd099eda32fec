import type { ExecutionRequest } from '@graphql-tools/utils'
import { type ExecutionResult, GraphQLError, print } from 'graphql'
import { type Client, createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import { BoundedStream } from './bounded-stream.ts'
import { errorOf, resultOf, unavailable } from './subgraph-result.ts'

/** A subgraph that stays silent this long after a ping is gone, though its socket may look open. */
const PING_INTERVAL_MS = 5_000
const PONG_LIMIT_MS = 5_000

export interface RemoteSubscriptionBounds {
  /** For the connection to open; a subscription has no end. */
  readonly queryLimitMs: number
  readonly resultsWaitingMax: number
  readonly onDropped: () => void
}

export interface RemoteSubscriber extends AsyncDisposable {
  subscribe(request: ExecutionRequest): AsyncIterableIterator<ExecutionResult>
}

/**
 * Subscriptions to a subgraph in another process, over one WebSocket. Where the subgraph dies, every subscription to it
 * gets one result with SUBGRAPH_UNAVAILABLE and ends: a client that subscribes again is served as soon as the subgraph is
 * back. Nothing is retried here, because what happened meanwhile would be missing without a word.
 */
export function remoteSubscriber(name: string, url: string, bounds: RemoteSubscriptionBounds): RemoteSubscriber {
  const client = createClient({
    url,
    webSocketImpl: impatient(bounds.queryLimitMs),
    connectionAckWaitTimeout: bounds.queryLimitMs,
    retryAttempts: 0,
    keepAlive: PING_INTERVAL_MS,
  })
  terminateWhenSilent(client)
  return {
    subscribe: (request) => {
      const stream = new BoundedStream({
        limit: bounds.resultsWaitingMax,
        onDropped: bounds.onDropped,
        onLeave: () => leave(),
      })
      const fail = (reason: unknown) => {
        const errors = Array.isArray(reason) ? reason.map(errorOf) : [asGraphQLError(unavailable(name, reason))]
        stream.push({ errors })
        stream.end()
      }
      const leave = client.subscribe(
        { query: print(request.document), variables: request.variables, operationName: request.operationName },
        { next: (result) => stream.push(resultOf(result)), error: fail, complete: () => stream.end() },
      )
      return stream
    },
    [Symbol.asyncDispose]: async () => client.dispose(),
  }
}

function terminateWhenSilent(client: Client): void {
  let due: NodeJS.Timeout | undefined
  client.on('ping', (received) => {
    if (received) return
    clearTimeout(due)
    due = setTimeout(() => client.terminate(), PONG_LIMIT_MS)
  })
  client.on('pong', (received) => {
    if (received) clearTimeout(due)
  })
  client.on('closed', () => clearTimeout(due))
}

const asGraphQLError = (originalError: Error) => new GraphQLError(originalError.message, { originalError })

/** Whoever accepts a connection and then says nothing is not waited for. */
const impatient = (handshakeTimeout: number) =>
  class extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { handshakeTimeout, perMessageDeflate: false })
    }
  }
