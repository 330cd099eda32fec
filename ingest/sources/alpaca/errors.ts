import { z } from 'zod'
import { VENDORS } from '../../../domain/vendors.ts'
import { errorOfAnswer } from '../../resilience/said-error.ts'
import type { VendorResponse } from '../../resilience/vendor-http.ts'
import { VendorError } from '../../vendor-error.ts'

const { title } = VENDORS.alpaca
/** Their pause after too many requests ends within a minute; a time that is much further away is none. */
const RESET_MS_MAX = 300_000

const errorAnswer = z.object({ code: z.number().nullish(), message: z.string() })

/** What the body of an answer that is no success says; undefined where it is not in Alpaca's form. */
export function errorIn(value: unknown, body: Buffer): VendorError | undefined {
  const { data } = errorAnswer.safeParse(value)
  if (data === undefined) return undefined
  const said = `${title} says: ${data.message.slice(0, 200)}`
  if (/too many requests|rate limit/i.test(data.message)) return new VendorError('VENDOR_LIMIT', said)
  if (/subscription|not permitted|agreement/i.test(data.message)) return new VendorError('VENDOR_REFUSED', said)
  if (/forbidden|unauthorized|authenticat/i.test(data.message))
    return new VendorError('VENDOR_REFUSED', said, { ofKey: true })
  if (/invalid symbol|symbol not found/i.test(data.message)) return new VendorError('VENDOR_UNKNOWN', said)
  return new VendorError('VENDOR_ANSWER', said, { original: body })
}

/** What an answer that is no success means; after too many requests it says when there is room again. */
export function errorOf(response: VendorResponse): VendorError | undefined {
  const error = errorOfAnswer(title, response, errorIn)
  if (error?.code !== 'VENDOR_LIMIT' || error.retryAtMs !== undefined) return error
  const retryAtMs = Number(response.headers['x-ratelimit-reset']) * 1_000
  const isSoon = retryAtMs > response.receivedAtMs && retryAtMs <= response.receivedAtMs + RESET_MS_MAX
  return isSoon ? new VendorError('VENDOR_LIMIT', error.message, { retryAtMs }) : error
}

/** Which of the symbols an error names. */
export function symbolsIn(message: string, asked: readonly string[]): readonly string[] {
  const words = new Set(message.split(/[\s,:;"'()]+/).flatMap((word) => [word, word.replace(/\.$/, '')]))
  return asked.filter((symbol) => words.has(symbol))
}
