import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Metrics } from '../platform/metrics.ts'
import { couldBeForged } from './origins.ts'

export interface HttpOptions {
  readonly path: string
  readonly bodyBytesMax: number
  readonly graphql: (request: IncomingMessage, response: ServerResponse) => unknown
  /** Live, ready and metrics: true where it has answered. */
  readonly ops: (request: IncomingMessage, response: ServerResponse) => boolean
  readonly metrics: Metrics
}

/** What is asked over HTTP: operations, GraphQL, or something we do not have. */
export function httpListener({ path, bodyBytesMax, graphql, ops, metrics }: HttpOptions): RequestListener {
  return (request, response) => {
    if (ops(request, response)) return
    const [pathname] = (request.url ?? '/').split('?', 1)
    if (pathname === '/') {
      response.writeHead(302, { location: path }).end()
      return
    }
    if (pathname !== path) {
      answer(response, 404, 'BAD_REQUEST', `Nothing here; GraphQL is at ${path}`)
      return
    }
    if (couldBeForged(request)) {
      metrics.gatewayRefused.inc({ limit: 'csrf' })
      const sentence =
        'This request could have been forged by a foreign page. Send it as POST with content-type application/json, or add the header x-requested-with'
      answer(response, 403, 'BAD_REQUEST', sentence)
      return
    }
    const length = request.headers['content-length']
    if (request.headers['transfer-encoding'] !== undefined) {
      metrics.gatewayRefused.inc({ limit: 'body' })
      answer(response, 411, 'LIMIT_EXCEEDED', 'Send the body with a content-length, so that it can be bounded')
      return
    }
    if (length !== undefined && Number(length) > bodyBytesMax) {
      metrics.gatewayRefused.inc({ limit: 'body' })
      answer(response, 413, 'LIMIT_EXCEEDED', `A body may have at most ${bodyBytesMax} bytes, had ${length}`)
      return
    }
    graphql(request, response)
  }
}

/** The connection goes with the refusal: what it would still send is not read. */
function answer(response: ServerResponse, status: number, code: string, message: string): void {
  const body = JSON.stringify({ errors: [{ message, extensions: { code } }] })
  response
    .writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      connection: 'close',
    })
    .end(body)
}
