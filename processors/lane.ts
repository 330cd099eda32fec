import { setImmediate as endOfTurn } from 'node:timers/promises'
import type { PubSub } from '../platform/pubsub/pubsub.ts'
import { type Connection, configureWriter, returnWriter, sqlState } from '../platform/store/connection.ts'
import { appendDeadLetters, type DeadLetter } from '../platform/store/dead-letters.ts'
import { saveKeyedState } from '../platform/store/keyed-state.ts'
import { appendToOutbox } from '../platform/store/outbox.ts'
import type { Move } from '../platform/store/stream-checkpoints.ts'
import { type Context, restart } from './context.ts'
import type { Fold, Owned } from './processor.ts'
import type { Taken } from './task.ts'
import type { Work } from './work.ts'

const RETRY_MS_MIN = 100
/** The data or the statement is at fault, and will be next time. Everything else is weather. */
const DEFECT_STATES = /^(22|23|42|54)/

/** What a transaction came to. */
interface Done<State, W extends Work> {
  readonly moved: ReadonlySet<number>
  readonly owned: readonly Taken<State, W>[]
  readonly fold: Fold<State, W>
}

/**
 * One connection, one transaction at a time: what waits on all its partitions moves together, or not at all. After any
 * error, and where the answer to COMMIT was lost, the tasks are given up and the database is asked.
 */
export class Lane<State, W extends Work> {
  readonly #context: Context<State, W>
  readonly #number: number
  #connection: Connection | undefined
  #failures = 0
  /** Transactions that were committed and are not told yet. */
  #untold = 0
  /** In the order of commits, while the next transaction is already under way; but only one transaction ahead. */
  #telling: Promise<void> = Promise.resolve()

  constructor(context: Context<State, W>, number: number) {
    this.#context = context
    this.#number = number
  }

  /** Ends when the processor stops, after the transaction in hand and its telling. */
  async run(): Promise<void> {
    const { tasks, options, processor, signal } = this.#context
    while (!signal.aborted) {
      // What one fetch has brought arrives partition by partition, and all of it in this turn.
      await endOfTurn()
      // It was told to stop meanwhile, and nobody tells it twice.
      if (signal.aborted) break
      if (this.#untold === 0) tasks.rest(this.#number)
      const taken = tasks.take(this.#number, options)
      if (taken.length === 0) {
        // Listening already, while the connection goes back.
        const changed = tasks.changed.wait()
        if (processor.quiet) await this.#giveBack()
        await changed
        continue
      }
      const tellingBefore = this.#telling
      try {
        await this.#transact(await this.#connect(), taken)
        this.#failures = 0
      } catch (error) {
        this.#recover(taken, error)
      }
      await tellingBefore
    }
    await this.#telling
    // Closed and not handed back: the next one to borrow it would commit as this writer did, and within its limits.
    this.#connection?.release(true)
  }

  async #connect(): Promise<Connection> {
    if (this.#connection) return this.#connection
    const { database, options, processor } = this.#context
    const connection = await database.checkout()
    this.#connection = connection
    await configureWriter(connection, {
      synchronousCommit: processor.synchronousCommit,
      transactionTimeoutMs: options.transactionTimeoutMs,
    })
    return connection
  }

  async #giveBack(): Promise<void> {
    const connection = this.#connection
    this.#connection = undefined
    if (connection) await returnWriter(connection)
  }

  async #transact(connection: Connection, taken: readonly Taken<State, W>[]): Promise<void> {
    const moves = movesOf(taken)
    const { moved, owned, fold } =
      (await this.#inOneStatement(connection, taken, moves)) ?? (await this.#inTransaction(connection, taken, moves))
    this.#committed(fold, owned)
    if (moved.size < moves.length) await this.#fenced(connection, taken, moved)
  }

  /** Undefined where it takes more than one. */
  async #inOneStatement(
    connection: Connection,
    taken: readonly Taken<State, W>[],
    moves: readonly Move[],
  ): Promise<Done<State, W> | undefined> {
    const { checkpoints, processor } = this.#context
    const work = taken.map((each) => each.work)
    if (!processor.isSmall?.(work) || work.some(({ rejects }) => rejects.length > 0)) return undefined
    const fold = processor.begin()
    for (const { task, work } of taken) fold.add({ state: task.state, work })
    const moved = await fold.moveAndWrite?.(connection, checkpoints.moving(moves))
    return moved && { moved, owned: ownedOf(taken, moved), fold }
  }

  async #inTransaction(
    connection: Connection,
    taken: readonly Taken<State, W>[],
    moves: readonly Move[],
  ): Promise<Done<State, W>> {
    const { checkpoints, processor } = this.#context
    await connection.query('BEGIN')
    // First of all: who is not the owner any more learns it before it folds or writes, both owners queue for this one lock,
    // and of a merged transaction the others go on.
    const moved = await checkpoints.move(connection, moves)
    const owned = ownedOf(taken, moved)
    const fold = processor.begin()
    if (owned.length > 0) {
      const work = owned.map(({ task, work }): Owned<State, W> => ({ state: task.state, work }))
      await fold.prepare?.(connection, work)
      for (const each of work) fold.add(each)
      await fold.write(connection)
      await this.#writeEffects(connection, fold, owned)
    }
    await connection.query(owned.length > 0 ? 'COMMIT' : 'ROLLBACK')
    return { moved, owned, fold }
  }

  async #writeEffects(connection: Connection, fold: Fold<State, W>, owned: readonly Taken<State, W>[]): Promise<void> {
    const { name, topic } = this.#context.processor
    await saveKeyedState(connection, name, topic, fold.stateChanges)
    await appendToOutbox(connection, fold.events)
    const letters = owned.flatMap(({ work }) => work.rejects.map((reject) => letterOf(work.partition, reject)))
    await appendDeadLetters(connection, name, topic, topic, letters)
  }

  #committed(fold: Fold<State, W>, owned: readonly Taken<State, W>[]): void {
    const { consumer, metrics, onEvents, processor, tasks } = this.#context
    const labels = { processor: processor.name }
    let rejects = 0
    for (const { task, work } of owned) {
      task.committedOffset = work.nextOffset
      if (!task.dropped) consumer()?.processed(work.partition, work.nextOffset)
      metrics.processorRecords.inc(labels, work.records)
      metrics.processorDuplicates.inc(labels, work.duplicates)
      for (const { code } of work.rejects) metrics.processorDeadLetters.inc({ ...labels, code })
      rejects += work.rejects.length
    }
    if (owned.length > 0) metrics.processorTransactions.inc(labels)
    metrics.processorLate.inc(labels, fold.lateCount)
    if (fold.events.length > 0 || rejects > 0) onEvents()
    tasks.changed.notify()
    this.#untold++
    this.#telling = this.#telling.then(() => this.#tell(fold, owned))
  }

  /** Stored, so now it may be told. Never rejects. */
  async #tell(fold: Fold<State, W>, owned: readonly Taken<State, W>[]): Promise<void> {
    const { clock, log, metrics, processor, publish, tasks } = this.#context
    const safely: PubSub['publish'] = (channel, key, event) =>
      publish(channel, key, event).catch((error: unknown) =>
        log.debug({ err: error, channel }, 'an event was stored and could not be told'),
      )
    await fold.tell(safely)
    for (const { task, work } of owned) {
      task.toldOffset = work.nextOffset
      if (work.oldestIngestTimeMs !== undefined)
        metrics.processorLatency.observe(
          { processor: processor.name },
          Math.max(0, clock.now() - work.oldestIngestTimeMs) / 1000,
        )
    }
    this.#untold--
    tasks.changed.notify()
  }

  /**
   * Our claim, but another offset: the database crashed and lost commits that we had seen. Start again from what it has.
   * Another claim: the bus will tell soon who owns the partition; to claim it back now would fence the rightful owner.
   */
  async #fenced(connection: Connection, taken: readonly Taken<State, W>[], moved: ReadonlySet<number>): Promise<void> {
    const { checkpoints, log, metrics, options, processor } = this.#context
    const fenced = [...new Set(taken.map(({ task }) => task))].filter((task) => !moved.has(task.partition))
    const epochs = await checkpoints.epochs(
      connection,
      fenced.map((task) => task.partition),
    )
    const ours = fenced.filter((task) => epochs.get(task.partition) === task.epoch)
    for (const [why, tasks, delayMs] of [
      ['offset', ours, 0],
      ['epoch', fenced.filter((task) => !ours.includes(task)), options.orphanedAfterMs],
    ] as const) {
      const live = tasks.filter((task) => !task.dropped).map((task) => task.partition)
      metrics.processorFenced.inc({ processor: processor.name, why }, tasks.length)
      if (live.length === 0) continue
      log.warn({ processor: processor.name, partitions: live, why }, 'the checkpoint is not where we left it')
      restart(this.#context, live, delayMs)
    }
  }

  #recover(taken: readonly Taken<State, W>[], error: unknown): void {
    const { fail, log, metrics, options, processor, signal } = this.#context
    this.#connection?.release(true)
    this.#connection = undefined
    metrics.processorRollbacks.inc({ processor: processor.name })
    if (isDefect(error)) fail(error)
    if (signal.aborted) return
    log.warn({ err: error, processor: processor.name }, 'a transaction failed or is in doubt, starting again')
    const delayMs = Math.min(RETRY_MS_MIN * 2 ** this.#failures++, options.retryMsMax)
    const live = new Set(taken.filter(({ task }) => !task.dropped).map(({ task }) => task.partition))
    if (live.size > 0) restart(this.#context, [...live], delayMs)
  }
}

const ownedOf = <State, W extends Work>(taken: readonly Taken<State, W>[], moved: ReadonlySet<number>) =>
  taken.filter(({ work }) => moved.has(work.partition))

/** Several pieces of work of one partition are one move. In order of partitions, so that lanes never wait in a circle. */
function movesOf<State, W extends Work>(taken: readonly Taken<State, W>[]): Move[] {
  const moves = new Map<number, Move>()
  for (const { task, work } of taken)
    moves.set(work.partition, {
      partition: work.partition,
      epoch: task.epoch,
      fromOffset: task.committedOffset,
      toOffset: work.nextOffset,
      sources: work.sources,
    })
  return [...moves.values()].sort((a, b) => a.partition - b.partition)
}

const letterOf = (partition: number, { record, code, reason }: Work['rejects'][number]): DeadLetter => ({
  partition,
  offset: record.offset,
  code,
  reason,
  key: record.key,
  value: record.value,
  headers: record.headers,
})

const isDefect = (error: unknown): error is Error =>
  error instanceof TypeError ||
  error instanceof RangeError ||
  error instanceof ReferenceError ||
  (error instanceof Error && DEFECT_STATES.test(sqlState(error) ?? ''))
