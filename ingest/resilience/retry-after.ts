/** A vendor that says later than this is asked again then. */
const RETRY_AFTER_MAX_MS = 86_400_000

/**
 * When `Retry-After` allows to come back: seconds, or a date by the vendor's own clock, which its `Date` header tells.
 * Undefined where there is none or it cannot be read.
 */
export function retryAtMs(headers: Readonly<Record<string, string | undefined>>, nowMs: number): number | undefined {
  const header = headers['retry-after']?.trim()
  if (header === undefined || header === '') return undefined
  const waitMs = /^\d+(\.\d+)?$/.test(header) ? Number(header) * 1_000 : untilDate(header, headers.date, nowMs)
  return Number.isNaN(waitMs) ? undefined : nowMs + Math.ceil(Math.min(Math.max(waitMs, 0), RETRY_AFTER_MAX_MS))
}

function untilDate(until: string, theirNow: string | undefined, nowMs: number): number {
  const theirNowMs = Date.parse(theirNow ?? '')
  return Date.parse(until) - (Number.isNaN(theirNowMs) ? nowMs : theirNowMs)
}
