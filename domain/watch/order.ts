/**
 * A print is out of order where its event time is more than `allowanceMs` before the newest of its source and symbol: the
 * bounded out-of-orderness of watermarks (Flink; Akidau et al., The Dataflow Model, 2015), for each symbol by itself. Nothing
 * else is judged by such a print. Where all prints are late for `lateRunMax` on end, the newest was wrong and they are right.
 */
export interface OrderRule {
  /** 0 to an hour. */
  readonly allowanceMs: number
  /** After one that was told, by the newest event time of the symbol, 1 s to a day. */
  readonly cooldownMs: number
  /** 10 to 1,000,000. */
  readonly lateRunMax: number
}

export const ORDER_RULE: OrderRule = { allowanceMs: 5_000, cooldownMs: 60_000, lateRunMax: 1_000 }

export interface OrderMemory {
  newestMs: number
  /** Prints on end that were late. */
  lateRun: number
  /** The newest event time when the last one was told. */
  lateToldMs: number
}

/** `newest`: in order, or so nearly that nobody minds. `restart`: everything before it is to be forgotten. */
export type Order = 'in order' | 'late' | 'late, not told' | 'restart'

export function judgeOrder(memory: OrderMemory, eventTimeMs: number, rule: OrderRule = ORDER_RULE): Order {
  if (eventTimeMs >= memory.newestMs - rule.allowanceMs) {
    memory.lateRun = 0
    return 'in order'
  }
  if (++memory.lateRun >= rule.lateRunMax) return 'restart'
  if (memory.newestMs - memory.lateToldMs < rule.cooldownMs) return 'late, not told'
  memory.lateToldMs = memory.newestMs
  return 'late'
}
