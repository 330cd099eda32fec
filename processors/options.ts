export interface ProcessorOptions {
  /**
   * Database connections, each with a transaction of its own. A partition always uses the same one, but for work of at most
   * `waveSizeMax` records in all: one of them takes it together.
   */
  readonly lanes: number
  /** Records per transaction. */
  readonly batchSizeMax: number
  /** Decoded records that wait per partition. The only buffer, so this bounds the memory. */
  readonly queueSizeMax: number
  /**
   * A batch of at most so many records is stored and told before its partition is read on. What comes at once is little then,
   * and several small waves on their way through one process only slow each other down; more is handled while more is read.
   */
  readonly waveSizeMax: number
  /** Bytes fetched ahead per partition: smaller ones block the event loop for less time. */
  readonly fetchBytesMax: number
  /** A worker frozen inside a transaction holds the lock of its checkpoints: the database ends it after this. */
  readonly transactionTimeoutMs: number
  /** After somebody else claimed a partition that the bus still gives to us: their claim may have been the stale one. */
  readonly orphanedAfterMs: number
  /** A source that was silent in a partition for so long follows its watermark in the others. */
  readonly idleAfterMs: number
  readonly retryMsMax: number
  readonly guards: Guards
}

/** What makes it exact. All on, always; the chaos suite switches one off to prove that it would notice. */
export interface Guards {
  /** Go on from where the database says. Off: from where this process had read to. */
  readonly position: boolean
  /** Move a checkpoint only from the offset that we believe it has. */
  readonly compareAndSet: boolean
  /** Move a checkpoint only under our own claim. */
  readonly epoch: boolean
  /** Forget the state in memory when the partition may have been somebody else's. */
  readonly drop: boolean
}

/** A dropped task is forgotten, but for the two guards that are about what it knew. */
export const forgets = (guards: Guards): boolean => guards.drop && guards.position

const GUARDS: Guards = { position: true, compareAndSet: true, epoch: true, drop: true }

const DEFAULTS: Omit<ProcessorOptions, 'guards'> = {
  lanes: 2,
  batchSizeMax: 20_000,
  queueSizeMax: 40_000,
  waveSizeMax: 200,
  fetchBytesMax: 524_288,
  transactionTimeoutMs: 10_000,
  orphanedAfterMs: 15_000,
  idleAfterMs: 15_000,
  retryMsMax: 5_000,
}

export type ProcessorSettings = Partial<Omit<ProcessorOptions, 'guards'>> & { readonly guards?: Partial<Guards> }

export const processorOptions = (settings: ProcessorSettings = {}): ProcessorOptions => ({
  ...DEFAULTS,
  ...settings,
  guards: { ...GUARDS, ...settings.guards },
})
