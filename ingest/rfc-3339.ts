import { z } from 'zod'

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/

/** `2026-11-20T15:04:05.123456789Z` as milliseconds since 1970 UTC. What is finer than a millisecond is let go. */
export const rfc3339Ms = z.string().transform((text, context): number => {
  const ms = RFC_3339.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(ms)) return ms
  context.addIssue({ code: 'custom', message: `expected a time like 2026-11-20T15:04:05Z, was ${text.slice(0, 50)}` })
  return z.NEVER
})
