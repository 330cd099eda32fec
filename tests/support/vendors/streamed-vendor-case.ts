import type { Rate, StreamProtocol } from '../../../ingest/streaming/stream-protocol.ts'
import type { VendorAnswer } from './faults.ts'
import type { VendorCase } from './polled-reader.ts'
import type { VendorQuestion } from './vendor-server.ts'

/** A vendor that is listened to, as `tests/contract/streamed-sources.test.ts` runs it against a server of ours. */
export interface StreamedVendorCase extends VendorCase {
  /**
   * `trade-id`: after whatever happened every print has come, once. `time`: the same, but that of a frame which is lost on an
   * open connection nobody knows. `arrival`: what was printed while nobody was connected is gone, and a GAP says so.
   */
  readonly numbering: StreamProtocol['numbering']
  /** `quotes`: it tells prices as of their second, without a size or a number. Default: ticks. */
  readonly tells?: 'ticks' | 'quotes'
  /** Must be seen nowhere but in what is sent to the vendor; empty where the vendor needs none. */
  readonly keys: readonly string[]
  /** What the vendor's documentation allows, measured at the server. */
  readonly limits: {
    /** Connections tried. */
    readonly attempts: Rate
    /** Messages of the client on one connection. */
    readonly messages: Rate
    /** Sockets open at a time. */
    readonly sockets: number
  }
  /** When it is as the test begins: a moment at which the vendor's markets are open. */
  readonly startMs: number
  /** How fast time goes, so that a mute socket is given up within seconds. */
  readonly timesFaster: number
  /** Below the server's address, what the source is given as the vendor's; empty where that has no path. */
  readonly socketPath: string
  /** Paths of sockets that the source opens beside the one for trades, each with the same limits. */
  readonly besidePaths?: readonly string[]
  /** A frame that says that something went wrong, but ends nothing. */
  readonly complaint: string
  /** The vendor at its best. Each world has its own. */
  readonly fake: () => StreamFake
}

export interface StreamFake {
  /** The vendor's side of one connection that was just opened at that path; `say` sends a frame. */
  readonly converse: (say: (frame: string) => void, path: string) => FakeConversation
  /** The vendor's HTTP side. */
  readonly answer: (question: VendorQuestion, tape: FakeTape) => VendorAnswer
}

export interface FakeConversation {
  readonly hear: (frame: string) => void
  /** Told from now on: nothing before the client subscribed. */
  readonly frameOf: (print: FakePrint) => string | undefined
  /** What is said once a second while nothing trades, such as a heartbeat. */
  readonly alive?: (tape: FakeTape) => readonly string[]
}

/** A trade as the venue has it. */
export interface FakePrint {
  readonly symbol: string
  /** 1, 2, 3 … in each symbol. */
  readonly id: number
  readonly price: number
  readonly size: number
  readonly eventTimeMs: number
}

/** What the venue still knows of its trades, oldest first. */
export type FakeTape = (symbol: string) => readonly FakePrint[]
