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
 * Where to start each partition of a new assignment; undefined once a newer assignment has taken over. Tries again while
 * the bus or whoever knows the position cannot be asked: an assignment without a position delivers nothing.
 * @throws OFFSET_LOST, or what `position` threw where that cannot succeed later
 */
export async function startingOffsets(asked: StartingOffsets): Promise<ReadonlyMap<number, number> | undefined> {
  const { group, topic, partitions, current, clock, log } = asked
  for (let attempt = 1; current(); attempt++) {
    try {
      const held = await asked.ranges()
      const ranges = new Map(partitions.map((partition) => [partition, rangeOf(held, topic, partition)]))
      const known = asked.position ? await asked.position(ranges, current) : await asked.processed()
      return current() ? checked(asked, ranges, known) : undefined
    } catch (error) {
      if (isPlatformError(error) && !error.retryable) throw error
      if (current()) log.warn({ err: error, group, topic, attempt }, 'cannot tell yet where to start reading')
      await clock.sleep(backOffMs(attempt))
    }
  }
  return undefined
}

function rangeOf(held: ReadonlyMap<number, OffsetRange>, topic: string, partition: number): OffsetRange {
  const range = held.get(partition)
  if (!range) throw new PlatformError('BUS_UNAVAILABLE', `The bus did not tell the offsets of ${topic}[${partition}]`)
  return range
}

function checked(
  { group, topic, position }: StartingOffsets,
  ranges: ReadonlyMap<number, OffsetRange>,
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
