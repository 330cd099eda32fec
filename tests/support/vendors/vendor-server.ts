import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import { DateTime } from 'luxon'
import type { QuotaWindow } from '../../../ingest/quota/quota.ts'
import { type Clock, systemClock } from '../../../platform/clock.ts'
import { type Fault, misbehave, send, type VendorAnswer } from './faults.ts'

export interface VendorQuestion {
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | undefined>>
}

export interface VendorServerOptions {
  /** What the vendor says where nothing is wrong. */
  readonly answer: (question: VendorQuestion) => VendorAnswer
  /** Whose budget a request is of; default: everybody's. */
  readonly keyOf?: (question: VendorQuestion) => string | undefined
  /** What arrival times and `Date` headers are told by. */
  readonly clock?: Clock
  /** PEM files: the server then speaks HTTPS. */
  readonly certificate?: { readonly cert: string; readonly key: string }
  /** Default: any that is free. */
  readonly port?: number
  /** Who wants another protocol; default: nobody is let in, as by a vendor whose plan does not include its socket. */
  readonly upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
}

export interface Arrival {
  readonly atMs: number
  readonly key: string
  readonly path: string
}

/** A vendor's HTTP API on this machine: speaks as it is told to, remembers who asked and when, and fails on command. */
export class VendorServer implements AsyncDisposable {
  readonly url: string
  readonly arrivals: Arrival[] = []
  readonly #close: () => Promise<void>
  #fault: { readonly fault: Fault; times: number } | undefined
  #failed = 0

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url
    this.#close = close
  }

  static async start(options: VendorServerOptions): Promise<VendorServer> {
    const answered: { by?: VendorServer } = {}
    const listener: RequestListener = (request, response) => answered.by?.take(request, response, options)
    const { certificate } = options
    const server = certificate
      ? createTlsServer({ cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) }, listener)
      : createServer(listener)
    server.on('upgrade', options.upgrade ?? refuseUpgrade)
    server.listen(options.port ?? 0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const close = async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    }
    answered.by = new VendorServer(`${certificate ? 'https' : 'http'}://127.0.0.1:${port}`, close)
    return answered.by
  }

  /** Where its sockets are. */
  get socketUrl(): string {
    return this.url.replace(/^http/, 'ws')
  }

  /** What the next requests that it can happen to meet, so many of them or, by default, all until `mend`. */
  fail(fault: Fault, times = Number.POSITIVE_INFINITY): void {
    this.#fault = { fault, times }
  }

  mend(): void {
    this.#fault = undefined
  }

  /** Requests that have met a fault. */
  get failed(): number {
    return this.#failed
  }

  /** The most requests of one key within any such window, as the vendor counts them. */
  most(window: QuotaWindow): number {
    const byKey = Map.groupBy(this.arrivals, ({ key }) => key)
    return Math.max(
      0,
      ...[...byKey.values()].map((arrivals) =>
        mostWithin(
          arrivals.map(({ atMs }) => atMs),
          window,
        ),
      ),
    )
  }

  /** For the server alone. */
  take(request: IncomingMessage, response: ServerResponse, options: VendorServerOptions): void {
    const clock = options.clock ?? systemClock
    const url = new URL(request.url ?? '/', this.url)
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join() : value]),
    )
    const question = { path: url.pathname, query: url.searchParams, headers }
    this.arrivals.push({ atMs: clock.now(), key: options.keyOf?.(question) ?? '', path: url.pathname })
    const answer = () => options.answer(question)
    const current = this.#fault
    if (!current || (current.fault.kind === 'wrong-types' && holdsNothing(answer()))) {
      send(response, answer(), clock.now())
      return
    }
    this.#failed++
    if (--current.times <= 0) this.#fault = undefined
    misbehave(current.fault, response, answer, clock).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
  }
}

const refuseUpgrade = (_request: IncomingMessage, socket: Duplex): void => {
  socket.on('error', () => socket.destroy())
  socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
}

/** The most of these moments that lie within any such window. */
export function mostWithin(times: readonly number[], window: QuotaWindow): number {
  if (window.kind === 'day') {
    const dates = Map.groupBy(times, (timeMs) => DateTime.fromMillis(timeMs, { zone: window.timeZone }).toISODate())
    return Math.max(0, ...[...dates.values()].map((each) => each.length))
  }
  const sorted = times.toSorted((a, b) => a - b)
  let most = 0
  for (let first = 0, last = 0; last < sorted.length; last++) {
    while (sorted[last] - sorted[first] >= window.perMs) first++
    most = Math.max(most, last - first + 1)
  }
  return most
}

/** "Nothing new", and lists without an item: nothing of them is a fact that could have another type. */
function holdsNothing({ status, body }: VendorAnswer): boolean {
  if (status === 304) return true
  const lists = typeof body === 'object' && !Buffer.isBuffer(body) ? listsIn(body) : []
  return lists.length > 0 && lists.every((list) => list.length === 0)
}

const listsIn = (value: unknown): readonly (readonly unknown[])[] => {
  if (Array.isArray(value)) return [value, ...value.flatMap(listsIn)]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(listsIn) : []
}
