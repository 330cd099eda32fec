import { DateTime } from 'luxon'
import { z } from 'zod'
import { NEW_YORK } from '../../exchange-clock.ts'
import { JsonAnswer } from '../../json-answer.ts'
import { VendorError } from '../../vendor-error.ts'

export const VENDOR = 'Alpha Vantage'
/** A second is what the notice asks for; two leave room for a clock that runs differently. */
const SPREAD_OUT_MS = 2_000
const SLOW_DOWN_MS = 60_000

/** Errors come as HTTP 200 with an object that holds one sentence. */
const notice = z.union([
  z.object({ 'Error Message': z.string() }).transform((answer) => ({ error: answer['Error Message'] })),
  z.object({ Note: z.string() }).transform((answer) => ({ note: answer.Note })),
  z.object({ Information: z.string() }).transform((answer) => ({ information: answer.Information })),
])

/** The answer, if it is one. @throws VendorError where it is a notice, or no JSON at all. */
export function answerOf(body: Buffer, receivedAtMs: number): JsonAnswer {
  const answer = new JsonAnswer(VENDOR, body)
  const told = notice.safeParse(answer.value)
  if (!told.success) return answer
  if ('error' in told.data) throw errorOf(told.data.error)
  if ('note' in told.data) throw limit('asks us to slow down', receivedAtMs + SLOW_DOWN_MS)
  if (/no articles/i.test(told.data.information)) return answer
  throw informationOf(told.data.information, body, receivedAtMs)
}

/** News about which there are none is not told as an empty list but as a sentence. */
export const saysNoArticles = (answer: JsonAnswer): boolean =>
  z.object({ Information: z.string().regex(/no articles/i) }).safeParse(answer.value).success

function errorOf(sentence: string): VendorError {
  if (/api ?key/i.test(sentence))
    return new VendorError('VENDOR_REFUSED', `${VENDOR} does not accept the key`, { ofKey: true })
  return new VendorError('VENDOR_UNKNOWN', `${VENDOR} does not know what was asked for: ${shown(sentence)}`)
}

/**
 * One sentence may name the second, the day and the premium plans: what it complains of comes first in that order. Its text
 * never becomes part of an error of limits, because it quotes the key.
 */
function informationOf(sentence: string, body: Buffer, receivedAtMs: number): VendorError {
  if (/per second|spreading out/i.test(sentence))
    return limit('asks for one request a second', receivedAtMs + SPREAD_OUT_MS)
  if (/per day|25 requests|daily rate limit/i.test(sentence))
    return limit('has given what it gives a day', nextMidnightMs(receivedAtMs))
  if (/premium|demo/i.test(sentence))
    return new VendorError('VENDOR_REFUSED', `${VENDOR} gives this only with another plan or key: ${shown(sentence)}`)
  return new VendorError('VENDOR_ANSWER', `${VENDOR} says: ${shown(sentence)}`, {
    original: Buffer.from(masked(body.toString('utf8'))),
  })
}

const limit = (what: string, retryAtMs: number) => new VendorError('VENDOR_LIMIT', `${VENDOR} ${what}`, { retryAtMs })

/** The day of a key begins at midnight in New York. */
const nextMidnightMs = (nowMs: number): number =>
  DateTime.fromMillis(nowMs, { zone: NEW_YORK }).plus({ days: 1 }).startOf('day').toMillis()

/** Whatever looks like a key: ten or more capitals and digits, or such a word with a digit in it. */
const masked = (sentence: string): string =>
  sentence.replace(/\b(?:[A-Z0-9]{10,}|(?=[A-Za-z]*\d)[A-Za-z0-9]{10,})\b/g, '***')
const shown = (sentence: string): string => masked(sentence).slice(0, 200)
