import { type Clock, systemClock } from '../../../platform/clock.ts'

export interface FastTime {
  /** What it shows at `realStartMs`. */
  readonly startMs: number
  readonly realStartMs: number
  readonly timesFaster: number
}

/**
 * An answer of a server on this machine takes no longer, also where many tests run at once on a slow one. What we give up
 * before the server has come round to it would be counted by both at different times.
 */
const ANSWER_MS_MAX = 3_000

/** A day in a minute: vendors' rhythms are hours, and tests of real sockets cannot stand still. The same in every process. */
export const fastClock = ({ startMs, realStartMs, timesFaster }: FastTime): Clock => ({
  now: () => Math.floor(startMs + (Date.now() - realStartMs) * timesFaster),
  sleep: (ms, signal) => systemClock.sleep(ms / timesFaster, signal),
  wallMs: (ms) => Math.min(ms, Math.max(ms / timesFaster, ANSWER_MS_MAX)),
})
