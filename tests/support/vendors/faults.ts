import type { ServerResponse } from 'node:http'
import type { Clock } from '../../../platform/clock.ts'

export interface VendorAnswer {
  /** Default: 200 */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as JSON. */
  readonly body: Buffer | string | object
}

/** What a vendor, or something between it and us, does to one request. */
export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string; readonly body?: string }
  /** Well-formed, with status 200 unless told otherwise, and yet no answer: the vendor's own error form. */
  | { readonly kind: 'body'; readonly body: string; readonly status?: number }
  /** The true answer, so slowly that nobody waits for its end. */
  | { readonly kind: 'drip'; readonly everyMs: number }
  /** Half of what its length promises. */
  | { readonly kind: 'truncated' }
  /** A sentence. */
  | { readonly kind: 'words' }
  /** An outage page with status 200. */
  | { readonly kind: 'html' }
  /** The true answer with another type in every place that can hold one. */
  | { readonly kind: 'wrong-types' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'hang' }
  /** The true answer, dated by a clock that is wrong by so much. */
  | { readonly kind: 'clock-skew'; readonly skewMs: number }

const OUTAGE_PAGE = '<!DOCTYPE html><html><head><title>Sorry</title></head><body><h1>We will be back</h1></body></html>'

/** Answers with the fault in place of the true answer, or around it. */
export async function misbehave(
  fault: Fault,
  response: ServerResponse,
  answer: () => VendorAnswer,
  clock: Clock,
): Promise<void> {
  switch (fault.kind) {
    case 'status': {
      const retryAfter = fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter }
      response.writeHead(fault.status, { ...retryAfter, date: httpDate(clock.now()) })
      response.end(fault.body ?? '')
      return
    }
    case 'body':
      return send(response, { status: fault.status ?? 200, body: fault.body }, clock.now())
    case 'words':
      return send(response, { body: 'Service temporarily unavailable; please try again' }, clock.now())
    case 'html':
      return send(response, { headers: { 'content-type': 'text/html' }, body: OUTAGE_PAGE }, clock.now())
    case 'wrong-types':
      return send(response, { ...answer(), body: withOtherTypes(bytesOf(answer().body).toString()) }, clock.now())
    case 'clock-skew':
      return send(response, answer(), clock.now() + fault.skewMs)
    case 'reset':
      response.destroy()
      return
    case 'hang':
      return
    case 'truncated':
      return truncate(response, answer())
    case 'drip':
      return drip(response, answer(), fault.everyMs)
  }
}

export function send(response: ServerResponse, { status = 200, headers, body }: VendorAnswer, nowMs: number): void {
  const bytes = bytesOf(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': bytes.length,
    date: httpDate(nowMs),
    ...headers,
  })
  response.end(bytes)
}

function truncate(response: ServerResponse, answer: VendorAnswer): void {
  const bytes = bytesOf(answer.body)
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length })
  response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.destroy())
}

function drip(response: ServerResponse, answer: VendorAnswer, everyMs: number): void {
  const bytes = bytesOf(answer.body)
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length })
  let sent = 0
  const timer = setInterval(() => {
    response.write(bytes.subarray(sent, ++sent))
    if (sent >= bytes.length) response.end()
  }, everyMs)
  response.on('close', () => clearInterval(timer))
}

/**
 * Numbers become lists, texts objects, lists texts; the names stay. Of XML each text becomes an element, of a table each field
 * below its head words.
 */
export function withOtherTypes(text: string): string {
  if (/^\s*</.test(text))
    return text
      .replaceAll(/>([^<>]*[^<>\s][^<>]*)</g, '><was>$1</was><')
      .replaceAll(/<!\[CDATA\[[\s\S]*?\]\]>/g, '<was>$&</was>')
  try {
    return JSON.stringify(otherType(JSON.parse(text)))
  } catch {
    const [head, ...rows] = text.split('\n')
    return [head, ...rows.map((row) => row.replaceAll(/[^,\r]+/g, '"was $&"'))].join('\n')
  }
}

function otherType(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => (typeof item === 'object' ? otherType(item) : [item]))
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, otherType(inner)]))
  if (typeof value === 'number') return [value]
  return typeof value === 'string' ? { was: value } : 'neither'
}

const bytesOf = (body: VendorAnswer['body']): Buffer =>
  Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))

const httpDate = (timeMs: number) => new Date(timeMs).toUTCString()
