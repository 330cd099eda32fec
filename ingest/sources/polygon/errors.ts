import { z } from 'zod'
import { VENDORS } from '../../../domain/vendors.ts'
import { errorOfAnswer } from '../../resilience/said-error.ts'
import type { VendorResponse } from '../../resilience/vendor-http.ts'
import { VendorError } from '../../vendor-error.ts'

const { title } = VENDORS.polygon

const errorAnswer = z.object({ status: z.string(), error: z.string().nullish(), message: z.string().nullish() })

/** What a body says that is no success, whatever the HTTP status; undefined where it says nothing of the kind. */
export function errorIn(value: unknown, body: Buffer): VendorError | undefined {
  const { data } = errorAnswer.safeParse(value)
  if (data === undefined || ['OK', 'DELAYED', 'SUCCESS'].includes(data.status.toUpperCase())) return undefined
  const said = `${title} says ${data.status.slice(0, 50)}: ${(data.error ?? data.message ?? '').slice(0, 200)}`
  if (/maximum requests|rate limit|too many/i.test(said)) return new VendorError('VENDOR_LIMIT', said)
  if (/api key/i.test(said)) return new VendorError('VENDOR_REFUSED', said, { ofKey: true })
  if (/NOT_AUTHORIZED|not entitled/i.test(said)) return new VendorError('VENDOR_REFUSED', said)
  if (/NOT_FOUND/i.test(said)) return new VendorError('VENDOR_UNKNOWN', said)
  return new VendorError('VENDOR_ANSWER', said, { original: body })
}

/** What an answer that is no success means. */
export const errorOf = (response: VendorResponse): VendorError | undefined => errorOfAnswer(title, response, errorIn)

/** A day is refused to plans of the end of the day until it has ended: not for good, unlike what they do not include. */
export const isTooEarly = ({ message }: VendorError): boolean => /before end of day/i.test(message)
