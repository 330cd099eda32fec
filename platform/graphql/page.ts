import { PlatformError } from '../../domain/errors.ts'
import type { PageInfo } from './page-info.ts'

export interface Page<T> {
  readonly items: readonly T[]
  readonly hasNext: boolean
}

export interface Connection<N> {
  edges: { node: N; cursor: string }[]
  pageInfo: PageInfo
}

/** Cursors are opaque: what is inside may change, so a client must only hand back what it was given. */
export const cursorOf = (kind: string, key: string): string =>
  Buffer.from(`${kind}:${key}`, 'utf8').toString('base64url')

/** The key inside a cursor. @throws INVALID_ARGUMENT where it is not one of ours, or of another kind of list. */
export function keyOfCursor(kind: string, cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString('utf8')
  if (!text.startsWith(`${kind}:`))
    throw new PlatformError(
      'INVALID_ARGUMENT',
      `after must be a cursor that this list gave, was ${JSON.stringify(cursor.slice(0, 50))}`,
    )
  return text.slice(kind.length + 1)
}

/** @throws INVALID_ARGUMENT where `first` is not from 1 to `max`. */
export function firstOf(first: number | undefined, byDefault: number, max: number): number {
  const count = first ?? byDefault
  if (count < 1 || count > max)
    throw new PlatformError('INVALID_ARGUMENT', `first must be from 1 to ${max}, was ${count}`)
  return count
}

export function connection<T, N>(
  page: Page<T>,
  after: string | undefined,
  view: (item: T) => N,
  cursor: (item: T) => string,
): Connection<N> {
  const edges = page.items.map((item) => ({ node: view(item), cursor: cursor(item) }))
  return {
    edges,
    pageInfo: {
      hasNextPage: page.hasNext,
      hasPreviousPage: after !== undefined,
      startCursor: edges[0]?.cursor,
      endCursor: edges.at(-1)?.cursor,
    },
  }
}
