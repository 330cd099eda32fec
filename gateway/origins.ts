import type { IncomingMessage } from 'node:http'

/** Browsers say which page a request comes from. Ours, a page on the list, or no browser at all may talk to us. */
export const originAllowed =
  (allowed: readonly string[]) =>
  ({ headers: { origin, host } }: IncomingMessage): boolean =>
    origin === undefined || allowed.includes(origin) || (URL.canParse(origin) && new URL(origin).host === host)

const SIMPLE_CONTENT_TYPES = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain']
const PREFLIGHT_HEADERS = ['x-requested-with', 'apollo-require-preflight', 'x-apollo-operation-name']

/**
 * A request that a foreign page can make a browser send without asking first: no header or content type of its own.
 * A browser says so by `Sec-Fetch-Site`; who sends none of it (curl -G, say) adds one of the headers.
 */
export function couldBeForged({ method, headers }: IncomingMessage): boolean {
  if (method === 'OPTIONS') return false
  const contentType = headers['content-type']?.split(';')[0].trim().toLowerCase()
  if (contentType && !SIMPLE_CONTENT_TYPES.includes(contentType)) return false
  const site = headers['sec-fetch-site']
  if (site === 'same-origin' || site === 'none') return false
  return !PREFLIGHT_HEADERS.some((header) => headers[header] !== undefined)
}
