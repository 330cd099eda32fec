import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { type GatewayRuntime, getGraphQLWSOptions } from '@graphql-hive/gateway-runtime'
import type { ExecutionResult, FormattedExecutionResult } from 'graphql'
import { CloseCode, handleProtocols, makeServer, type ServerOptions } from 'graphql-ws'
import { type WebSocket, WebSocketServer } from 'ws'
import { publicError } from '../platform/graphql/public-error.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import { limitExceeded } from './document-limits.ts'

export interface SocketLimits {
  readonly socketsMax: number
  /** Subscriptions and other operations that run at once on one socket. */
  readonly subscriptionsPerSocketMax: number
  readonly messageBytesMax: number
  readonly initLimitMs: number
  readonly pingIntervalMs: number
  /** Bytes that may wait for a client who does not read. */
  readonly waitingBytesMax: number
  /** So long nothing may have left towards a client while something waits for it. */
  readonly stuckLimitMs: number
}

export const SOCKET_LIMITS: SocketLimits = {
  socketsMax: 10_000,
  subscriptionsPerSocketMax: 100,
  messageBytesMax: 65_536,
  initLimitMs: 5_000,
  pingIntervalMs: 12_000,
  waitingBytesMax: 1_048_576,
  stuckLimitMs: 5_000,
}

/** A client that does not read what it asked for. */
export const TOO_SLOW = 4508
const GOING_AWAY = 1001
/** An operation may be so far ahead of its socket: what is sent within one turn of the event loop leaves in one write. */
const SEND_AHEAD_BYTES_MAX = 65_536
/** A client that is told to go and does not is cut off after this. */
const CLOSE_GRACE_MS = 1_000

interface Extra extends Record<PropertyKey, unknown> {
  readonly request: IncomingMessage
}

/** What we know of one client beyond its socket. */
interface Client {
  alive: boolean
  /** Messages handed to the socket that have not left it yet. */
  unsent: number
  /** When something last left, or began to wait. */
  progressMs: number
  closing: boolean
  /** Its TCP socket holds back what is written until the end of this turn. */
  corked: boolean
}

export interface SocketsOptions {
  readonly server: Server
  readonly runtime: GatewayRuntime
  readonly path: string
  readonly limits: SocketLimits
  readonly originAllowed: (request: IncomingMessage) => boolean
  readonly metrics: Metrics
  readonly log: Log
}

/** GraphQL over WebSocket, the `graphql-transport-ws` protocol, on the gateway's own port. */
export class Sockets {
  readonly #options: SocketsOptions
  readonly #protocol
  readonly #clients = new Map<WebSocket, Client>()
  // Compressing would cost ten times the memory and keeps ten thousand small messages small no better.
  readonly #wss
  readonly #timers: NodeJS.Timeout[]
  #closing = false

  constructor(options: SocketsOptions) {
    const { server, limits } = options
    this.#options = options
    this.#wss = new WebSocketServer({
      noServer: true,
      maxPayload: limits.messageBytesMax,
      perMessageDeflate: false,
      handleProtocols: (protocols) => handleProtocols(protocols),
    })
    this.#protocol = makeServer<Record<string, unknown> | undefined, Extra>(this.#protocolOptions())
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
    this.#timers = [
      setInterval(() => this.#ping(), limits.pingIntervalMs).unref(),
      setInterval(() => this.#closeTheStuck(), Math.min(1_000, limits.stuckLimitMs)).unref(),
    ]
  }

  /** No new sockets; the open ones are told to come back, to another process or to the next one here. */
  async close(): Promise<void> {
    this.#closing = true
    for (const timer of this.#timers) clearInterval(timer)
    const closed = [...this.#clients.keys()].map((socket) => this.#close(socket, GOING_AWAY, 'Going away'))
    await Promise.all(closed)
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { path, limits, originAllowed, metrics } = this.#options
    socket.on('error', () => socket.destroy())
    if ((request.url ?? '').split('?', 1)[0] !== path) {
      refuse(socket, 404, 'Not Found')
      return
    }
    if (!originAllowed(request)) {
      metrics.gatewayRefused.inc({ limit: 'origin' })
      refuse(socket, 403, 'Forbidden')
      return
    }
    if (this.#closing || this.#clients.size >= limits.socketsMax) {
      metrics.gatewayRefused.inc({ limit: 'sockets' })
      refuse(socket, 503, 'Service Unavailable')
      return
    }
    this.#wss.handleUpgrade(request, socket, head, (opened) => this.#opened(opened, request))
  }

  #opened(socket: WebSocket, request: IncomingMessage): void {
    const { metrics, log } = this.#options
    const client: Client = { alive: true, unsent: 0, progressMs: performance.now(), closing: false, corked: false }
    this.#clients.set(socket, client)
    metrics.gatewaySockets.set(this.#clients.size)
    const closed = this.#protocol.opened(
      {
        protocol: socket.protocol,
        send: (message) => send(socket, request.socket, client, message),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (handle) => socket.on('message', (message) => this.#handle(socket, handle(String(message)))),
      },
      { request },
    )
    socket.on('pong', () => {
      client.alive = true
    })
    // A frame that breaks the protocol or is too large; ws closes the socket by itself.
    socket.on('error', (error) => log.debug({ err: error }, 'a client broke the WebSocket protocol'))
    socket.once('close', (code, reason) => {
      this.#clients.delete(socket)
      metrics.gatewaySockets.set(this.#clients.size)
      closed(code, String(reason)).catch((error: unknown) => log.warn({ err: error }, 'a client left badly'))
    })
  }

  #handle(socket: WebSocket, handled: Promise<void>): void {
    handled.catch((error: unknown) => {
      this.#options.log.error({ err: error }, 'a WebSocket message could not be handled')
      socket.close(CloseCode.InternalServerError, 'Internal server error')
    })
  }

  #protocolOptions(): ServerOptions<Record<string, unknown> | undefined, Extra> {
    const { runtime, limits, metrics, log } = this.#options
    // Nothing the client says when it connects gets into the context, where it would pass for headers.
    const options = getGraphQLWSOptions<Record<string, unknown>, Extra>(runtime, () => ({
      connectionParams: undefined,
      headers: {},
    }))
    return {
      ...options,
      connectionInitWaitTimeout: limits.initLimitMs,
      onSubscribe: (context, id, payload) => {
        if (Object.keys(context.subscriptions).length <= limits.subscriptionsPerSocketMax)
          return options.onSubscribe?.(context, id, payload)
        const sentence = `One connection runs at most ${limits.subscriptionsPerSocketMax} operations at once`
        return [limitExceeded(metrics, 'subscriptions_per_socket', sentence)]
      },
      onNext: (_context, _id, _payload, _args, result) => result.errors && withoutStatus(result),
      onError: (_context, _id, _payload, errors) => errors.map((error) => publicError(error, log).toJSON()),
    }
  }

  #ping(): void {
    for (const [socket, client] of this.#clients) {
      if (!client.alive) {
        socket.terminate()
        continue
      }
      client.alive = false
      if (socket.readyState === socket.OPEN) socket.ping()
    }
  }

  #closeTheStuck(): void {
    const { waitingBytesMax, stuckLimitMs } = this.#options.limits
    const nowMs = performance.now()
    for (const [socket, client] of this.#clients) {
      const stuck = client.unsent > 0 && nowMs - client.progressMs > stuckLimitMs
      if (client.closing || !(stuck || socket.bufferedAmount > waitingBytesMax)) continue
      client.closing = true
      this.#options.metrics.gatewayTooSlow.inc()
      void this.#close(socket, TOO_SLOW, 'Too slow')
    }
  }

  #close(socket: WebSocket, code: number, reason: string): Promise<void> {
    return new Promise((resolve) => {
      const cut = setTimeout(() => socket.terminate(), CLOSE_GRACE_MS)
      socket.once('close', () => {
        clearTimeout(cut)
        resolve()
      })
      if (socket.readyState === socket.CLOSED) return resolve()
      socket.close(code, reason)
    })
  }
}

/** Resolves when the operation may send more: at once while little waits, else when the message has left for the network. */
function send(socket: WebSocket, tcp: Duplex, client: Client, message: string): Promise<void> {
  if (socket.readyState !== socket.OPEN) return Promise.resolve()
  if (client.unsent++ === 0) client.progressMs = performance.now()
  if (!client.corked) {
    client.corked = true
    tcp.cork()
    setImmediate(() => {
      client.corked = false
      tcp.uncork()
    })
  }
  const left = new Promise<void>((resolve) => {
    // A socket that fails while sending is closing; its operations end with it.
    socket.send(message, () => {
      client.unsent--
      client.progressMs = performance.now()
      resolve()
    })
  })
  return socket.bufferedAmount < SEND_AHEAD_BYTES_MAX ? Promise.resolve() : left
}

function refuse(socket: Duplex, status: number, reason: string): void {
  socket.end(`HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

/** A status is for HTTP; on a socket it would be left over as an extension. */
function withoutStatus({ errors = [], ...result }: ExecutionResult): FormattedExecutionResult {
  const plain = errors.map((error) => {
    const { http: _, ...extensions } = error.extensions
    return { ...error.toJSON(), extensions }
  })
  return { ...result, errors: plain }
}
