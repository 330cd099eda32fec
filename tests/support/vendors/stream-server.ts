import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Rate } from '../../../ingest/streaming/stream-protocol.ts'
import { type Clock, systemClock } from '../../../platform/clock.ts'
import { withOtherTypes } from './faults.ts'
import type { FakeConversation, FakePrint, StreamFake } from './streamed-vendor-case.ts'
import { mostWithin, VendorServer } from './vendor-server.ts'

/** What a venue, or something between it and us, does. */
export type StreamFault =
  /** At the door: the upgrade is refused. */
  | { readonly kind: 'refuse'; readonly status: number; readonly retryAfter?: string }
  /** At the door: the upgrade is never answered. */
  | { readonly kind: 'hang' }
  /** Sockets open, and nobody listens or speaks on them. */
  | { readonly kind: 'deaf' }
  /** What is open stays open, and says nothing any more: no prints, no pongs. */
  | { readonly kind: 'mute' }
  /** What opens is cut again a moment later. */
  | { readonly kind: 'storm' }
  /** Frames with prints are not sent. */
  | { readonly kind: 'drop' }
  | { readonly kind: 'duplicate' }
  /** Four frames in the wrong order. */
  | { readonly kind: 'reorder' }
  /** In place of a frame, half of it. */
  | { readonly kind: 'truncated' }
  /** Before a frame, something else: bytes, or the vendor's complaint. */
  | { readonly kind: 'noise'; readonly noise: 'binary' | { readonly frame: string } }
  /** In place of a frame, one with another type in every place that can hold one. */
  | { readonly kind: 'wrong-types' }
  /** In place of a frame, one that is too long for anybody. */
  | { readonly kind: 'oversize' }

/** A storm cuts so long after the connection opened. */
const STORM_MS = 30
const REORDERED = 4
const OVERSIZE_BYTES = 64 * 1_024 * 1_024
/** Between two prints; each is of the next symbol. */
const PRINT_EVERY_MS = 10
const ALIVE_EVERY_MS = 1_000

/** One address at which sockets are opened. */
interface Door {
  readonly triedMs: number[]
  /** A vendor may have others beside the one for trades: what befalls the vendor befalls them, but it is not counted there. */
  readonly isBeside: boolean
  open: number
  mostOpen: number
}

interface Line {
  readonly door: Door
  readonly socket: WebSocket
  readonly conversation: FakeConversation
  readonly heardMs: number[]
  readonly late: string[]
  isMute: boolean
}

export interface StreamServerOptions {
  readonly fake: StreamFake
  readonly symbols: readonly string[]
  /** Paths of sockets beside the one for trades. */
  readonly besidePaths?: readonly string[]
  readonly clock: Clock
}

/** A venue on this machine: prints without end, remembers every print it made and who connected when, and fails on command. */
export class StreamServer implements AsyncDisposable {
  /** All that was ever printed, oldest first. */
  readonly printed: FakePrint[] = []
  readonly #options: StreamServerOptions
  readonly #sockets = new WebSocketServer({ noServer: true })
  readonly #lines = new Set<Line>()
  readonly #heardMs: number[][] = []
  readonly #doors = new Map<string, Door>()
  readonly #refused = new Set<Duplex>()
  readonly #bySymbol = new Map<string, FakePrint[]>()
  readonly #stop = new AbortController()
  #http: VendorServer | undefined
  #fault: { readonly fault: StreamFault; times: number } | undefined
  #failed = 0
  #skewMs = 0

  private constructor(options: StreamServerOptions) {
    this.#options = options
    for (const symbol of options.symbols) this.#bySymbol.set(symbol, [])
  }

  static async start(options: StreamServerOptions): Promise<StreamServer> {
    const server = new StreamServer(options)
    server.#http = await VendorServer.start({
      answer: (question) => options.fake.answer(question, (symbol) => server.#bySymbol.get(symbol) ?? []),
      clock: options.clock,
      upgrade: (request, socket, head) => server.#knock(request, socket, head),
    })
    void server.#keepPrinting()
    void server.#keepAlive()
    return server
  }

  /** Its HTTP side, with faults of its own. */
  get http(): VendorServer {
    if (!this.#http) throw new Error('The server has not started')
    return this.#http
  }

  get url(): string {
    return this.http.url.replace('http', 'ws')
  }

  /** What happens so many times or, by default, until `mend`. */
  fail(fault: StreamFault, times = Number.POSITIVE_INFINITY): void {
    this.#fault = { fault, times }
    if (fault.kind === 'mute')
      for (const line of this.#lines) {
        line.isMute = true
        line.socket.pause()
        this.#failed++
      }
  }

  mend(): void {
    this.#fault = undefined
    for (const line of this.#lines) this.#sendLate(line)
  }

  /** Ends all connections without a goodbye. */
  cut(): void {
    for (const { socket } of this.#lines) socket.terminate()
  }

  /** Its clock is wrong by so much from now on. */
  skew(skewMs: number): void {
    this.#skewMs = skewMs
  }

  /** Its history no longer holds what has been printed until now. */
  forget(): void {
    for (const prints of this.#bySymbol.values()) prints.length = 0
  }

  /** How often a fault has struck. */
  get failed(): number {
    return this.#failed
  }

  /** To hear trades. */
  get attempts(): number {
    return [...this.#doors.values()].reduce((sum, { triedMs, isBeside }) => (isBeside ? sum : sum + triedMs.length), 0)
  }

  get open(): number {
    return this.#lines.size
  }

  /** The most sockets that were open at a time at one address. */
  get mostOpen(): number {
    return Math.max(0, ...[...this.#doors.values()].map(({ mostOpen }) => mostOpen))
  }

  /** At one address. */
  mostAttempts({ perMs }: Rate): number {
    const window = { kind: 'sliding', requests: 0, perMs } as const
    return Math.max(0, ...[...this.#doors.values()].map(({ triedMs }) => mostWithin(triedMs, window)))
  }

  /** On one connection. */
  mostMessages({ perMs }: Rate): number {
    return Math.max(0, ...this.#heardMs.map((each) => mostWithin(each, { kind: 'sliding', requests: 0, perMs })))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    this.cut()
    for (const socket of this.#refused) socket.destroy()
    await this.http[Symbol.asyncDispose]()
  }

  #doorOf(path: string): Door {
    const { besidePaths = [] } = this.#options
    const door = this.#doors.get(path) ?? {
      triedMs: [],
      isBeside: besidePaths.includes(path),
      open: 0,
      mostOpen: 0,
    }
    this.#doors.set(path, door)
    return door
  }

  #knock(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = new URL(request.url ?? '/', this.http.url).pathname
    const door = this.#doorOf(path)
    door.triedMs.push(this.#options.clock.now())
    socket.on('error', () => socket.destroy())
    const fault = this.#strike('refuse', door) ?? this.#strike('hang', door)
    if (fault === undefined) {
      this.#sockets.handleUpgrade(request, socket, head, (open) => this.#opened(open, path, door))
      return
    }
    this.#refused.add(socket)
    if (fault.kind !== 'refuse') return
    const retryAfter = fault.retryAfter === undefined ? '' : `Retry-After: ${fault.retryAfter}\r\n`
    const date = `Date: ${new Date(this.#options.clock.now()).toUTCString()}\r\n`
    socket.end(`HTTP/1.1 ${fault.status} No\r\n${retryAfter}${date}Content-Length: 0\r\nConnection: close\r\n\r\n`)
  }

  #opened(socket: WebSocket, path: string, door: Door): void {
    socket.on('error', () => socket.terminate())
    const heardMs: number[] = []
    this.#heardMs.push(heardMs)
    if (this.#strike('deaf', door)) return
    const conversation = this.#options.fake.converse((frame) => socket.send(frame), path)
    const line: Line = { door, socket, conversation, heardMs, late: [], isMute: false }
    this.#lines.add(line)
    door.mostOpen = Math.max(door.mostOpen, ++door.open)
    socket.on('close', () => {
      this.#lines.delete(line)
      door.open--
    })
    socket.on('message', (data) => {
      heardMs.push(this.#options.clock.now())
      conversation.hear(String(data))
    })
    if (this.#strike('storm', door)) void systemClock.sleep(STORM_MS, this.#stop.signal).then(() => socket.terminate())
  }

  async #keepPrinting(): Promise<void> {
    const { symbols, clock } = this.#options
    for (let count = 0; !this.#stop.signal.aborted; count++) {
      await systemClock.sleep(PRINT_EVERY_MS, this.#stop.signal)
      const symbol = symbols[count % symbols.length]
      const id = Math.floor(count / symbols.length) + 1
      const print = { symbol, id, price: 100 + (id % 7), size: 1 + (id % 3), eventTimeMs: clock.now() + this.#skewMs }
      this.printed.push(print)
      this.#bySymbol.get(symbol)?.push(print)
      for (const line of this.#lines) this.#tell(line, print)
    }
  }

  async #keepAlive(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#options.clock.sleep(ALIVE_EVERY_MS, this.#stop.signal)
      for (const { conversation, isMute, socket } of this.#lines)
        if (!isMute)
          for (const frame of conversation.alive?.((symbol) => this.#bySymbol.get(symbol) ?? []) ?? [])
            socket.send(frame)
    }
  }

  #tell(line: Line, print: FakePrint): void {
    const frame = line.conversation.frameOf(print)
    if (frame === undefined || line.isMute) return
    const { socket } = line
    if (this.#strike('drop')) return
    if (this.#strike('duplicate')) socket.send(frame)
    if (this.#strike('reorder')) {
      line.late.unshift(frame)
      if (line.late.length >= REORDERED) this.#sendLate(line)
      return
    }
    if (this.#strike('truncated')) socket.send(frame.slice(0, frame.length / 2))
    else if (this.#strike('wrong-types')) socket.send(withOtherTypes(frame))
    else if (this.#strike('oversize')) socket.send(' '.repeat(OVERSIZE_BYTES))
    else {
      const noise = this.#strike('noise')?.noise
      if (noise !== undefined) socket.send(noise === 'binary' ? randomBytes(64) : noise.frame)
      socket.send(frame)
    }
  }

  #sendLate({ socket, late }: Line): void {
    for (const frame of late.splice(0)) socket.send(frame)
  }

  /** The fault, where it is of this kind; counted, but for those beside. */
  #strike<K extends StreamFault['kind']>(kind: K, door?: Door): Extract<StreamFault, { kind: K }> | undefined {
    const current = this.#fault
    if (current?.fault.kind !== kind) return undefined
    if (door?.isBeside) return current.fault as Extract<StreamFault, { kind: K }>
    this.#failed++
    if (--current.times <= 0) this.#fault = undefined
    return current.fault as Extract<StreamFault, { kind: K }>
  }
}
