import type { Consumer } from 'kafkajs'

type TopicPartitions = { topic: string; partitions?: number[] }[]

const EVENTS = [
  'CRASH',
  'FETCH_START',
  'GROUP_JOIN',
  'HEARTBEAT',
  'REBALANCING',
  'REQUEST',
  'REQUEST_TIMEOUT',
  'STOP',
] as const

/**
 * kafkajs' consumer of the topic `ticks`, doing what a test says. A real one would have to be brought to hang, or two of its
 * answers into one packet, which happens only now and then.
 */
export class ScriptedConsumer {
  readonly events = Object.fromEntries(EVENTS.map((name) => [name, name]))
  readonly #listeners = new Map<string, (event: { payload: unknown }) => void>()
  eachBatch: (payload: unknown) => Promise<void> = async () => {
    throw new Error('it has not run')
  }
  readonly paused = new Set<number>()
  readonly seeks: number[] = []
  disconnects = 0
  runs = 0
  readonly connect: () => Promise<void>

  constructor(connect: () => Promise<void> = async () => undefined) {
    this.connect = connect
  }

  /** What kafkajs would have made. */
  get client(): Consumer {
    return this as unknown as Consumer
  }

  on(event: string, listener: (event: { payload: unknown }) => void): void {
    this.#listeners.set(event, listener)
  }
  async subscribe(): Promise<void> {}
  async run({ eachBatch }: { eachBatch: (payload: unknown) => Promise<void> }): Promise<void> {
    this.runs++
    this.eachBatch = eachBatch
  }
  pause([{ partitions = [] }]: TopicPartitions): void {
    for (const partition of partitions) this.paused.add(partition)
  }
  resume([{ partitions = [] }]: TopicPartitions): void {
    for (const partition of partitions) this.paused.delete(partition)
  }
  seek({ offset }: { offset: string }): void {
    this.seeks.push(Number(offset))
  }
  async commitOffsets(): Promise<void> {}
  /** Never ends: the answer that it waits for does not come. */
  disconnect(): Promise<void> {
    this.disconnects++
    return new Promise(() => undefined)
  }

  tells(event: (typeof EVENTS)[number], payload: unknown = {}): void {
    this.#listeners.get(event)?.({ payload })
  }
  joins(partitions: readonly number[]): void {
    this.tells('GROUP_JOIN', { memberAssignment: { ticks: partitions } })
  }
}
