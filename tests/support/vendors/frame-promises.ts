import fc from 'fast-check'
import { expect } from 'vitest'
import { isPlatformError } from '../../../domain/errors.ts'
import type { Conversation, StreamEvent } from '../../../ingest/streaming/stream-protocol.ts'
import { TOPICS } from '../../../platform/bus/topics.ts'
import { mangled } from './mangled.ts'

/**
 * What every conversation promises of any bytes at all: it throws nothing but VENDOR_ANSWER, its facts are valid, and what
 * it puts aside says why.
 */
export function expectFramePromises(frame: Buffer, converse: () => Conversation, receivedAtMs: number): void {
  fc.assert(
    fc.property(mangled(frame), (bytes) => {
      for (const event of eventsOf(converse(), bytes, receivedAtMs)) {
        if (event.kind === 'fact') expectValid(event.fact)
        if (event.kind === 'reject') expect(event.reason).not.toBe('')
        if (event.kind === 'print')
          expect([typeof event.symbol, typeof event.price, typeof event.size]).toEqual(['string', 'number', 'number'])
      }
    }),
    { numRuns: 500 },
  )
}

function eventsOf(conversation: Conversation, frame: Buffer, receivedAtMs: number): readonly StreamEvent[] {
  try {
    return conversation.read(frame, receivedAtMs)
  } catch (error) {
    if (isPlatformError(error, 'VENDOR_ANSWER')) return []
    throw error
  }
}

function expectValid({ topic, event }: Extract<StreamEvent, { kind: 'fact' }>['fact']): void {
  // TypeScript does not see that a topic and its event stay together in a union over both.
  const check = TOPICS[topic].check as (fact: object) => object
  expect(check({ ...event })).toEqual(event)
}
