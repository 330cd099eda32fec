import type { z } from 'zod'
import { isPlatformError, PlatformError } from '../../domain/errors.ts'
import { issueOf } from '../json-answer.ts'
import { VendorError } from '../vendor-error.ts'
import type { StreamEvent } from './stream-protocol.ts'

export type Message = Readonly<Record<string, unknown>>

/**
 * Reads a frame of JSON: one message, or a list of them. Each is read on its own, so that a bad one is put aside and those
 * beside it are told.
 * @throws VendorError VENDOR_ANSWER where the frame is no JSON.
 */
export function readMessages(
  vendor: string,
  frame: Buffer,
  read: (message: Message) => readonly StreamEvent[],
): readonly StreamEvent[] {
  const value = parsed(vendor, frame)
  if (Array.isArray(value)) return readEach(vendor, value, read, (message) => aloneIn(frame, [message]))
  return readEach(vendor, [value], read, () => frame)
}

/** The items of a list in a message. `original` is what is put aside of an item, so that it can be read again. */
export function readEach(
  vendor: string,
  items: readonly unknown[],
  read: (item: Message) => readonly StreamEvent[],
  original: (item: unknown) => Buffer,
): StreamEvent[] {
  const events: StreamEvent[] = []
  for (const item of items) {
    const told = readItem(item, read)
    if (typeof told === 'string')
      events.push({ kind: 'reject', reason: `${vendor}: ${told}`, original: original(item) })
    else for (const event of told) events.push(event)
  }
  return events
}

/** A frame of its own for one item; the whole frame where the item is nested too deeply to be written. */
export function aloneIn(frame: Buffer, alone: unknown): Buffer {
  try {
    return Buffer.from(JSON.stringify(alone))
  } catch (error) {
    if (error instanceof RangeError) return frame
    throw error
  }
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
