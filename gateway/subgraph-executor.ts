import { createDefaultExecutor } from '@graphql-mesh/transport-common'
import type { ExecutionRequest } from '@graphql-tools/utils'
import { type ExecutionResult, type GraphQLSchema, print } from 'graphql'
import type { PlannerName } from './planner.ts'
import { remoteSubscriber } from './remote-subscription.ts'
import { resultOf, unavailable } from './subgraph-result.ts'

/** Where a subgraph runs. */
export type SubgraphPlace =
  | { readonly kind: 'local'; readonly sdl: string; readonly schema: GraphQLSchema }
  /** Queries go to `url`; subscriptions by WebSocket to `wsUrl`, which is `url` with ws: where it is not given. */
  | { readonly kind: 'remote'; readonly sdl: string; readonly url: string; readonly wsUrl?: string }

export interface SubgraphExecutorOptions {
  /** For one query; a subscription has no end. */
  readonly queryLimitMs: number
  readonly resultsWaitingMax: number
  readonly onDropped: () => void
  readonly planner: PlannerName
}

export interface SubgraphExecutor extends AsyncDisposable {
  execute(request: ExecutionRequest): Promise<AsyncIterable<ExecutionResult> | ExecutionResult>
}

export function openSubgraph(name: string, place: SubgraphPlace, options: SubgraphExecutorOptions): SubgraphExecutor {
  return place.kind === 'local' ? openLocal(name, place.schema, options) : openRemote(name, place, options)
}

/** In this process: no serialising, no socket. It answers asynchronously, as the gateway runtime expects of everybody. */
function openLocal(name: string, schema: GraphQLSchema, options: SubgraphExecutorOptions): SubgraphExecutor {
  const execute = createDefaultExecutor(schema)
  const subscribe = async (request: ExecutionRequest) => {
    const started = await execute(request)
    return Symbol.asyncIterator in started ? eachEvent(started, options.planner) : started
  }
  return {
    execute: async (request) =>
      request.operationType === 'subscription'
        ? subscribe(request)
        : within(options.queryLimitMs, name, Promise.resolve(execute(request))),
    [Symbol.asyncDispose]: async () => {},
  }
}

function openRemote(
  name: string,
  place: SubgraphPlace & { kind: 'remote' },
  options: SubgraphExecutorOptions,
): SubgraphExecutor {
  const subscriber = remoteSubscriber(name, place.wsUrl ?? place.url.replace(/^http/, 'ws'), options)
  return {
    execute: async (request) =>
      request.operationType === 'subscription'
        ? eachEvent(subscriber.subscribe(request), options.planner)
        : query(name, place.url, request, options.queryLimitMs),
    [Symbol.asyncDispose]: () => subscriber[Symbol.asyncDispose](),
  }
}

/**
 * The Rust planner takes an event without data for one that has nothing new, and tells the data of the event before it
 * once more. Empty data leaves nothing to repeat.
 */
function eachEvent(events: AsyncIterable<ExecutionResult>, planner: PlannerName): AsyncIterable<ExecutionResult> {
  if (planner !== 'rust') return events
  const source = events[Symbol.asyncIterator]()
  const iterator: AsyncIterableIterator<ExecutionResult> = {
    next: async () => {
      const event = await source.next()
      return event.done ? event : { done: false, value: { ...event.value, data: event.value.data ?? {} } }
    },
    return: async () => (await source.return?.()) ?? { done: true, value: undefined },
    [Symbol.asyncIterator]: () => iterator,
  }
  return iterator
}

async function query(name: string, url: string, request: ExecutionRequest, limitMs: number): Promise<ExecutionResult> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({
        query: print(request.document),
        variables: request.variables,
        operationName: request.operationName,
      }),
      signal: AbortSignal.timeout(limitMs),
    })
    // A subgraph that refuses a request says why in GraphQL, whatever the status.
    return resultOf(await response.json())
  } catch (cause) {
    throw unavailable(name, cause)
  }
}

async function within<T>(limitMs: number, name: string, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(unavailable(name, new DOMException('too late', 'TimeoutError'))), limitMs)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
