import { randomUUID } from 'node:crypto'
import { GraphQLError, type GraphQLErrorOptions } from 'graphql'
import { type ErrorCode, isErrorCode, PlatformError } from '../../domain/errors.ts'
import type { Log } from '../log.ts'

/** What GraphQL itself refuses: the words are about the client's own document, so the client may read them. */
const REQUEST_CODES: ReadonlySet<unknown> = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
  'BAD_REQUEST',
  'OPERATION_RESOLUTION_FAILURE',
])

/** Where a backend is and what it answered is for operators: /ready and the log tell it. */
const OUTAGES: Partial<Record<ErrorCode, string>> = {
  STORE_UNAVAILABLE: 'The store cannot be read now, try again in a moment',
  PUBSUB_UNAVAILABLE: 'Live updates are not available now, try again in a moment',
  BUS_UNAVAILABLE: 'The bus cannot be reached now, try again in a moment',
  REGISTRY_UNAVAILABLE: 'The schema registry cannot be asked now, try again in a moment',
}

/**
 * What a client may see of an error: a code to act on and a sentence. Expected errors keep theirs; anything else is a bug
 * and becomes a reference, under which the log has the whole story. Applied twice it changes nothing, so a subgraph and
 * the gateway both use it.
 */
export function publicError(error: unknown, log: Log): GraphQLError {
  const outer = error instanceof GraphQLError ? error : undefined
  const cause = causeOf(error)
  const place = { nodes: outer?.nodes, source: outer?.source, positions: outer?.positions, path: outer?.path }
  if (cause instanceof PlatformError) {
    const { message, code, retryable } = cause
    const outage = OUTAGES[code]
    if (outage !== undefined) log.debug({ err: cause, path: outer?.path }, 'a request met an outage')
    return new GraphQLError(outage ?? message, { ...place, extensions: { code, retryable } })
  }
  if (cause instanceof GraphQLError) {
    const { code, reference, retryable, http } = outer?.extensions ?? cause.extensions
    // What the gateway answers with over HTTP; it never leaves as an extension.
    const status = http === undefined ? {} : { http }
    if (REQUEST_CODES.has(code)) return new GraphQLError(cause.message, { ...place, extensions: { code, ...status } })
    if (isErrorCode(code))
      return new GraphQLError(cause.message, {
        ...place,
        extensions: { code, retryable: retryable === true, ...status },
      })
    if (code === 'INTERNAL_SERVER_ERROR' && typeof reference === 'string') return masked(reference, place)
  }
  const reference = randomUUID()
  log.error({ reference, err: cause, path: outer?.path }, 'a request failed unexpectedly')
  return masked(reference, place)
}

type Place = Pick<GraphQLErrorOptions, 'nodes' | 'source' | 'positions' | 'path'>

const masked = (reference: string, place: Place) =>
  new GraphQLError(`Something went wrong on our side. Quote reference ${reference} when you ask about it.`, {
    ...place,
    extensions: { code: 'INTERNAL_SERVER_ERROR', reference },
  })

/** GraphQL wraps what a resolver threw, and a gateway wraps that again. */
function causeOf(error: unknown): unknown {
  let cause = error
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError
  return cause
}
