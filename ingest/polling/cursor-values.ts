import type { FeedCursor } from './feed.ts'

// What a checkpoint holds was written by us, but maybe by another version of us: what is not as expected is not there.

export function numberIn(cursor: FeedCursor | undefined, name: string): number | undefined {
  const value = cursor?.[name]
  return typeof value === 'number' ? value : undefined
}

export function textIn(cursor: FeedCursor | undefined, name: string): string | undefined {
  const value = cursor?.[name]
  return typeof value === 'string' ? value : undefined
}

export function listIn(cursor: FeedCursor | undefined, name: string): readonly string[] {
  const value = cursor?.[name]
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}
