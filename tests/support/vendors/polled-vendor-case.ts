import type { QuotaWindow } from '../../../ingest/quota/quota.ts'
import { type Fact, TOPICS } from '../../../platform/bus/topics.ts'
import type { Clock } from '../../../platform/clock.ts'
import type { VendorAnswer } from './faults.ts'
import type { VendorCase } from './polled-reader.ts'
import type { VendorQuestion } from './vendor-server.ts'

/** A vendor that is polled, as `tests/contract/polled-sources.test.ts` runs it against a server of ours. */
export interface PolledVendorCase extends VendorCase {
  /** Must be seen nowhere but in requests; empty where the vendor needs none. */
  readonly keys: readonly string[]
  /** Which key a request was made with. */
  readonly keyOf?: (question: VendorQuestion) => string | undefined
  /** What the vendor's documentation allows one key, measured at the server. */
  readonly limits: readonly QuotaWindow[]
  /** When it is as the test begins: a moment at which the vendor has something to tell. */
  readonly startMs: number
  /** How fast time goes, so that the vendor is asked a few times a second. */
  readonly timesFaster: number
  /** What the vendor sends with status 200 and means as an error that passes by itself. */
  readonly errorBody: string
  /** The vendor at its best. Each world has its own. */
  readonly fake: (clock: Clock) => VendorFake
}

export interface VendorFake {
  readonly answer: (question: VendorQuestion) => VendorAnswer
  /** `nameOf` all facts that whoever reads it for long enough must have heard of, of those there were by then. */
  readonly told: (nowMs: number) => readonly string[]
  /** All of that was there at the start; what comes later is of its moment, such as a quote, and is heard then or never. */
  readonly isToldAtFirst?: boolean
}

/** A fact's natural key with its topic: what processors know it by. */
export function nameOf(fact: Fact): string {
  const { cloudEvent } = TOPICS[fact.topic]
  // TypeScript does not see that a topic and its event stay together in a union over both.
  const { source, naturalKey } = (cloudEvent as (event: Fact['event']) => { source: string; naturalKey: string })(
    fact.event,
  )
  return `${fact.topic} ${source} ${naturalKey}`
}
