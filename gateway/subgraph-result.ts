import { type ExecutionResult, GraphQLError } from 'graphql'
import { PlatformError } from '../domain/errors.ts'

/** What a remote subgraph answered, with its errors as errors again. @throws where it is not a GraphQL result. */
export function resultOf(body: unknown): ExecutionResult {
  if (!isRecord(body) || !('data' in body || Array.isArray(body.errors)))
    throw new PlatformError('SUBGRAPH_UNAVAILABLE', 'The answer was not a GraphQL result')
  const data = isRecord(body.data) ? body.data : null
  if (!Array.isArray(body.errors)) return { data }
  return { ...('data' in body ? { data } : {}), errors: body.errors.map(errorOf) }
}

export function errorOf(error: unknown): GraphQLError {
  if (!isRecord(error)) return new GraphQLError('A subgraph failed without a reason')
  return new GraphQLError(String(error.message), {
    path: Array.isArray(error.path) ? error.path : undefined,
    extensions: isRecord(error.extensions) ? error.extensions : undefined,
  })
}

export const unavailable = (name: string, cause: unknown): PlatformError =>
  new PlatformError(
    'SUBGRAPH_UNAVAILABLE',
    cause instanceof Error && cause.name === 'TimeoutError'
      ? `The subgraph ${name} did not answer in time`
      : `The subgraph ${name} cannot be reached`,
    { cause },
  )

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
