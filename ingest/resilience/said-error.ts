import { VendorError } from '../vendor-error.ts'
import { errorOfStatus } from './answer-error.ts'
import type { VendorResponse } from './vendor-http.ts'

/**
 * What an answer that is no success means: its status says it first, and what the vendor says in the body makes it exact: a
 * 403 is a key or a plan, a 400 may be a symbol that it does not know. `saidIn` is given the body as JSON, and as it was sent.
 */
export function errorOfAnswer(
  title: string,
  response: VendorResponse,
  saidIn: (value: unknown, body: Buffer) => VendorError | undefined,
): VendorError | undefined {
  const error = errorOfStatus(title, response)
  const value = jsonIn(response.body)
  const said = value === undefined ? undefined : saidIn(value, response.body)
  if (error === undefined || said === undefined || said.code === 'VENDOR_ANSWER' || response.status >= 500) return error
  if (error.code !== 'VENDOR_LIMIT') return said
  const retryAtMs = error.retryAtMs ?? said.retryAtMs
  return new VendorError('VENDOR_LIMIT', said.message, retryAtMs === undefined ? {} : { retryAtMs })
}

/** A page of HTML says nothing that could be read. */
function jsonIn(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
