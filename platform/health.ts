import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { isPlatformError, PlatformError } from '../domain/errors.ts'
import { type Clock, systemClock } from './clock.ts'
import { cannotListen } from './listening.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

/** A dependency that has not answered by then is not ready. */
export const CHECK_TIMEOUT_MS = 2_000
/** Answers are this old at most; probes more often than that do not reach the dependencies. */
export const READY_MAX_AGE_MS = 1_000

export interface CheckResult {
  readonly ok: boolean
  readonly reason?: string
}

export interface Readiness {
  readonly ok: boolean
  readonly status: 'ready' | 'not ready' | 'draining'
  readonly checks: Readonly<Record<string, CheckResult>>
  /** What an operator wants to see beside it. Nothing here makes us not ready. */
  readonly details?: Readonly<Record<string, unknown>>
}

/**
 * Live: the process runs and answers, which is all a restart could mend. Ready: what it depends on answers too, so work
 * may be sent here. A dependency that is away makes us not ready, never not live.
 */
export class Health {
  readonly #checks = new Map<string, () => Promise<void>>()
  readonly #details = new Map<string, () => unknown>()
  /** A check that hangs is not started again until it has come back. */
  readonly #running = new Map<string, Promise<CheckResult>>()
  readonly #clock: Clock
  readonly #log: Log
  #latest: { readonly askedMs: number; readonly answer: Promise<Readiness> } | undefined
  #draining = false

  constructor({ log, clock = systemClock }: { log: Log; clock?: Clock }) {
    this.#clock = clock
    this.#log = log
  }

  /** The check resolves while its dependency answers and rejects with the reason while it does not. */
  addCheck(name: string, check: () => Promise<void>): void {
    if (this.#checks.has(name)) throw new PlatformError('INVALID_ARGUMENT', `There is already a check named ${name}`)
    this.#checks.set(name, check)
    this.#latest = undefined
  }

  /** Shown in the answer as it is then, and changes nothing about it. */
  addDetail(name: string, detail: () => unknown): void {
    this.#details.set(name, detail)
    this.#latest = undefined
  }

  /** From now on no new work may be sent here; what is under way goes on. */
  startDraining(): void {
    this.#draining = true
  }

  live(): { readonly ok: true; readonly status: 'live' } {
    return { ok: true, status: 'live' }
  }

  async ready(): Promise<Readiness> {
    if (this.#draining) return { ok: false, status: 'draining', checks: {} }
    const nowMs = this.#clock.now()
    if (!this.#latest || nowMs - this.#latest.askedMs >= READY_MAX_AGE_MS)
      this.#latest = { askedMs: nowMs, answer: this.#ask() }
    return this.#latest.answer
  }

  async #ask(): Promise<Readiness> {
    const results = await Promise.all(
      [...this.#checks].map(async ([name, check]) => [name, await this.#withinLimit(name, check)] as const),
    )
    const ok = results.every(([, result]) => result.ok)
    const details = Object.fromEntries(Array.from(this.#details, ([name, detail]) => [name, detail()]))
    return {
      ok,
      status: ok ? 'ready' : 'not ready',
      checks: Object.fromEntries(results),
      ...(this.#details.size > 0 && { details }),
    }
  }

  async #withinLimit(name: string, check: () => Promise<void>): Promise<CheckResult> {
    let running = this.#running.get(name)
    if (!running) {
      running = this.#run(name, check).finally(() => this.#running.delete(name))
      this.#running.set(name, running)
    }
    const answered = new AbortController()
    const late = this.#clock
      .sleep(CHECK_TIMEOUT_MS, answered.signal)
      .then((): CheckResult => ({ ok: false, reason: `No answer within ${CHECK_TIMEOUT_MS} ms` }))
    const result = await Promise.race([running, late])
    answered.abort()
    return result
  }

  async #run(name: string, check: () => Promise<void>): Promise<CheckResult> {
    try {
      await check()
      return { ok: true }
    } catch (error) {
      if (isPlatformError(error)) return { ok: false, reason: withoutCredentials(error.message) }
      // Only our own sentences are known to hold nothing secret.
      this.#log.warn({ err: error, check: name }, 'A readiness check failed')
      return { ok: false, reason: 'Failed; the reason is in the log' }
    }
  }
}

const withoutCredentials = (text: string) => text.replaceAll(/\/\/[^\s/@]*@/g, '//…@')

/** Answers GET /live, /ready and /metrics and returns true; leaves every other path to the caller and returns false. */
export function opsHandler({ health, metrics }: { health: Health; metrics: Metrics }) {
  const answers: Record<string, () => Promise<Answer>> = {
    '/live': async () => json(health.live()),
    '/ready': async () => json(await health.ready()),
    '/metrics': async () => ({ code: 200, type: metrics.registry.contentType, body: await metrics.registry.metrics() }),
  }
  return (request: IncomingMessage, response: ServerResponse): boolean => {
    const path = (request.url ?? '').split('?', 1)[0] ?? ''
    const answer = Object.hasOwn(answers, path) ? answers[path] : undefined
    if (!answer) return false
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      send(request, response, { code: 405, type: 'text/plain', body: 'Only GET and HEAD are answered here\n' })
    } else {
      answer().then(
        (found) => send(request, response, found),
        () => send(request, response, { code: 500, type: 'text/plain', body: 'This could not be read\n' }),
      )
    }
    return true
  }
}

interface Answer {
  readonly code: number
  readonly type: string
  readonly body: string
}

const json = ({ ok, ...shown }: { ok: boolean }): Answer => ({
  code: ok ? 200 : 503,
  type: 'application/json',
  body: `${JSON.stringify(shown)}\n`,
})

function send(request: IncomingMessage, response: ServerResponse, { code, type, body }: Answer): void {
  response.writeHead(code, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

const OPS_CONNECTIONS_MAX = 64
const OPS_REQUEST_TIMEOUT_MS = 10_000

export interface OpsServer extends AsyncDisposable {
  /** The one it got, where 0 was asked for. */
  readonly port: number
}

/** For roles that serve nothing else over HTTP. @throws INVALID_CONFIG where the port cannot be had. */
export async function startOpsServer(options: {
  readonly port: number
  readonly host: string
  readonly health: Health
  readonly metrics: Metrics
}): Promise<OpsServer> {
  const answer = opsHandler(options)
  const server = createServer({ requestTimeout: OPS_REQUEST_TIMEOUT_MS }, (request, response) => {
    if (answer(request, response)) return
    send(request, response, { code: 404, type: 'text/plain', body: 'Here are only /live, /ready and /metrics\n' })
  })
  server.maxConnections = OPS_CONNECTIONS_MAX
  try {
    server.listen(options.port, options.host)
    await once(server, 'listening')
  } catch (cause) {
    throw cannotListen('The operations endpoints', options.host, options.port, cause)
  }
  const address = server.address()
  return {
    port: address !== null && typeof address === 'object' ? address.port : options.port,
    async [Symbol.asyncDispose]() {
      const closed = Promise.withResolvers<void>()
      server.close(() => closed.resolve())
      server.closeAllConnections()
      await closed.promise
    },
  }
}
