import type { Fact } from '../../platform/bus/topics.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import type { StreamBounds } from './bounds.ts'
import type { StreamCheckpoint } from './checkpoint.ts'
import type { Outlet, Waiting } from './outlet.ts'
import type { Heartbeat, Print, StreamProtocol } from './stream-protocol.ts'

/** What becomes of prints between the socket and the reader: one book per numbering, made anew for each reading. */
export interface PrintBook {
  print(print: Print, frame: Buffer, receivedAtMs: number): void
  /** Told already: where a vendor tells prices in place of prints, they say how far it was heard. */
  fact(fact: Fact, receivedAtMs: number): void
  heartbeat(heartbeat: Heartbeat, receivedAtMs: number): void
  /** `awayMs`: how long nothing could be heard. */
  connected(nowMs: number, awayMs: number): void
  tick(nowMs: number): void
  /** The reader takes these; from now on the checkpoint is after them. */
  taken(told: Waiting): void
  checkpoint(): StreamCheckpoint
  /** Resolves when nothing runs any more; soon after the signal aborted. */
  ended(): Promise<void>
}

export interface PrintBookContext {
  readonly name: string
  readonly protocol: StreamProtocol
  readonly outlet: Outlet
  readonly bounds: StreamBounds
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly signal: AbortSignal
  /** The vendor has said that it does not have it. */
  isUnknown(symbol: string): boolean
  /** A fault of ours: it ends the source. */
  failed(error: unknown): void
}
