import type { Claim } from '../platform/store/stream-checkpoints.ts'
import type { ProcessorOptions } from './options.ts'
import { Signal } from './signal.ts'
import { SourceProgress } from './source-progress.ts'
import type { Work } from './work.ts'

/** One partition from one claim to the next. Once dropped it is never revived: memory proves nothing about ownership. */
export interface Task<State, W extends Work> {
  readonly partition: number
  epoch: number
  /** What the database has. */
  committedOffset: number
  /** What intake has taken. Between the two lies the queue and what a lane has in hand. */
  expectedOffset: number
  /** What is committed and told. */
  toldOffset: number
  progress: SourceProgress
  readonly state: State
  queue: W[]
  queuedCount: number
  dropped: boolean
}

export function openTask<State, W extends Work>(claim: Claim, state: State): Task<State, W> {
  return {
    partition: claim.partition,
    epoch: claim.epoch,
    committedOffset: claim.nextOffset,
    expectedOffset: claim.nextOffset,
    toldOffset: claim.nextOffset,
    progress: new SourceProgress(claim.sources),
    state,
    queue: [],
    queuedCount: 0,
    dropped: false,
  }
}

export type Taken<State, W extends Work> = { readonly task: Task<State, W>; readonly work: W }

type Bounds = Pick<ProcessorOptions, 'lanes' | 'batchSizeMax' | 'waveSizeMax'>

/** The partitions this process works on. */
export class Tasks<State, W extends Work> {
  readonly #byPartition = new Map<number, Task<State, W>>()
  /** Lanes that have something in hand, or have not told it yet. */
  readonly #busy = new Set<number>()
  /** One of them has the work of all lanes. */
  #together = false
  /** Something arrived, left or ended: lanes and intake look again. */
  readonly changed = new Signal()

  get(partition: number): Task<State, W> | undefined {
    return this.#byPartition.get(partition)
  }

  all(): Task<State, W>[] {
    return [...this.#byPartition.values()]
  }

  put(task: Task<State, W>): void {
    this.#byPartition.set(task.partition, task)
    this.changed.notify()
  }

  enqueue(task: Task<State, W>, work: W): void {
    task.queue.push(work)
    task.queuedCount += work.cost
    this.changed.notify()
  }

  drop(task: Task<State, W>, forget = true): void {
    task.dropped = true
    task.queue = []
    task.queuedCount = 0
    if (forget && this.#byPartition.get(task.partition) === task) this.#byPartition.delete(task.partition)
    this.changed.notify()
  }

  dropAll(forget = true): void {
    for (const task of this.all()) this.drop(task, forget)
  }

  /**
   * What waits on this lane, whichever partition, up to the bound: one transaction for all of it. Where nobody has anything in
   * hand and all that waits is little, that is the work of every lane: two small transactions cost nearly twice as much as one.
   */
  take(lane: number, { lanes, batchSizeMax, waveSizeMax }: Bounds): Taken<State, W>[] {
    if (this.#together) return []
    const together = lanes > 1 && this.#busy.size === 0 && this.#waiting() <= waveSizeMax
    const taken = this.#takeOf((partition) => together || partition % lanes === lane, batchSizeMax)
    if (taken.length === 0) return taken
    this.#busy.add(lane)
    this.#together = together
    return taken
  }

  /** All that the lane took is told, or given up. */
  rest(lane: number): void {
    if (!this.#busy.delete(lane) || !this.#together) return
    this.#together = false
    this.changed.notify()
  }

  #waiting(): number {
    let waiting = 0
    for (const task of this.#byPartition.values()) waiting += task.queuedCount
    return waiting
  }

  #takeOf(isOurs: (partition: number) => boolean, sizeMax: number): Taken<State, W>[] {
    const taken: Taken<State, W>[] = []
    let size = 0
    for (const task of this.all()) {
      if (!isOurs(task.partition) || task.dropped) continue
      for (
        let next = task.queue[0];
        next && (taken.length === 0 || size + next.cost <= sizeMax);
        next = task.queue[0]
      ) {
        task.queue.shift()
        task.queuedCount -= next.cost
        size += next.cost
        taken.push({ task, work: next })
      }
      if (task.queue.length > 0) {
        // It did not fit: next time the others go first.
        this.#byPartition.delete(task.partition)
        this.#byPartition.set(task.partition, task)
        break
      }
    }
    return taken
  }
}
