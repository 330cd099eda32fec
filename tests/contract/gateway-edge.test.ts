import { request } from 'node:http'
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { openGateway, type Served } from '../support/gateway.ts'
import { query, subscribe } from '../support/graphql.ts'

const PAGE = 'https://app.example.com'
const STRANGER = 'https://evil.example.com'
const TICKS = 'subscription { ticks(symbols: ["AAPL"]) { price source eventTime ingestTime } }'

describe('The edge of the gateway', () => {
  let served: Served | undefined
  afterEach(async () => {
    await served?.[Symbol.asyncDispose]()
    served = undefined
  })
  const open = async (...options: Parameters<typeof openGateway> extends [unknown, ...infer R] ? R : never) => {
    served = await openGateway('local', ...options)
    return served
  }
  const post = (url: string, body: string, headers: Record<string, string> = { 'content-type': 'application/json' }) =>
    fetch(url, { method: 'POST', headers, body })
  const refused = async ({ metrics }: Served, limit: string) => {
    const { values } = await metrics.gatewayRefused.get()
    return values.find(({ labels }) => labels.limit === limit)?.value ?? 0
  }
  /** A WebSocket as far as the server lets it: what it was closed or refused with. */
  const closing = (url: string, init: { origin?: string; protocol?: string } = {}) =>
    new Promise<number>((resolve) => {
      const socket = new WebSocket(url.replace('http', 'ws'), init.protocol ?? 'graphql-transport-ws', {
        origin: init.origin,
      })
      socket.on('unexpected-response', (_request, { statusCode }) => resolve(statusCode ?? 0))
      socket.on('close', (code) => resolve(code))
      socket.on('error', () => undefined)
    })

  test('a query that a foreign page could forge is refused', async () => {
    const { url } = await open()
    const get = `${url}?query=${encodeURIComponent('{ __typename }')}`
    expect((await fetch(get, { headers: { accept: 'application/json' } })).status).toBe(403)
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    expect((await post(url, 'query={__typename}', form)).status).toBe(403)
    expect((await post(url, '{"query":"{__typename}"}', { 'content-type': 'text/plain' })).status).toBe(403)
  })

  test('a query by GET works with a header that only our own page can add', async () => {
    const { url } = await open()
    const get = `${url}?query=${encodeURIComponent('{ __typename }')}`
    const response = await fetch(get, { headers: { accept: 'application/json', 'x-requested-with': 'fetch' } })
    expect(await response.json()).toEqual({ data: { __typename: 'Query' } })
  })

  test('pages of other origins are allowed by name', async () => {
    const { url } = await open({ origins: [PAGE] })
    const preflight = (origin: string) =>
      fetch(url, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } })
    expect((await preflight(PAGE)).headers.get('access-control-allow-origin')).toBe(PAGE)
    expect((await preflight(STRANGER)).headers.get('access-control-allow-origin')).not.toBe(STRANGER)
    expect((await preflight(PAGE)).headers.get('access-control-allow-credentials')).not.toBe('true')
  })

  test('no page of another origin is allowed unless it is named', async () => {
    const { url } = await open()
    const answer = await fetch(url, {
      method: 'POST',
      headers: { origin: PAGE, 'content-type': 'application/json' },
      body: '{"query":"{__typename}"}',
    })
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
  })

  test('a WebSocket from the page of a stranger is refused', async () => {
    const it = await open({ origins: [PAGE], limits: { initLimitMs: 50 } })
    expect(await closing(it.url, { origin: STRANGER })).toBe(403)
    expect(await closing(it.url, { origin: 'null' })).toBe(403)
    expect(await refused(it, 'origin')).toBe(2)
    expect(await closing(it.url, { origin: PAGE })).toBe(4408)
  })

  test('a WebSocket that says nothing is closed', async () => {
    const { url } = await open({ limits: { initLimitMs: 50 } })
    expect(await closing(url)).toBe(4408)
  })

  test('a WebSocket of another protocol is closed', async () => {
    const { url } = await open()
    // ws itself refuses a server that answers with no protocol at all.
    expect(await closing(url, { protocol: 'graphql-ws' })).toBe(1006)
  })

  test('a WebSocket elsewhere than at the graph is refused', async () => {
    const { url } = await open()
    expect(await closing(`${url}/elsewhere`)).toBe(404)
  })

  test('a message over its bound closes its connection alone', async () => {
    const { url, live } = await open({ limits: { messageBytesMax: 2_000 } })
    using other = subscribe(url, TICKS)
    await live(1)
    const closed = new Promise<number>((resolve) => {
      const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws')
      socket.on('open', () => socket.send('x'.repeat(2_001)))
      socket.on('close', resolve)
      socket.on('error', () => undefined)
    })
    expect(await closed).toBe(1009)
    await served?.market.tell('AAPL', 1)
    await expect.poll(() => other.events.length).toBe(1)
  })

  test('a body over its bound is refused before it is read', async () => {
    const it = await open({ limits: { bodyBytesMax: 1_000 } })
    const answer = await post(it.url, JSON.stringify({ query: `{ __typename } # ${'x'.repeat(1_000)}` }))
    expect(answer.status).toBe(413)
    expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'LIMIT_EXCEEDED' } }] })
    expect(await refused(it, 'body')).toBe(1)
  })

  test('a body of unknown length is refused', async () => {
    const { gateway } = await open()
    const status = await new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' }
      const sent = request({ port: gateway.port, path: '/graphql', method: 'POST', headers }, (answer) =>
        resolve(answer.statusCode),
      )
      sent.on('error', reject)
      sent.end('{"query":"{__typename}"}')
    })
    expect(status).toBe(411)
  })

  test.each([
    ['depth', `{ ${'instrument(symbol: "A") { '.repeat(6)} symbol ${'}'.repeat(7)}`, { depthMax: 5 }],
    ['aliases', '{ a: __typename b: __typename c: __typename }', { aliasesMax: 2 }],
    ['tokens', '{ a b c d e f g h i j }', { tokensMax: 10 }],
  ])('a document with too many %s is refused', async (limit, text, limits) => {
    const it = await open({ limits })
    const { errors = [] } = await query(it.url, text)
    expect(errors.map(({ extensions }) => extensions?.code)).toContain('LIMIT_EXCEEDED')
    expect(await refused(it, limit)).toBe(1)
  })

  test('subscriptions over the bound of one connection are refused, the others run', async () => {
    const it = await open({ limits: { subscriptionsPerSocketMax: 2 } })
    const { createClient } = await import('graphql-ws')
    const client = createClient({
      url: it.url.replace('http', 'ws'),
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      lazy: false,
    })
    const refusals: unknown[] = []
    for (const field of ['price', 'size', 'source'])
      client.subscribe(
        { query: `subscription { ticks(symbols: ["AAPL"]) { ${field} } }` },
        { next: () => undefined, error: (errors) => refusals.push(errors), complete: () => undefined },
      )
    await expect.poll(() => refusals).toMatchObject([[{ extensions: { code: 'LIMIT_EXCEEDED' } }]])
    await it.live(2)
    expect(await refused(it, 'subscriptions_per_socket')).toBe(1)
    await client.dispose()
  })

  test('subscriptions over the bound of the gateway are refused', async () => {
    const it = await open({ limits: { subscriptionsMax: 1 } })
    using first = subscribe(it.url, TICKS)
    await it.live(1)
    using second = subscribe(it.url, TICKS)
    await second.ended
    expect(second.errors).toMatchObject([{ extensions: { code: 'LIMIT_EXCEEDED' } }])
    await it.market.tell('AAPL', 1)
    await expect.poll(() => first.events.length).toBe(1)
    expect(await refused(it, 'subscriptions')).toBe(1)
  })

  test('connections over the bound are refused', async () => {
    const it = await open({ limits: { socketsMax: 1 } })
    using _first = subscribe(it.url, TICKS)
    await it.live(1)
    expect(await closing(it.url)).toBe(503)
    expect(await refused(it, 'sockets')).toBe(1)
  })

  test('the schema can be kept from clients', async () => {
    const { url } = await open({ introspection: false })
    const { errors = [] } = await query(url, '{ __schema { types { name } } }')
    expect(errors[0]?.extensions?.code).toBe('GRAPHQL_VALIDATION_FAILED')
    const page = await fetch(url, { headers: { accept: 'text/html', 'sec-fetch-site': 'none' } })
    expect(await page.text()).not.toContain('GraphiQL')
  })

  test('a person with a browser finds GraphiQL, whole in one page', async () => {
    const { url } = await open()
    const page = await (await fetch(url, { headers: { accept: 'text/html', 'sec-fetch-site': 'none' } })).text()
    expect(page).toContain('Investor Updates')
    expect(page).toContain('subscription Live')
    expect(page.match(/<(script|link)[^>]+(src|href)="?https?:/g)).toBeNull()
  })

  test('operations are answered on the same port', async () => {
    const { gateway } = await open()
    const get = async (path: string) => fetch(`http://127.0.0.1:${gateway.port}${path}`)
    expect((await get('/live')).status).toBe(200)
    expect((await get('/ready')).status).toBe(200)
    expect(await (await get('/metrics')).text()).toContain('gateway_sockets')
    expect((await get('/elsewhere')).status).toBe(404)
  })

  test('a port that is taken is said in a sentence', async () => {
    const { gateway } = await open()
    await expect(openGateway('local', { port: gateway.port })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringContaining(`cannot listen on 127.0.0.1:${gateway.port}: the port is taken, set PORT`),
    })
  })

  describe('A client that does not read', () => {
    /** A kilobyte an event, so that the buffers of the kernel are full soon. */
    const LARGE = `subscription { ticks(symbols: ["AAPL"]) { ${Array.from({ length: 40 }, (_, i) => `t${i}: eventTime`).join(' ')} } }`
    /** Subscribes by hand over bare TCP, each step when the one before was answered, and then reads no more. */
    const deaf = async (port: number, ...steps: (string | Buffer)[]) => {
      const socket = connect(port, '127.0.0.1')
      for (const [i, step] of steps.entries()) {
        if (i > 0) await new Promise((resolve) => socket.once('data', resolve))
        socket.write(step)
      }
      socket.pause()
      return socket
    }
    /** Makes every frame one with a two-byte length. */
    const PADDING = { padding: 'x'.repeat(200) }
    const frame = (text: string) => {
      const body = Buffer.from(text)
      // Masked with zeros: the payload stays as it is.
      return Buffer.concat([Buffer.from([0x81, 0xfe, body.length >> 8, body.length & 255, 0, 0, 0, 0]), body])
    }
    const overWebSocket = (port: number) =>
      deaf(
        port,
        'GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n',
        frame(JSON.stringify({ type: 'connection_init', payload: PADDING })),
        frame(JSON.stringify({ id: 'a', type: 'subscribe', payload: { query: LARGE, extensions: PADDING } })),
      )
    const overSse = (port: number) => {
      const body = JSON.stringify({ query: LARGE })
      return deaf(
        port,
        `POST /graphql HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      )
    }

    test.each([
      ['WebSocket', overWebSocket],
      ['SSE', overSse],
    ])('over %s loses its oldest events, is cut off, and disturbs nobody', async (_name, connectDeaf) => {
      const it = await open({ limits: { resultsWaitingMax: 100, stuckLimitMs: 1_000 } })
      const stuck = await connectDeaf(it.gateway.port)
      using reader = subscribe(it.url, TICKS)
      await it.live(2)
      const skipped = async () => (await it.metrics.gatewaySkipped.get()).values[0].value
      const cut = async () => (await it.metrics.gatewayTooSlow.get()).values[0].value
      let told = 0
      // Until the buffers of the kernel are full and ours begins to drop.
      while ((await cut()) === 0) {
        await it.market.tell('AAPL', ...Array.from({ length: 500 }, (_, i) => i + 1))
        told += 500
        await expect.poll(() => reader.events.length, { interval: 1 }).toBe(told)
      }
      expect(await skipped()).toBeGreaterThan(0)
      await it.live(1)
      await it.market.tell('AAPL', 1)
      await expect.poll(() => reader.events.length).toBe(told + 1)
      expect(reader.errors).toEqual([])
      stuck.destroy()
    })
  })

  test('a stop tells WebSocket clients to come back and cuts streams off', async () => {
    const it = await open()
    const closes: number[] = []
    const socket = new WebSocket(it.url.replace('http', 'ws'), 'graphql-transport-ws')
    socket.on('close', (code) => closes.push(code))
    await new Promise((resolve) => socket.once('open', resolve))
    const stream = await fetch(it.url, {
      method: 'POST',
      headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
      body: JSON.stringify({ query: TICKS }),
    })
    await it.live(1)
    const read = stream.text()
    read.catch(() => undefined)
    await it[Symbol.asyncDispose]()
    served = undefined
    expect(closes).toEqual([1001])
    await expect(read).rejects.toThrow()
    await expect(fetch(it.url)).rejects.toThrow()
  })
})
