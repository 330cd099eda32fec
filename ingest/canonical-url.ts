import { createHash } from 'node:crypto'
import { PlatformError } from '../domain/errors.ts'

const TRACKING = /^(utm_|fbclid$|gclid$|mc_cid$|mc_eid$|cmpid$|guccounter$|ncid$)/i

/**
 * One form of the addresses of one page: without what was added to follow its readers, without a fragment and a slash at
 * the end, the host in lower case.
 * @throws INVALID_EVENT where it is no http or https address.
 */
export function canonicalUrl(address: string): string {
  const url = URL.parse(address.trim())
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new PlatformError(
      'INVALID_EVENT',
      `Expected an http or https address, was ${JSON.stringify(address.slice(0, 50))}`,
    )
  url.hash = ''
  url.username = ''
  url.password = ''
  for (const name of [...url.searchParams.keys()]) if (TRACKING.test(name)) url.searchParams.delete(name)
  if (url.pathname.endsWith('/')) url.pathname = url.pathname.replace(/\/+$/, '')
  return url.href
}

/** Names a page whose vendor gives it no id: the same for every way to write its address. http and https are one. */
export const idOfUrl = (address: string): string =>
  createHash('sha256')
    .update(canonicalUrl(address).replace(/^http:/, 'https:'))
    .digest('hex')
    .slice(0, 32)
