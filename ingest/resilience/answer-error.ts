import { VendorError } from '../vendor-error.ts'
import { retryAtMs } from './retry-after.ts'
import type { VendorResponse } from './vendor-http.ts'

/** What an answer's status says where the vendor's own error form is not known. Undefined: nothing is wrong. */
export function errorOfStatus(title: string, response: VendorResponse): VendorError | undefined {
  const { status, headers, body, receivedAtMs } = response
  if ((status >= 200 && status < 300) || status === 304) return undefined
  const said = `${title} answered with status ${status}`
  const original = body
  const retryAt = retryAtMs(headers, receivedAtMs)
  if (status === 429 || (status === 503 && retryAt !== undefined))
    return new VendorError('VENDOR_LIMIT', `${said}: it was asked too much`, {
      original,
      ...(retryAt !== undefined && { retryAtMs: retryAt }),
    })
  if (status >= 500 || status === 408 || status === 425)
    return new VendorError('VENDOR_UNAVAILABLE', `${said}: it is out of order`, { original })
  if (status === 401)
    return new VendorError('VENDOR_REFUSED', `${said}: it does not take the key`, { original, ofKey: true })
  if (status === 402 || status === 403 || status === 426 || status === 451)
    return new VendorError('VENDOR_REFUSED', `${said}: it may not be asked for this`, { original })
  if (status === 404 || status === 410)
    return new VendorError('VENDOR_UNKNOWN', `${said}: it does not know what was asked for`, { original })
  return new VendorError('VENDOR_ANSWER', `${said}, which was not expected`, { original })
}
