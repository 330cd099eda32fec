import { isPlatformError } from '../domain/errors.ts'
import type { OutgoingRecord } from '../platform/bus/bus.ts'
import type { Topic, Topics } from '../platform/bus/topics.ts'
import type { Reject, Reparsed, Source } from './source.ts'

/** Where rejects lie until they can be read. */
export interface RejectShelf {
  page(source: string, page: { feed?: string; first: number; after?: number }): Promise<readonly ShelvedReject[]>
  /** Marks them, and what they told is on its way to the bus. */
  replayed(source: string, letters: readonly { position: number; events: readonly ReplayedEvent[] }[]): Promise<void>
}

export interface ShelvedReject {
  readonly position: number
  readonly feed: string | null
  readonly reason: string
  readonly original: Buffer
}

export interface ReplayedEvent extends Required<OutgoingRecord> {
  readonly id: string
  readonly topic: Topic
}

export interface RejectReplay {
  readonly source: Pick<Source, 'name' | 'reparse'>
  /** Only of this feed, where given. */
  readonly feed?: string
  /** Reads and reports; changes nothing. */
  readonly dryRun: boolean
  readonly shelf: RejectShelf
  readonly deadLetters: { append(source: string, rejects: readonly Reject[]): Promise<void> }
  readonly codec: { encode<T extends Topic>(topic: T, event: Topics[T]): OutgoingRecord }
}

export interface ReplayOfFeed {
  readonly feed: string | null
  letters: number
  replayed: number
  facts: number
  /** Why the others stay, and how many for each reason. Beyond REASONS_MAX they are counted under the last. */
  readonly reasons: Map<string, number>
}

const LETTERS_PER_PAGE = 100
export const REASONS_MAX = 20
export const OTHER_REASONS = 'other reasons'

/**
 * Reads the rejects of a source once more, as it is read today. What can be read now goes to the bus by way of the outbox,
 * so it needs a running processor and no bus of its own; the letter is marked with it. What cannot stays as it was.
 * A fact that was told meanwhile is known by its natural key, and told no second time.
 */
export async function replayRejects(run: RejectReplay): Promise<readonly ReplayOfFeed[]> {
  const { source, feed, dryRun, shelf, deadLetters } = run
  const feeds = new Map<string | null, ReplayOfFeed>()
  for (let after: number | undefined, more = true; more; ) {
    const letters = await shelf.page(source.name, {
      first: LETTERS_PER_PAGE,
      ...(feed !== undefined && { feed }),
      ...(after !== undefined && { after }),
    })
    const readings = letters.map((letter) => readAgain(run, letter))
    for (const [index, reading] of readings.entries()) note(feeds, letters[index].feed, reading)
    const read = readings.flatMap((reading) => ('reason' in reading ? [] : [reading]))
    if (!dryRun && read.length > 0) {
      // First what is left of them: a crash in between finds it there, and the letter still to be read.
      await deadLetters.append(
        source.name,
        read.flatMap(({ left }) => left),
      )
      await shelf.replayed(source.name, read)
    }
    after = letters.at(-1)?.position
    more = letters.length === LETTERS_PER_PAGE
  }
  return [...feeds.values()]
}

interface ReadLetter {
  readonly position: number
  readonly events: readonly ReplayedEvent[]
  /** Parts of it that still are no facts. */
  readonly left: readonly Reject[]
}

function readAgain(run: RejectReplay, letter: ShelvedReject): ReadLetter | { readonly reason: string } {
  const { position, feed, original } = letter
  if (feed === null) return { reason: 'it is of no feed: nothing says how to read it alone' }
  const again = parsed(run, feed, original)
  if ('reason' in again) return again
  const same = again.rejects.find((reject) => reject.original.equals(original))
  if (same) return { reason: same.reason }
  const events = again.facts.map((fact, index) => ({
    headers: {},
    ...run.codec.encode(fact.topic, fact.event),
    id: `replay|${run.source.name}|${position}|${index}`,
    topic: fact.topic,
  }))
  return { position, events, left: again.rejects.map((reject) => ({ ...reject, feed })) }
}

function parsed({ source }: RejectReplay, feed: string, original: Buffer): Reparsed | { readonly reason: string } {
  try {
    return source.reparse?.(feed, original) ?? { reason: `${source.name} reads no feed of that name any more` }
  } catch (error) {
    if (!isPlatformError(error)) throw error
    return { reason: error.message }
  }
}

function note(
  feeds: Map<string | null, ReplayOfFeed>,
  feed: string | null,
  reading: ReadLetter | { readonly reason: string },
): void {
  const total = feeds.get(feed) ?? { feed, letters: 0, replayed: 0, facts: 0, reasons: new Map() }
  feeds.set(feed, total)
  total.letters++
  if ('reason' in reading) {
    const reason =
      total.reasons.has(reading.reason) || total.reasons.size < REASONS_MAX ? reading.reason : OTHER_REASONS
    total.reasons.set(reason, (total.reasons.get(reason) ?? 0) + 1)
    return
  }
  total.replayed++
  total.facts += reading.events.length
}
