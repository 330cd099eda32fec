import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { systemClock } from '../../platform/clock.ts'
import { openLog } from '../../platform/log.ts'
import { openMetrics } from '../../platform/metrics.ts'
import type { Reject, SourceBatch } from '../source.ts'
import { VendorError } from '../vendor-error.ts'
import { SYMBOLS_MAX } from './bounds.ts'
import type { StreamEvent, StreamLimits, StreamProtocol } from './stream-protocol.ts'
import { type StreamCheckpoint, type StreamedOptions, streamedSource } from './streamed-source.ts'

const LIMITS: StreamLimits = {
  attempts: { count: 1_000, perMs: 1_000 },
  backOffMsMin: 1,
  backOffMsMax: 20,
  messages: { count: 1_000, perMs: 1_000 },
  connectTimeoutMs: 2_000,
  readyTimeoutMs: undefined,
  silence: { framesMs: 60_000, pingsCount: false },
  overlap: false,
  frameBytesMax: 65_536,
}

/** A venue whose frames are our own events as JSON. `spoke` is called for each socket that opens. */
async function venue(spoke: (socket: WebSocket, opened: number) => void) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  let opened = 0
  server.on('connection', (socket) => spoke(socket, opened++))
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get opened() {
      return opened
    },
    async [Symbol.asyncDispose]() {
      for (const client of server.clients) client.terminate()
      server.close()
    },
  }
}

const say = (socket: WebSocket, ...events: object[]) => {
  for (const event of events) socket.send(JSON.stringify(event))
}
const print = (id: number) => ({ kind: 'print', symbol: 'BTC-USD', id, price: 100, size: 1, eventTimeMs: 1_000 + id })

const historical = (id: number) => ({ ...print(id), original: () => Buffer.from(`as the venue wrote ${id}`) })

function readEvents(frame: Buffer): readonly StreamEvent[] {
  try {
    const { code, ...event } = JSON.parse(frame.toString())
    return event.kind === 'error' ? [{ kind: 'error', error: new VendorError(code, 'says the venue') }] : [event]
  } catch (cause) {
    throw new VendorError('VENDOR_ANSWER', 'no JSON', { cause, original: frame })
  }
}

const protocolOf = (url: string, changes: Partial<StreamProtocol> = {}): StreamProtocol => ({
  vendor: 'coinbase',
  symbols: ['BTC-USD'],
  numbering: 'trade-id',
  limits: LIMITS,
  url: () => url,
  keyed: false,
  converse: () => ({ opening: () => ['subscribe'], read: readEvents }),
  ...changes,
})

function open(protocol: StreamProtocol, options: Partial<StreamedOptions> = {}) {
  const metrics = openMetrics()
  const log = openLog('fatal', { write: () => undefined })
  return { metrics, source: streamedSource({ protocol, clock: systemClock, log, metrics, ...options }) }
}

/** Reads until enough is heard. */
async function heard(
  batches: AsyncIterable<SourceBatch<StreamCheckpoint>>,
  isEnough: (all: { ids: number[]; kinds: string[]; reasons: string[] }) => boolean,
) {
  const all = {
    ids: [] as number[],
    kinds: [] as string[],
    reasons: [] as string[],
    rejects: [] as Reject[],
    checkpoint: undefined as unknown,
  }
  for await (const { ticks, facts = [], rejects, checkpoint } of batches) {
    all.ids.push(...ticks.map(({ position }) => position))
    all.kinds.push(...facts.flatMap(({ topic, event }) => (topic === 'data-quality' ? [event.kind] : [topic])))
    all.rejects.push(...rejects)
    all.reasons.push(...rejects.map(({ reason }) => reason))
    all.checkpoint = checkpoint
    if (isEnough(all)) break
  }
  return all
}

describe('A streamed source', () => {
  test('goes on from its checkpoint, and tells what it had already heard no second time', async () => {
    await using server = await venue((socket) => say(socket, print(4), print(5), print(6)))
    const { source } = open(protocolOf(server.url))
    const from = { products: { 'BTC-USD': { id: 4, timeMs: 1_004 } }, position: -1, receivedMs: -1 }
    const { ids, checkpoint } = await heard(
      source.read(from, AbortSignal.timeout(5_000)),
      ({ ids }) => ids.length === 2,
    )
    expect(ids).toEqual([5, 6])
    expect(checkpoint).toMatchObject({ products: { 'BTC-USD': { id: 6, timeMs: 1_006 } } })
  })

  test('refuses a checkpoint that is none', () => {
    const { source } = open(protocolOf('ws://127.0.0.1:9'))
    expect(() => source.read({ products: 7 } as never, AbortSignal.abort())).toThrow(
      'The checkpoint of coinbase is not one of a stream',
    )
  })

  test.each([
    ['no symbol', []],
    ['too many symbols', Array.from({ length: SYMBOLS_MAX + 1 }, (_, i) => `S${i}-USD`)],
  ])('refuses to follow %s', (_what, symbols) => {
    expect(() => open(protocolOf('ws://127.0.0.1:9', { symbols }))).toThrow(`must follow 1 to ${SYMBOLS_MAX} symbols`)
  })

  test('whose reader is slow stops reading the socket, and loses nothing', async () => {
    const COUNT = 30_000
    await using server = await venue((socket) => {
      for (let id = 1; id <= COUNT; id++) say(socket, print(id))
    })
    const { source, metrics } = open(protocolOf(server.url), { bounds: { waitingMax: 100 } })
    const stop = new AbortController()
    const batches = source.read(undefined, stop.signal)[Symbol.asyncIterator]()
    let batch = await batches.next()
    await expect.poll(() => metrics.registry.metrics()).toMatch(/stream_pauses_total\{source="coinbase"\} [1-9]/)
    const ids: number[] = []
    let most = 0
    for (; !batch.done; batch = await batches.next()) {
      ids.push(...batch.value.ticks.map(({ position }) => position))
      most = Math.max(most, batch.value.ticks.length)
      if (ids.length === COUNT) stop.abort()
    }
    expect(ids).toEqual(Array.from({ length: COUNT }, (_, i) => i + 1))
    // What was in one read of the socket comes on top of the bound: 64 KiB hold a thousand of these frames.
    expect(most).toBeLessThan(2_500)
  })

  test('that may not hold more prints behind a hole has them from history later', async () => {
    await using server = await venue((socket) => {
      say(socket, print(1))
      for (let id = 3; id <= 50; id++) say(socket, print(id))
    })
    const asked: number[] = []
    const history = {
      asksAlways: false,
      async *prints({ after, beforeId = 51 }: { after: { id: number }; beforeId: number | undefined }) {
        asked.push(after.id)
        const prints = Array.from({ length: beforeId - after.id - 1 }, (_, i) => historical(after.id + 1 + i))
        yield { prints, rejects: [] }
      },
    }
    const { source, metrics } = open(protocolOf(server.url, { history }), { bounds: { heldMax: 10, momentMs: 10 } })
    const { ids } = await heard(source.read(undefined, AbortSignal.timeout(5_000)), ({ ids }) => ids.length === 50)
    expect(ids).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
    expect(asked[0]).toBe(1)
    expect(await metrics.registry.metrics()).toContain('stream_not_held_total{source="coinbase"} 38')
  })

  test('puts frames aside that it cannot read, and after a hundred in a row calls for another connection', async () => {
    await using server = await venue((socket, opened) => {
      if (opened === 0) for (let i = 0; i < 100; i++) socket.send(`garbage ${i}`)
      else say(socket, print(1))
    })
    const { source } = open(protocolOf(server.url))
    const { reasons } = await heard(source.read(undefined, AbortSignal.timeout(5_000)), ({ ids }) => ids.length === 1)
    expect(reasons).toHaveLength(100)
    expect(server.opened).toBe(2)
  })

  test('puts a print aside that is none, and goes on behind it', async () => {
    await using server = await venue((socket) => say(socket, print(1), { ...print(2), price: -3 }, print(3)))
    const { source } = open(protocolOf(server.url))
    const all = await heard(source.read(undefined, AbortSignal.timeout(5_000)), ({ ids }) => ids.includes(3))
    expect(all).toMatchObject({ ids: [1, 3], reasons: [expect.stringContaining('price')], kinds: [] })
  })

  test('puts what history holds and is no tick aside in the bytes of the venue, and goes on behind it', async () => {
    await using server = await venue((socket) => say(socket, print(1), print(4)))
    const history = {
      asksAlways: false,
      async *prints() {
        yield { prints: [{ ...historical(2), price: -3 }, historical(3)], rejects: [] }
      },
    }
    const { source } = open(protocolOf(server.url, { history }))
    const all = await heard(source.read(undefined, AbortSignal.timeout(5_000)), ({ ids }) => ids.includes(4))
    expect(all).toMatchObject({ ids: [1, 3, 4], kinds: [] })
    expect(all.rejects).toMatchObject([
      { feed: 'history', reason: expect.stringContaining('price'), original: Buffer.from('as the venue wrote 2') },
    ])
  })

  test('that has told what it heard ends with a sentence when its key is refused', async () => {
    await using server = await venue((socket) => say(socket, print(1), { kind: 'error', code: 'VENDOR_REFUSED' }))
    const { source } = open(protocolOf(server.url))
    const ids: number[] = []
    const reading = (async () => {
      for await (const { ticks } of source.read(undefined, AbortSignal.timeout(5_000)))
        ids.push(...ticks.map(({ position }) => position))
    })()
    await expect(reading).rejects.toMatchObject({ code: 'VENDOR_REFUSED', message: 'says the venue' })
    expect(ids).toEqual([1])
  })

  test('connects anew before its vendor closes, and where two may be open at a time without a gap', async () => {
    await using server = await venue((socket, opened) => {
      if (opened === 0) say(socket, print(1), { kind: 'leaving', reason: 'maintenance' })
      else say(socket, print(1), print(2))
    })
    const limits = { ...LIMITS, overlap: true }
    const { source } = open(protocolOf(server.url, { limits }))
    const all = await heard(source.read(undefined, AbortSignal.timeout(5_000)), ({ ids }) => ids.includes(2))
    expect(all).toMatchObject({ ids: [1, 2], kinds: [] })
  })

  test('connects anew when the maximum life of a connection is nearly over', async () => {
    await using server = await venue((socket, opened) => say(socket, print(opened + 1)))
    const limits = { ...LIMITS, lifeMsMax: 200, overlap: true }
    const { source } = open(protocolOf(server.url, { limits }))
    const { ids } = await heard(source.read(undefined, AbortSignal.timeout(5_000)), ({ ids }) => ids.length === 3)
    expect(ids).toEqual([1, 2, 3])
  })

  test('sends what its vendor wants to hear again and again', async () => {
    const said: string[] = []
    await using server = await venue((socket) => socket.on('message', (data) => said.push(String(data))))
    const limits = { ...LIMITS, keepAlive: { everyMs: 100, frame: 'ping' } }
    const { source } = open(protocolOf(server.url, { limits }))
    const stop = new AbortController()
    const reading = heard(source.read(undefined, stop.signal), () => false)
    await expect.poll(() => said.slice(0, 3)).toEqual(['subscribe', 'ping', 'ping'])
    stop.abort()
    await reading
  })

  test('tries again when it is not let in in time', async () => {
    await using server = await venue((socket, opened) => {
      if (opened > 0) say(socket, { kind: 'ready' }, print(1))
    })
    const limits = { ...LIMITS, readyTimeoutMs: 100 }
    const troubles: (string | undefined)[] = []
    const { source } = open(protocolOf(server.url, { limits }), { tellTrouble: (trouble) => troubles.push(trouble) })
    const { ids } = await heard(source.read(undefined, AbortSignal.timeout(5_000)), ({ ids }) => ids.length === 1)
    expect(ids).toEqual([1])
    expect(troubles).toEqual([
      'could not reach its stream: no subscription within 100 ms of the open socket',
      undefined,
    ])
  })

  test('without numbers to go by tells of the time it was away, as a GAP', async () => {
    await using server = await venue((socket, opened) => {
      say(socket, print(1))
      if (opened === 0) setTimeout(() => socket.terminate(), 50)
    })
    const { source } = open(protocolOf(server.url, { numbering: 'arrival' }))
    const all = await heard(source.read(undefined, AbortSignal.timeout(5_000)), ({ ids }) => ids.length === 2)
    expect(all.kinds).toEqual(['GAP'])
    expect(all.ids[1]).toBeGreaterThan(all.ids[0])
  })

  test('that hears prices in place of prints tells of the time it was away too, also over a restart', async () => {
    const nowMs = Date.now()
    const price = { topic: 'stock-quotes', event: { symbol: 'AAPL', eventTimeMs: nowMs, ingestTimeMs: nowMs } }
    await using server = await venue((socket, opened) => {
      say(socket, { kind: 'fact', fact: price })
      if (opened === 0) setTimeout(() => socket.terminate(), 50)
    })
    const { source } = open(protocolOf(server.url, { numbering: 'arrival' }))
    const prices = (kinds: readonly string[]) => kinds.filter((kind) => kind === 'stock-quotes').length
    const first = await heard(source.read(undefined, AbortSignal.timeout(5_000)), ({ kinds }) => prices(kinds) === 2)
    expect(first.kinds).toEqual(['stock-quotes', 'GAP', 'stock-quotes'])
    const from = first.checkpoint as StreamCheckpoint
    const second = await heard(source.read(from, AbortSignal.timeout(5_000)), ({ kinds }) => prices(kinds) === 1)
    expect(second.kinds).toEqual(['GAP', 'stock-quotes'])
  })

  test('reads what was put aside once more: facts are told, prints are not', () => {
    const { source } = open(protocolOf('ws://127.0.0.1:9'))
    const fact = { topic: 'news-data', event: {} }
    expect(source.reparse?.('stream', Buffer.from(JSON.stringify({ kind: 'fact', fact })))).toEqual({
      facts: [fact],
      rejects: [],
    })
    expect(() => source.reparse?.('stream', Buffer.from(JSON.stringify(print(1))))).toThrow('not told again')
    expect(source.reparse?.('history', Buffer.from('{}'))).toBeUndefined()
  })
})
