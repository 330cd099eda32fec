import { type IncomingMessage, STATUS_CODES } from 'node:http'
import { WebSocket } from 'ws'
import { isPlatformError } from '../../domain/errors.ts'
import type { Clock } from '../../platform/clock.ts'
import { retryAtMs } from '../resilience/retry-after.ts'
import { VendorError } from '../vendor-error.ts'
import { PacedSender } from './paced-sender.ts'
import type { Conversation, StreamEvent, StreamProtocol } from './stream-protocol.ts'

/** So many frames one after the other that cannot be read: it is no longer the vendor who speaks. */
export const GARBLED_FRAMES_MAX = 100
/** A polite goodbye may take so long; then the socket is cut. */
const CLOSE_MS = 500

/** What a connection passes on; handshakes, pings and its own end it deals with itself. */
export type MarketEvent = Exclude<StreamEvent, { kind: 'send' | 'ready' | 'leaving' | 'error' }>

export interface ConnectionListener {
  /** It is open and subscribed; told once, and before anything that comes over it. */
  ready(nowMs: number): void
  /** A frame or, where the vendor's limits say so, a ping. */
  heard(nowMs: number): void
  told(event: MarketEvent, frame: Buffer, receivedAtMs: number): void
  garbled(error: VendorError, frame: Buffer): void
  /** The vendor said that something is wrong, but not so wrong that the connection ends. */
  complained(error: VendorError): void
  /** A fault of ours: it must end the source, not the process. */
  failed(error: unknown): void
}

/** One socket from its opening to its end, and the talk over it. Never reconnects. */
export class Connection {
  readonly startedMs: number
  /** Undefined once it is open and subscribed, else why it never was. */
  readonly settled: Promise<VendorError | undefined>
  readonly ended: Promise<VendorError>
  /** The vendor will close soon, by its own word. */
  readonly leaving: Promise<string>
  readonly #protocol: StreamProtocol
  readonly #listener: ConnectionListener
  readonly #clock: Clock
  readonly #conversation: Conversation
  readonly #socket: WebSocket
  readonly #sender: PacedSender
  readonly #whenReady = Promise.withResolvers<void>()
  readonly #whenEnded = Promise.withResolvers<VendorError>()
  readonly #whenLeaving = Promise.withResolvers<string>()
  #openMs: number | undefined
  #readyMs: number | undefined
  #keptAliveMs = 0
  #pingedMs = 0
  #garbledFrames = 0
  #isOver = false
  #isPaused = false

  constructor(protocol: StreamProtocol, listener: ConnectionListener, clock: Clock) {
    this.#protocol = protocol
    this.#listener = listener
    this.#clock = clock
    this.startedMs = clock.now()
    this.ended = this.#whenEnded.promise
    this.leaving = this.#whenLeaving.promise
    this.settled = Promise.race([this.#whenReady.promise.then(() => undefined), this.ended])
    this.#conversation = protocol.converse()
    this.#socket = openSocket(protocol)
    this.#sender = new PacedSender(protocol.limits.messages, (frame) => this.#socket.send(frame))
    this.#listen()
  }

  get isReady(): boolean {
    return this.#readyMs !== undefined && !this.#isOver
  }

  /** Only where it is, or was, ready. */
  get readyAtMs(): number {
    return this.#readyMs ?? this.startedMs
  }

  /** How long it was of use. */
  livedMs(nowMs: number): number {
    return this.#readyMs === undefined ? 0 : nowMs - this.#readyMs
  }

  /** Stops or goes on reading the socket; the vendor's own buffer fills meanwhile. */
  pause(isPaused: boolean): void {
    this.#isPaused = isPaused
    if (this.#socket.readyState !== WebSocket.OPEN) return
    if (isPaused) this.#socket.pause()
    else this.#socket.resume()
  }

  /** Does what is due. Called several times a second. */
  tick(nowMs: number, lastFrameMs: number): void {
    if (this.#isOver) return
    const { limits } = this.#protocol
    if (this.#openMs === undefined) {
      if (nowMs - this.startedMs > limits.connectTimeoutMs)
        this.end(unavailable(`no connection within ${limits.connectTimeoutMs} ms`))
      return
    }
    if (
      limits.readyTimeoutMs !== undefined &&
      this.#readyMs === undefined &&
      nowMs - this.#openMs > limits.readyTimeoutMs
    )
      this.end(unavailable(`no subscription within ${limits.readyTimeoutMs} ms of the open socket`))
    if (this.#isOver) return
    this.#keepAlive(nowMs, lastFrameMs)
    this.#sender.flush(nowMs)
  }

  /** Ends it, with the reason that `ended` tells. */
  end(reason: VendorError): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#whenEnded.resolve(reason)
    const socket = this.#socket
    if (socket.readyState !== WebSocket.OPEN) {
      socket.terminate()
      return
    }
    // A paused socket would not see the other side's goodbye.
    socket.resume()
    socket.close(1000)
    const cut = setTimeout(() => socket.terminate(), CLOSE_MS)
    socket.once('close', () => clearTimeout(cut))
  }

  /** At once: nobody waits for a goodbye any more. */
  terminate(): void {
    this.end(unavailable('stopped'))
    this.#socket.terminate()
  }

  #listen(): void {
    const socket = this.#socket
    socket.on('open', () => this.#opened())
    // `nodebuffer` is the default: what comes is one Buffer.
    socket.on('message', (data) => {
      if (this.#isOver || !Buffer.isBuffer(data)) return
      try {
        this.#read(data)
      } catch (error) {
        this.#listener.failed(error)
      }
    })
    const alive = () => {
      if (this.#protocol.limits.silence.pingsCount) this.#listener.heard(this.#clock.now())
    }
    socket.on('ping', alive)
    socket.on('pong', alive)
    socket.on('unexpected-response', (request, response) => {
      const nowMs = this.#clock.now()
      request.destroy()
      this.end(refusal(this.#protocol, response, nowMs))
    })
    socket.on('error', (cause) => this.end(unavailable(`the connection failed: ${cause.message}`, cause)))
    socket.on('close', (code, reason) => {
      const why = reason.length > 0 ? ` (${reason.toString('utf8').slice(0, 200)})` : ''
      this.end(unavailable(`the connection was closed with code ${code}${why}`))
    })
  }

  #opened(): void {
    if (this.#isOver) return
    const nowMs = this.#clock.now()
    this.#openMs = nowMs
    this.#keptAliveMs = nowMs
    if (this.#isPaused) this.#socket.pause()
    for (const frame of this.#conversation.opening()) this.#sender.push(frame, nowMs)
    if (this.#protocol.limits.readyTimeoutMs === undefined) this.#ready(nowMs)
  }

  #ready(nowMs: number): void {
    if (this.#readyMs !== undefined) return
    this.#readyMs = nowMs
    this.#listener.ready(nowMs)
    this.#whenReady.resolve()
  }

  #read(frame: Buffer): void {
    const receivedAtMs = this.#clock.now()
    this.#listener.heard(receivedAtMs)
    let events: readonly StreamEvent[]
    try {
      events = this.#conversation.read(frame, receivedAtMs)
    } catch (error) {
      if (!isPlatformError(error, 'VENDOR_ANSWER') || !(error instanceof VendorError)) throw error
      this.#cannotRead(error, frame)
      return
    }
    this.#garbledFrames = 0
    for (const event of events) this.#handle(event, frame, receivedAtMs)
  }

  #cannotRead(error: VendorError, frame: Buffer): void {
    this.#listener.garbled(error, frame)
    if (++this.#garbledFrames >= GARBLED_FRAMES_MAX)
      this.end(unavailable(`${GARBLED_FRAMES_MAX} frames one after the other could not be read`, error))
  }

  #handle(event: StreamEvent, frame: Buffer, receivedAtMs: number): void {
    switch (event.kind) {
      case 'send':
        this.#sender.push(event.frame, receivedAtMs)
        break
      case 'ready':
        this.#ready(receivedAtMs)
        break
      case 'leaving':
        this.#whenLeaving.resolve(event.reason)
        break
      case 'error':
        if (endsConnection(event.error)) this.end(event.error)
        else this.#listener.complained(event.error)
        break
      default:
        this.#listener.told(event, frame, receivedAtMs)
    }
  }

  #keepAlive(nowMs: number, lastFrameMs: number): void {
    const { keepAlive, silence } = this.#protocol.limits
    if (keepAlive !== undefined && nowMs - this.#keptAliveMs >= keepAlive.everyMs) {
      this.#keptAliveMs = nowMs
      this.#sender.push(keepAlive.frame, nowMs)
    }
    const pingEveryMs = silence.framesMs / 3
    if (!silence.pingsCount || nowMs - lastFrameMs < pingEveryMs || nowMs - this.#pingedMs < pingEveryMs) return
    this.#pingedMs = nowMs
    this.#socket.ping()
  }
}

function openSocket(protocol: StreamProtocol): WebSocket {
  const { headers, limits } = protocol
  try {
    return new WebSocket(protocol.url(), {
      headers: { 'user-agent': 'investor-updates', ...headers },
      handshakeTimeout: limits.connectTimeoutMs,
      maxPayload: limits.frameBytesMax,
      perMessageDeflate: false,
      followRedirects: false,
    })
  } catch (error) {
    // Its message quotes the address, which may hold a key.
    if (!(error instanceof SyntaxError)) throw error
    throw new VendorError('VENDOR_REFUSED', 'The address of the stream is no WebSocket address')
  }
}

const endsConnection = ({ code }: VendorError): boolean =>
  code === 'VENDOR_REFUSED' || code === 'VENDOR_LIMIT' || code === 'VENDOR_UNAVAILABLE'

const unavailable = (why: string, cause?: unknown) => new VendorError('VENDOR_UNAVAILABLE', why, { cause })

/** What the status of a refused upgrade means. */
function refusal({ keyed }: StreamProtocol, response: IncomingMessage, nowMs: number): VendorError {
  const { statusCode: status = 0, headers } = response
  const was = `was ${status} ${STATUS_CODES[status] ?? ''}`.trim()
  if (status === 451)
    return new VendorError('VENDOR_REFUSED', `the stream may not be read from this country: it ${was}`)
  if (keyed && (status === 401 || status === 403))
    return new VendorError('VENDOR_REFUSED', `the key was refused at the door: the answer ${was}`)
  const retryAfter = retryAtMs({ 'retry-after': headers['retry-after'], date: headers.date }, nowMs)
  // 418: Binance to who went on after 429.
  if (status === 429 || status === 418)
    return new VendorError('VENDOR_LIMIT', `connections were tried too often: the answer ${was}`, {
      retryAtMs: retryAfter,
    })
  return new VendorError('VENDOR_UNAVAILABLE', `the stream does not open: the answer ${was}`, { retryAtMs: retryAfter })
}
