import RequestQueue from 'kafkajs/src/network/requestQueue/index.js'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import './kafka-pending-requests.ts'

const silent = { debug: () => undefined, warn: () => undefined }

/** The requests of one connection, of which `sent` have left. */
function openConnection(maxInFlightRequests: number | null = null) {
  const queue = new RequestQueue({
    maxInFlightRequests,
    requestTimeout: 10_000,
    enforceRequestTimeout: false,
    clientId: 'test',
    broker: 'kafka:9092',
    logger: silent,
    isConnected: () => true,
  })
  const sent: number[] = []
  const ask = (correlationId: number) =>
    queue.push({
      entry: { correlationId, apiName: 'Fetch', resolve: () => undefined, reject: () => undefined },
      expectResponse: true,
      sendRequest: () => sent.push(correlationId),
    })
  const answer = (correlationId: number) => queue.fulfillRequest({ correlationId, payload: Buffer.alloc(0), size: 0 })
  return { queue, sent, ask, answer }
}

describe('requests that wait on a connection to Kafka', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('where none waits, nobody looks again', () => {
    const { sent, ask, answer } = openConnection()
    ask(1)
    answer(1)
    expect(sent).toEqual([1])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('one that waits for an answer to another leaves when that has come', () => {
    const { sent, ask, answer } = openConnection(1)
    ask(1)
    ask(2)
    expect(sent).toEqual([1])
    answer(1)
    expect(sent).toEqual([1, 2])
  })

  test('one that waits because the broker throttles us leaves when it may', () => {
    const { queue, sent, ask } = openConnection()
    queue.maybeThrottle(500)
    ask(1)
    vi.advanceTimersByTime(499)
    expect(sent).toEqual([])
    vi.advanceTimersByTime(1)
    expect(sent).toEqual([1])
    vi.advanceTimersByTime(100)
    expect(vi.getTimerCount()).toBe(0)
  })
})
