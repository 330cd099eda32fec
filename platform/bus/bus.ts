/**
 * The durable road between stages: at least once, in order per key, partitioned, bounded. What must survive a crash goes
 * here; what is only for those who listen right now goes to `pubsub/`.
 *
 * Bytes in, bytes out. `codec.ts` turns facts into records and back, so that a consumer decodes only what it needs.
 */
export interface EventBus extends AsyncDisposable {
  /** Makes the topics that do not exist yet, with their partitions and settings. Existing ones are left as they are. */
  createTopics(topics: readonly TopicSettings[]): Promise<void>

  /**
   * Resolves when every record is acknowledged (Kafka: by all in-sync replicas). Records of one key keep their order, also
   * over several calls of one bus, as long as each call is awaited before the next. Waits while the bus is at its bound.
   *
   * A rejected call may or may not have been stored. To go on, call again with the very same records: they are stored once
   * where the bus can tell (see the adapters), else the position in each fact tells consumers.
   * @throws BUS_UNAVAILABLE when retries are used up; MESSAGE_TOO_LARGE for a record over the limit (nothing is stored then).
   */
  produce(topic: string, records: readonly OutgoingRecord[]): Promise<void>

  /**
   * Resolves once everything produced before the call would survive a crash of this process: on Kafka at once (it was
   * acknowledged), in memory when every consumer group has processed it, so only while they run. A source's checkpoint may
   * move no further than this. Of one topic, or of all.
   */
  settled(topic?: string): Promise<void>

  /** Joins the group and starts delivering. Resolves when the first assignment has arrived. */
  consume(options: ConsumeOptions): Promise<BusConsumer>

  /** The oldest offset held and the one the next record will get, per partition. */
  offsets(topic: string): Promise<ReadonlyMap<number, OffsetRange>>

  /** Rejects with BUS_UNAVAILABLE and a reason while the bus cannot be reached. For readiness. */
  ping(): Promise<void>
}

export interface TopicSettings {
  readonly name: string
  readonly partitions: number
  /** Counted from the time of producing, never from event time: a replayed tape would be deleted at once. */
  readonly retentionMs: number
  readonly compacted?: boolean
}

export interface OutgoingRecord {
  /** Same key, same partition (murmur2, as Kafka's Java client). */
  readonly key: string
  /** null is a tombstone on compacted topics. */
  readonly value: Buffer | null
  readonly headers?: Readonly<Record<string, string>>
}

export interface BusRecord {
  readonly offset: number
  readonly key: string | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, string>>
}

/** `low` is the oldest offset still held; `high` is the offset that the next record will get. */
export interface OffsetRange {
  readonly low: number
  readonly high: number
}

/** Records of one partition in offset order. Offsets may have gaps (transaction markers, compaction). */
export interface RecordBatch {
  readonly topic: string
  readonly partition: number
  readonly records: readonly BusRecord[]
  /** Where the next batch starts: after the last record, markers that carry none included. */
  readonly nextOffset: number
}

export interface ConsumeOptions {
  readonly group: string
  readonly topic: string
  /**
   * Where to start each partition of a new assignment. Called while nothing of it is delivered; must answer for every
   * partition asked for. `current()` turns false when a newer assignment has taken over: the answer is then thrown away.
   * An offset outside the range ends the consumer through `onFatal` with OFFSET_LOST; the bus never resets silently.
   * Left out: where the group last said `processed`, else the oldest record held.
   */
  readonly position?: (
    ranges: ReadonlyMap<number, OffsetRange>,
    current: () => boolean,
  ) => Promise<ReadonlyMap<number, number>>
  /** Called synchronously, before anything else, when the partitions of this consumer may belong to someone else. */
  readonly onRevoked?: () => void
  /**
   * One call at a time per partition, several partitions at once. While it has not resolved, no more of that partition is
   * fetched: that is the backpressure. Rejecting delivers again from the first record of the batch, after a pause.
   * `current()` turns false when the partition may have gone to another consumer.
   */
  readonly onBatch: (batch: RecordBatch, current: () => boolean) => Promise<void>
  /** The consumer has ended and will not come back by itself. */
  readonly onFatal: (error: Error) => void
  /** Bytes fetched ahead per partition; smaller blocks the event loop for less time. Default 131,072. */
  readonly fetchBytesMax?: number
  /**
   * So long records may be held back to come in larger batches, while there are few of them. Default 0. They may come from
   * another consumer of the process that has just read them.
   */
  readonly lingerMs?: number
}

export interface BusConsumer extends AsyncDisposable {
  /**
   * Everything below the offset is done. Recorded soon (at the latest within two seconds, and at close), not at once:
   * after a crash what lies between is delivered again.
   */
  processed(partition: number, nextOffset: number): void
  /** Stops these partitions, asks `position` again and goes on from there. For the ones still assigned; others are left. */
  reposition(partitions: readonly number[]): void
  /** The partitions assigned now. */
  readonly assigned: readonly number[]
}
