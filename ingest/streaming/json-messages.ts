import type { z } from 'zod'
import { isPlatformError, PlatformError } from '../../domain/errors.ts'
import { issueOf } from '../json-answer.ts'
import { JsonSpans } from '../json-spans.ts'
import { VendorError } from '../vendor-error.ts'
import type { StreamEvent } from './stream-protocol.ts'

export type Message = Readonly<Record<string, unknown>>

/** A frame, from which single items can be put aside as they stand in it. */
export class JsonFrame {
  readonly frame: Buffer
  readonly value: unknown
  readonly vendor: string
  #spans: JsonSpans | undefined

  /** @throws VendorError VENDOR_ANSWER where the frame is no JSON. */
  constructor(vendor: string, frame: Buffer) {
    this.vendor = vendor
    this.frame = frame
    this.value = parsed(vendor, frame)
  }

  /**
   * The items of the frame, or of a list in a message of it, each read on its own. `alone` is the message that would have held
   * nothing but this item, so that it can be read again.
   */
  each(
    items: readonly unknown[],
    read: (item: Message) => readonly StreamEvent[],
    alone: (item: unknown) => unknown,
  ): StreamEvent[] {
    const events: StreamEvent[] = []
    for (const [index, item] of items.entries()) {
      const told = readItem(item, read)
      if (typeof told === 'string')
        events.push({ kind: 'reject', reason: `${this.vendor}: ${told}`, original: this.#alone(items, index, alone) })
      else for (const event of told) events.push(event)
    }
    return events
  }

  #alone(items: readonly unknown[], index: number, alone: (item: unknown) => unknown): Buffer {
    this.#spans ??= new JsonSpans(this.frame, this.value)
    return this.#spans.alone(items, index, alone)
  }
}

/**
 * Reads a frame of JSON: one message, or a list of them. Each is read on its own, so that a bad one is put aside and those
 * beside it are told.
 * @throws VendorError VENDOR_ANSWER where the frame is no JSON.
 */
export function readMessages(
  vendor: string,
  bytes: Buffer,
  read: (message: Message, frame: JsonFrame) => readonly StreamEvent[],
): readonly StreamEvent[] {
  const frame = new JsonFrame(vendor, bytes)
  const isList = Array.isArray(frame.value)
  const messages: readonly unknown[] = Array.isArray(frame.value) ? frame.value : [frame.value]
  return frame.each(
    messages,
    (message) => read(message, frame),
    (message) => (isList ? [message] : message),
  )
}

/** For what one kind of message must hold. @throws INVALID_EVENT */
export function checked<T>(schema: z.ZodType<T>, message: Message): T {
  const result = schema.safeParse(message)
  if (result.success) return result.data
  throw new PlatformError('INVALID_EVENT', issueOf(result.error))
}

function parsed(vendor: string, frame: Buffer): unknown {
  try {
    return JSON.parse(frame.toString('utf8'))
  } catch (cause) {
    throw new VendorError('VENDOR_ANSWER', `${vendor} sent a frame that is no JSON`, { cause, original: frame })
  }
}

/** What it tells, or what is wrong with it. */
function readItem(item: unknown, read: (item: Message) => readonly StreamEvent[]): readonly StreamEvent[] | string {
  if (!isMessage(item)) return 'expected an object'
  try {
    return read(item)
  } catch (error) {
    if (isPlatformError(error, 'INVALID_EVENT')) return error.message
    throw error
  }
}

const isMessage = (value: unknown): value is Message =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
