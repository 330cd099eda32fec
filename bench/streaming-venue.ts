// A venue of the contract suite in a process of its own that prints as fast as it is read.
//   streaming-venue VENDOR MESSAGES
// Whoever connects at /bare need not subscribe: the words of the one before are said for it.
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { type WebSocket, WebSocketServer } from 'ws'
import { STREAMED_VENDORS } from '../tests/support/vendors/streamed-vendors.ts'
import { VendorServer } from '../tests/support/vendors/vendor-server.ts'

const PRINTS_PER_WRITE = 512
const TEXT_FRAME = 0x81
const LENGTH_IN_ONE_BYTE_MAX = 125
const LENGTH_FOLLOWS = 126

const [vendor, messagesText] = process.argv.slice(2)
const messages = Number(messagesText)
const { fake, symbols } = STREAMED_VENDORS[vendor]
const { answer, converse } = fake()
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })
/** Where prints were subscribed to, and what was said for it. */
let subscribed = { path: '', words: [] as readonly string[] }

const server = await VendorServer.start({
  answer: (question) => answer(question, () => []),
  upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) =>
    sockets.handleUpgrade(request, socket, head, (open) => talk(open, socket, request.url ?? '/')),
})
process.send?.(server.url)

function talk(socket: WebSocket, tcp: Duplex, asked: string): void {
  const isBare = asked === '/bare'
  const path = isBare ? subscribed.path : asked
  const conversation = converse((frame) => socket.send(frame), path)
  const words: string[] = []
  socket.on('error', () => socket.terminate())
  socket.on('message', (frame) => {
    words.push(String(frame))
    conversation.hear(String(frame))
  })
  if (isBare) for (const word of subscribed.words) conversation.hear(word)
  const startMs = Date.now()
  const frameOf = (number: number) =>
    conversation.frameOf({
      symbol: symbols[number % symbols.length],
      id: Math.floor(number / symbols.length) + 1,
      price: 100 + (number % 7),
      size: 1 + (number % 3),
      // Prices of one symbol are told apart by their second.
      eventTimeMs: startMs - 3_600_000 + Math.floor(number / symbols.length),
    })
  void print(tcp, frameOf, () => {
    if (!isBare) subscribed = { path, words }
  })
}

/** As soon as all symbols are subscribed to, which on a socket for something else they never are. */
async function print(tcp: Duplex, frameOf: (number: number) => string | undefined, begun: () => void): Promise<void> {
  while (symbols.some((_, number) => frameOf(number) === undefined)) await sleep(5)
  begun()
  for (let number = 0; number < messages && tcp.writable; ) {
    const frames: Buffer[] = []
    while (frames.length < PRINTS_PER_WRITE && number < messages) frames.push(framed(frameOf(number++) ?? ''))
    // Past `ws`, whose way of sending costs more than most readers take to read.
    if (!tcp.write(Buffer.concat(frames))) await once(tcp, 'drain')
  }
}

/** A text frame of WebSocket, RFC 6455 section 5.2: what a server sends is not masked. */
function framed(text: string): Buffer {
  const length = Buffer.byteLength(text)
  const headBytes = length <= LENGTH_IN_ONE_BYTE_MAX ? 2 : 4
  const frame = Buffer.allocUnsafe(headBytes + length)
  frame[0] = TEXT_FRAME
  frame[1] = headBytes === 2 ? length : LENGTH_FOLLOWS
  if (headBytes === 4) frame.writeUInt16BE(length, 2)
  frame.write(text, headBytes)
  return frame
}
