import got, { RequestError } from 'got'
import { VendorError } from '../vendor-error.ts'

/** A body that is longer is nothing that a vendor of ours tells in one answer. */
export const BODY_BYTES_MAX = 33_554_432

/** Codes of an error before anything was sent, so the vendor cannot have counted it. */
const NEVER_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN'])
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ERR_TLS/

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Buffer
}

/** What went wrong below HTTP. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
  /** The vendor has not heard of the request. */
  readonly unsent: boolean

  constructor(message: string, unsent: boolean) {
    super(message)
    this.unsent = unsent
  }
}

/**
 * One GET and its whole answer, uncompressed; no retry, no redirect. Errors of got hold the request with all its headers,
 * so none of them gets out of here. @throws Unreachable, or VENDOR_ANSWER where the body has no end.
 */
export async function oneRequest(
  title: string,
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<RawAnswer> {
  const stream = got.stream(url, {
    headers: { ...headers },
    signal,
    retry: { limit: 0 },
    followRedirect: false,
    throwHttpErrors: false,
    decompress: true,
  })
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of stream) {
      const bytes = Buffer.from(chunk)
      size += bytes.length
      if (size > BODY_BYTES_MAX) break
      chunks.push(bytes)
    }
  } catch (error) {
    throw unreachable(title, error)
  }
  if (size > BODY_BYTES_MAX)
    throw new VendorError('VENDOR_ANSWER', `${title} answered more than ${BODY_BYTES_MAX} bytes`)
  const response = stream.response
  if (!response) throw new Unreachable(`${title} ended without an answer`, false)
  return { status: response.statusCode, headers: singleHeaders(response.headers), body: Buffer.concat(chunks) }
}

const singleHeaders = (headers: Readonly<Record<string, string | string[] | undefined>>) =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  )

function unreachable(title: string, error: unknown): Unreachable {
  if (!(error instanceof RequestError)) return new Unreachable(`${title} could not be asked`, false)
  const { code } = error
  if (CERTIFICATE.test(code))
    return new Unreachable(`${title} shows a certificate that is not to be trusted: ${code}`, true)
  if (code === 'ERR_HTTP_CONTENT_LENGTH_MISMATCH') return new Unreachable(`${title} broke off its answer`, false)
  return new Unreachable(`${title} could not be reached: ${error.message}`, NEVER_SENT.has(code))
}
