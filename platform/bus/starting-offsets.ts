import { isPlatformError, PlatformError } from '../../domain/errors.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { backOffMs } from './back-off.ts'
import type { ConsumeOptions, OffsetRange } from './bus.ts'

export interface StartingOffsets {
  readonly group: string
  readonly topic: string
  readonly partitions: readonly number[]
  readonly ranges: () => Promise<ReadonlyMap<number, OffsetRange>>
  readonly position: ConsumeOptions['position']
  /** Where the group last said `processed`; asked where there is no `position`. */
  readonly processed: () => Promise<ReadonlyMap<number, number>>
  readonly current: () => boolean
  readonly clock: Clock
  readonly log: Log
}

/**
 * A position beyond the end may only seem so: the end was read before the position, which can take long and is moved on by
 * others meanwhile; and a broker that was killed tells an end that lags until it has read its log again.
 */
const BEYOND_END_MS_MAX = 5_000

/**
 * Where to start each partition of a new assignment; undefined once a newer assignment has taken over. Tries again while
 * the bus or whoever knows the position cannot be asked: an assignment without a position delivers nothing.
 * @throws OFFSET_LOST, or what `position` threw where that cannot succeed later
 */
export async function startingOffsets(asked: StartingOffsets): Promise<ReadonlyMap<number, number> | undefined> {
  const { group, topic, current, clock, log } = asked
  for (let attempt = 1; current(); attempt++) {
    try {
      const ranges = await rangesOf(asked)
      const known = asked.position ? await asked.position(ranges, current) : await asked.processed()
      const reaching = await reachingTo(asked, known, ranges)
      return current() ? checked(asked, reaching, known) : undefined
    } catch (error) {
      if (isPlatformError(error) && !error.retryable) throw error
      if (current()) log.warn({ err: error, group, topic, attempt }, 'cannot tell yet where to start reading')
      await clock.sleep(backOffMs(attempt))
    }
  }
  return undefined
}

type Ranges = ReadonlyMap<number, OffsetRange>

async function rangesOf({ ranges, partitions, topic }: StartingOffsets): Promise<Ranges> {
  const held = await ranges()
  return new Map(partitions.map((partition) => [partition, rangeOf(held, topic, partition)]))
}

/** The ranges, asked again for a while where a position lies beyond its end. */
async function reachingTo(asked: StartingOffsets, known: ReadonlyMap<number, number>, ranges: Ranges): Promise<Ranges> {
  const untilMs = asked.clock.now() + BEYOND_END_MS_MAX
  let held = ranges
  const beyond = () => [...held].some(([partition, { high }]) => (known.get(partition) ?? high) > high)
  for (let attempt = 1; beyond() && asked.current(); attempt++) {
    if (attempt > 1) {
      if (asked.clock.now() >= untilMs) break
      await asked.clock.sleep(backOffMs(attempt))
    }
    held = await rangesOf(asked)
  }
  return held
}

function rangeOf(held: ReadonlyMap<number, OffsetRange>, topic: string, partition: number): OffsetRange {
  const range = held.get(partition)
  if (!range) throw new PlatformError('BUS_UNAVAILABLE', `The bus did not tell the offsets of ${topic}[${partition}]`)
  return range
}

function checked(
  { group, topic, position }: StartingOffsets,
  ranges: Ranges,
  known: ReadonlyMap<number, number>,
): ReadonlyMap<number, number> {
  return new Map(
    [...ranges].map(([partition, range]) => {
      const offset = known.get(partition) ?? (position ? Number.NaN : range.low)
      if (!(offset >= range.low && offset <= range.high)) throw offsetLost(group, topic, partition, offset, range)
      return [partition, offset]
    }),
  )
}

export const offsetLost = (group: string, topic: string, partition: number, offset: number, range: OffsetRange) =>
  new PlatformError(
    'OFFSET_LOST',
    `${group} must go on at offset ${offset} of ${topic}[${partition}], but the bus holds ${range.low} to ${range.high}: ` +
      'what lies between was deleted or never came. Nothing was reset; decide where to go on, then start again',
  )
