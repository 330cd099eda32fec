import { z } from 'zod'
import type { FeedCursor } from './feed.ts'

/** Progress of feeds that are asked no more is kept as long as there is room: their symbol may be watched again. */
export const PROGRESS_MAX = 2_000

const cursorSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())]))
const progressSchema = z.object({
  seenMs: z.number(),
  askedMs: z.number().optional(),
  cursor: cursorSchema.optional(),
})
const checkpointSchema = z.object({ feeds: z.record(z.string(), z.unknown()) })

/** Where a feed goes on. */
export interface FeedProgress {
  readonly seenMs: number
  readonly askedMs?: number
  readonly cursor?: FeedCursor
}

/** Where each feed goes on, by its name. */
export interface PolledCheckpoint {
  readonly feeds: Readonly<Record<string, FeedProgress>>
}

/**
 * A checkpoint was written by us, but maybe by another version of us: a feed whose progress cannot be read starts anew. That
 * costs requests and tells again what was told; nothing is lost by it.
 */
export function progressOf(checkpoint: unknown): Map<string, FeedProgress> {
  const read = checkpointSchema.safeParse(checkpoint)
  const progress = new Map<string, FeedProgress>()
  if (!read.success) return progress
  for (const [name, value] of Object.entries(read.data.feeds)) {
    const { data } = progressSchema.safeParse(value)
    if (data) progress.set(name, withoutUndefined(data))
  }
  return progress
}

const withoutUndefined = ({ seenMs, askedMs, cursor }: z.infer<typeof progressSchema>): FeedProgress => ({
  seenMs,
  ...(askedMs !== undefined && { askedMs }),
  ...(cursor !== undefined && { cursor }),
})

/** All feeds of now, and of the others as many as there is room for, those asked last before the rest. */
export function checkpointOf(
  progress: ReadonlyMap<string, FeedProgress>,
  current: ReadonlySet<string>,
): PolledCheckpoint {
  if (progress.size <= PROGRESS_MAX) return { feeds: Object.fromEntries(progress) }
  const age = ([name, { askedMs, seenMs }]: readonly [string, FeedProgress]) =>
    current.has(name) ? Number.POSITIVE_INFINITY : (askedMs ?? seenMs)
  const kept = [...progress].toSorted((a, b) => (age(b) > age(a) ? 1 : -1)).slice(0, PROGRESS_MAX)
  return { feeds: Object.fromEntries(kept) }
}
