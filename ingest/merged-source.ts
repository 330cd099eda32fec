import { z } from 'zod'
import { isPlatformError, PlatformError } from '../domain/errors.ts'
import type { VendorName } from '../domain/vendors.ts'
import type { SourceContext } from './catalogue.ts'
import type { Source, SourceBatch } from './source.ts'

export interface MergedSourceOptions {
  readonly name: VendorName
  /** By what they are to their vendor: `stream`, `feeds`. The names are in the checkpoint and must not change. */
  readonly parts: Readonly<Record<string, Source>>
  readonly context: Pick<SourceContext, 'log' | 'tellLack'>
}

/** Where each part goes on; of one that is not read just now, where it did the last time. */
export interface MergedCheckpoint {
  readonly parts: Readonly<Record<string, unknown>>
}

const checkpointSchema = z.object({ parts: z.record(z.string(), z.unknown()) })

/**
 * Several ways to read one vendor, as one source with one checkpoint: its socket beside its HTTP feeds. They take turns, so
 * that none keeps the others waiting. A part that the vendor refuses ends alone, because a plan may include the one and not
 * the other; a key that is refused, and any other failure, ends all of them.
 * @throws what a part throws; what was refused, once no part is left.
 */
export const mergedSource = (options: MergedSourceOptions): Source<MergedCheckpoint> => ({
  name: options.name,
  read: (from, signal) => readParts(options, progressOf(options.name, from), signal),
  saved: (checkpoint) => {
    for (const [label, part] of Object.entries(options.parts))
      if (Object.hasOwn(checkpoint.parts, label)) part.saved?.(checkpoint.parts[label])
  },
  reparse: (feed, original) => {
    for (const part of Object.values(options.parts)) {
      const again = part.reparse?.(feed, original)
      if (again) return again
    }
    return undefined
  },
})

interface Step {
  readonly label: string
  readonly next: IteratorResult<SourceBatch<unknown>, unknown> | { readonly error: unknown }
}

async function* readParts(
  { name, parts, context }: MergedSourceOptions,
  progress: Map<string, unknown>,
  signal: AbortSignal,
): AsyncGenerator<SourceBatch<MergedCheckpoint>> {
  const stop = new AbortController()
  const until = AbortSignal.any([signal, stop.signal])
  const readers = new Map(
    Object.entries(parts).map(([label, part]) => [
      label,
      part.read(progress.get(label), until)[Symbol.asyncIterator](),
    ]),
  )
  // A queue and no race: of a part that is silent for hours, every race that it lost would hold what another part told.
  const steps: Step[] = []
  let stepped = Promise.withResolvers<void>()
  const reading = new Map<string, Promise<void>>()
  const advance = (label: string, reader: AsyncIterator<SourceBatch<unknown>>) =>
    reading.set(
      label,
      stepOf(label, reader).then((step) => {
        steps.push(step)
        stepped.resolve()
      }),
    )
  for (const [label, reader] of readers) advance(label, reader)
  const lacks: string[] = []
  let refused: unknown
  try {
    while (reading.size > 0) {
      const step = steps.shift()
      if (step === undefined) {
        await stepped.promise
        stepped = Promise.withResolvers()
        continue
      }
      const { label, next } = step
      const reader = readers.get(label)
      reading.delete(label)
      if ('error' in next) {
        if (!isRefused(next.error)) throw next.error
        refused = next.error
        const lack = `${label}: ${next.error.message}`
        lacks.push(lack)
        context.log.warn({ source: name, part: label, err: next.error }, `${name} is read without its ${lack}`)
        context.tellLack(name, lacks.join('; '))
      } else if (!next.done && reader) {
        progress.set(label, next.value.checkpoint)
        yield { ...next.value, checkpoint: { parts: Object.fromEntries(progress) } }
        // Only now, behind those that are ready already: it is their turn.
        advance(label, reader)
      }
    }
    if (refused !== undefined && !signal.aborted) throw refused
  } finally {
    stop.abort()
    context.tellLack(name, undefined)
    await Promise.all(reading.values())
    await Promise.allSettled([...readers.values()].map((reader) => reader.return?.()))
  }
}

/** Never rejects, so that a part may fail while nobody waits for it. */
async function stepOf(label: string, reader: AsyncIterator<SourceBatch<unknown>>): Promise<Step> {
  try {
    return { label, next: await reader.next() }
  } catch (error) {
    return { label, next: { error } }
  }
}

/** The vendor does not give us this, but maybe something else. */
const isRefused = (error: unknown): error is PlatformError =>
  isPlatformError(error, 'VENDOR_REFUSED') && !('ofKey' in error && error.ofKey)

function progressOf(name: string, from: unknown): Map<string, unknown> {
  if (from === undefined) return new Map()
  const parsed = checkpointSchema.safeParse(from)
  if (parsed.success) return new Map(Object.entries(parsed.data.parts))
  throw new PlatformError(
    'INVALID_ARGUMENT',
    `The checkpoint of ${name} is not one of its parts: ${parsed.error.message}`,
  )
}
