// A venue of the contract suite in a process of its own that prints as fast as it is read.
//   streaming-venue VENDOR MESSAGES
// Whoever connects at /bare need not subscribe: the words of the one before are said for it.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { type WebSocket, WebSocketServer } from 'ws'
import { STREAMED_VENDORS } from '../tests/support/vendors/streamed-vendors.ts'
import { VendorServer } from '../tests/support/vendors/vendor-server.ts'

/** Sent and not yet taken by the reader. */
const AHEAD_BYTES_MAX = 4 * 1_024 * 1_024
const PRINTS_PER_TURN = 256

const [vendor, messagesText] = process.argv.slice(2)
const messages = Number(messagesText)
const { fake, symbols } = STREAMED_VENDORS[vendor]
const { answer, converse } = fake()
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })
let words: string[] = []

const server = await VendorServer.start({
  answer: (question) => answer(question, () => []),
  upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) =>
    sockets.handleUpgrade(request, socket, head, (open) => talk(open, request.url === '/bare')),
})
process.send?.(server.url)

function talk(socket: WebSocket, isBare: boolean): void {
  const conversation = converse((frame) => socket.send(frame))
  socket.on('error', () => socket.terminate())
  if (isBare) for (const word of words) conversation.hear(word)
  else {
    words = []
    socket.on('message', (frame) => {
      words.push(String(frame))
      conversation.hear(String(frame))
    })
  }
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
  void print(socket, frameOf)
}

/** As soon as all symbols are subscribed to. */
async function print(socket: WebSocket, frameOf: (number: number) => string | undefined): Promise<void> {
  while (symbols.some((_, number) => frameOf(number) === undefined)) await sleep(5)
  for (let number = 0; number < messages && socket.readyState === socket.OPEN; ) {
    for (let each = 0; each < PRINTS_PER_TURN && number < messages; each++) socket.send(frameOf(number++) ?? '')
    do await sleep(0)
    while (socket.bufferedAmount > AHEAD_BYTES_MAX)
  }
}
