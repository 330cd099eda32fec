import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Tick } from '../domain/tick.ts'
import { startGateway } from '../gateway/gateway.ts'
import { Health } from '../platform/health.ts'
import { silentLog } from '../platform/log.ts'
import { openMetrics } from '../platform/metrics.ts'
import { aTick, fakeMarket, INSTRUMENTS } from '../tests/support/market.ts'
import { Report } from './report.ts'

const RESULTS = 40_000
const WARM_UP = 20_000
const ROUNDS = 3
/** As many as come at once at some thousand ticks a second. */
const RESULTS_PER_TURN = 8
const AHEAD_MAX = 500
/** The subscriber tells so often how many have come. */
const TOLD_EVERY = 100

/** Gives one tick away; the subscriber gets one result for it. */
type Tell = (tick: Tick) => unknown

/**
 * What it costs to bring a tick from the pubsub to a subscriber: through the subgraph, the gateway and its socket, beside a
 * bare `ws` server that writes the same JSON. Processor time of all threads of the process that serves.
 */
export async function delivery(): Promise<Report> {
  const report = new Report(
    `${RESULTS.toLocaleString('en')} ticks to a subscriber of three fields in another process, ${RESULTS_PER_TURN} a turn, ${ROUNDS} rounds alternating`,
  )
  const ours: number[] = []
  const bare: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(await throughGateway())
    bare.push(await throughBareSocket())
  }
  const ourCost = report.figure('pubsub → subgraph → gateway → socket', 'µs a result', ours)
  const bareCost = report.figure('bare ws', 'µs a result', bare)
  report.ratio('ours / bare ws', ourCost / bareCost)
  return report
}

async function throughGateway(): Promise<number> {
  const { subgraph, pubsub, metrics } = await fakeMarket()
  const { name, sdl, schema } = subgraph
  await using gateway = await startGateway({
    host: '127.0.0.1',
    port: 0,
    log: silentLog,
    metrics: openMetrics(),
    health: new Health({ log: silentLog }),
    subgraphs: { [name]: { kind: 'local', sdl, schema } },
  })
  const listeners = async () => (await metrics.pubsubListeners.get()).values.reduce((sum, { value }) => sum + value, 0)
  const live = async () => {
    while ((await listeners()) < INSTRUMENTS.length) await setImmediate()
  }
  return await costOf(gateway.url, live, (tick) => pubsub.publish('tick', tick.symbol, { ticks: [tick], skipped: 0 }))
}

async function throughBareSocket(): Promise<number> {
  const sockets = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await once(sockets, 'listening')
  let reader: WebSocket | undefined
  sockets.on('connection', (socket) => {
    socket.on('message', (message) => {
      if (JSON.parse(String(message)).type === 'subscribe') reader = socket
      else socket.send(JSON.stringify({ type: 'connection_ack' }))
    })
  })
  const live = async () => {
    while (!reader) await setImmediate()
  }
  try {
    const { port } = sockets.address() as AddressInfo
    return await costOf(`http://127.0.0.1:${port}`, live, ({ symbol, price, size }) =>
      reader?.send(
        JSON.stringify({ id: 'ticks', type: 'next', payload: { data: { ticks: { symbol, price, size } } } }),
      ),
    )
  } finally {
    sockets.close()
  }
}

/** Microseconds of processor time for each result. */
async function costOf(url: string, live: () => Promise<void>, tell: Tell): Promise<number> {
  const symbols = INSTRUMENTS.map(({ symbol }) => symbol)
  const settings = [url.replace(/^http/, 'ws'), symbols.join(), String(TOLD_EVERY)]
  const child = fork(new URL('subscriber.ts', import.meta.url), settings)
  child.once('exit', (code) => {
    if (code) throw new Error(`the subscriber ended with code ${code}`)
  })
  let arrived = 0
  child.on('message', (count) => {
    arrived = Number(count)
  })
  try {
    await live()
    let sent = 0
    const send = async (count: number) => {
      for (const until = sent + count; sent < until; await setImmediate()) {
        for (let i = 0; i < RESULTS_PER_TURN; i++) tell(aTick(symbols[sent++ % symbols.length], 100))
        while (sent - arrived > AHEAD_MAX) await once(child, 'message')
      }
      while (sent - arrived >= TOLD_EVERY) await once(child, 'message')
    }
    await send(WARM_UP)
    const before = process.cpuUsage()
    await send(RESULTS)
    const { user, system } = process.cpuUsage(before)
    return (user + system) / RESULTS
  } finally {
    child.kill()
    if (child.exitCode === null) await once(child, 'exit')
  }
}
