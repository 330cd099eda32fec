import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Metrics } from '../platform/metrics.ts'

export interface EventStreamLimits {
  /** So long a client may leave what waits for it unread. */
  readonly stuckLimitMs: number
}

/** Subscriptions over SSE as connections: who does not read is cut off, and so is everybody when the gateway stops. */
export class EventStreams {
  /** Since when each has waited for its client, or undefined while it flows. */
  readonly #open = new Map<ServerResponse, number | undefined>()
  readonly #limits: EventStreamLimits
  readonly #metrics: Metrics
  readonly #timer: NodeJS.Timeout

  constructor(limits: EventStreamLimits, metrics: Metrics) {
    this.#limits = limits
    this.#metrics = metrics
    this.#timer = setInterval(() => this.#cutTheStuck(), Math.min(1_000, limits.stuckLimitMs)).unref()
  }

  watch(request: IncomingMessage, response: ServerResponse): void {
    if (!request.headers.accept?.includes('text/event-stream')) return
    this.#open.set(response, undefined)
    response.on('drain', () => this.#open.set(response, undefined))
    response.once('close', () => this.#open.delete(response))
  }

  close(): void {
    clearInterval(this.#timer)
    for (const response of this.#open.keys()) response.destroy()
  }

  #cutTheStuck(): void {
    const nowMs = performance.now()
    for (const [response, sinceMs] of this.#open) {
      if (!response.writableNeedDrain) continue
      if (sinceMs === undefined) this.#open.set(response, nowMs)
      else if (nowMs - sinceMs > this.#limits.stuckLimitMs) {
        this.#metrics.gatewayTooSlow.inc()
        response.destroy()
      }
    }
  }
}
