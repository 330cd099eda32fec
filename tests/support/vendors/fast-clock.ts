import { type Clock, systemClock } from '../../../platform/clock.ts'

export interface FastTime {
  /** What it shows at `realStartMs`. */
  readonly startMs: number
  readonly realStartMs: number
  readonly timesFaster: number
}

/** A day in a minute: vendors' rhythms are hours, and tests of real sockets cannot stand still. The same in every process. */
export const fastClock = ({ startMs, realStartMs, timesFaster }: FastTime): Clock => ({
  now: () => Math.floor(startMs + (Date.now() - realStartMs) * timesFaster),
  sleep: (ms, signal) => systemClock.sleep(ms / timesFaster, signal),
})
