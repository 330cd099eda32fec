import { PlatformError } from '../../domain/errors.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { Channels, PubSub } from './pubsub.ts'

/** What an adapter does for the hub: one subscription per room, never two calls at once for the same room. */
export interface Backend {
  /** Resolves once what is published to the room arrives. After a rejection nothing of it is left behind. */
  join(room: string): Promise<void>
  /** Never rejects: a room that cannot be left because the backend is away has been left. */
  leave(room: string): Promise<void>
}

interface Listener {
  readonly hear: (event: unknown) => void
  readonly onClosed: (() => void) | undefined
  left: boolean
}

/** Everybody in this process who listens to one channel and key. */
interface Room {
  readonly channel: keyof Channels
  readonly listeners: Set<Listener>
  /** Settles once with the outcome of joining; shared by all who came while it was under way. */
  readonly live: Promise<void>
}

/** Failures of listeners and senders come at the rate of events; the log gets at most one line in this time. */
const COMPLAINT_INTERVAL_MS = 1_000

/**
 * The local half of every PubSub: who listens to what in this process. However many listen, the backend sees one
 * subscription per room, joined by the first and left by the last.
 */
export class Hub {
  readonly #backend: Backend
  readonly #metrics: Metrics
  readonly #log: Log
  readonly #rooms = new Map<string, Room>()
  /** A room is joined again only when leaving it is done, so the backend never sees the two overtake each other. */
  readonly #leaving = new Map<string, Promise<void>>()
  /** Events published by listeners while others still hear the one before. Empty between deliveries. */
  readonly #undelivered: { room: Room; event: unknown }[] = []
  #delivering = false
  #closed = false
  #complaintDueMs = 0

  constructor(backend: Backend, { metrics, log }: { metrics: Metrics; log: Log }) {
    this.#backend = backend
    this.#metrics = metrics
    this.#log = log
  }

  static room = (channel: keyof Channels, key: string): string => `${channel}:${key}`

  get closed(): boolean {
    return this.#closed
  }

  /** The channel of a room somebody listens to. */
  channelOf(room: string): keyof Channels | undefined {
    return this.#rooms.get(room)?.channel
  }

  subscribe: PubSub['subscribe'] = async (channel, key, listener, onClosed) => {
    if (this.#closed) throw closedError()
    const name = Hub.room(channel, key)
    const room = this.#rooms.get(name) ?? this.#open(name, channel)
    const member: Listener = { hear: (event) => listener(event as Channels[typeof channel]), onClosed, left: false }
    // In before the backend answers: another one leaving meanwhile must not find the room empty.
    room.listeners.add(member)
    this.#metrics.pubsubListeners.inc({ channel })
    try {
      await room.live
    } catch (error) {
      await this.#leave(name, room, member)
      throw error
    }
    if (this.#closed) throw closedError()
    return () => this.#leave(name, room, member)
  }

  /** Hands the event to everybody in the room, each event to all before the next one to any. Never throws. */
  deliver(room: string, event: unknown): void {
    const found = this.#rooms.get(room)
    if (!found) return
    this.#undelivered.push({ room: found, event })
    if (this.#delivering) return
    this.#delivering = true
    for (let next = this.#undelivered.shift(); next; next = this.#undelivered.shift()) this.#tell(next.room, next.event)
    this.#delivering = false
  }

  /** Counts what came from outside and is not an event. */
  malformed(channel: keyof Channels, error: unknown): void {
    this.#metrics.pubsubMalformed.inc({ channel })
    this.#complain({ err: error, channel }, 'Dropped a published message that is not an event of its channel')
  }

  /** From now on nobody hears anything. Whoever asked to is told. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    const rooms = [...this.#rooms.values()]
    this.#rooms.clear()
    for (const room of rooms)
      for (const member of room.listeners) {
        this.#forget(room, member)
        this.#guard(room.channel, () => member.onClosed?.())
      }
  }

  #open(name: string, channel: keyof Channels): Room {
    const join = async () => {
      await this.#leaving.get(name)
      await this.#backend.join(name)
    }
    const live = join().catch((error: unknown) => {
      // Before anybody is told: whoever comes after the failure tries anew instead of sharing it.
      if (this.#rooms.get(name) === room) this.#rooms.delete(name)
      throw error
    })
    const room: Room = { channel, listeners: new Set(), live }
    this.#rooms.set(name, room)
    return room
  }

  async #leave(name: string, room: Room, member: Listener): Promise<void> {
    if (!member.left) this.#forget(room, member)
    if (room.listeners.size === 0 && this.#rooms.get(name) === room) {
      this.#rooms.delete(name)
      const left = this.#backend.leave(name).finally(() => {
        if (this.#leaving.get(name) === left) this.#leaving.delete(name)
      })
      this.#leaving.set(name, left)
    }
    await this.#leaving.get(name)
  }

  #forget(room: Room, member: Listener): void {
    member.left = true
    room.listeners.delete(member)
    this.#metrics.pubsubListeners.dec({ channel: room.channel })
  }

  #tell(room: Room, event: unknown): void {
    // A copy: who joins while this event is told hears the next one first, who leaves hears no more.
    for (const member of [...room.listeners]) if (!member.left) this.#guard(room.channel, () => member.hear(event))
  }

  #guard(channel: keyof Channels, call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#metrics.pubsubListenerFailures.inc({ channel })
      this.#complain({ err: error, channel }, 'A listener threw; the others were told')
    }
  }

  #complain(fields: { err: unknown; channel: string }, message: string): void {
    const nowMs = performance.now()
    if (nowMs < this.#complaintDueMs) return
    this.#complaintDueMs = nowMs + COMPLAINT_INTERVAL_MS
    this.#log.warn(fields, message)
  }
}

export const closedError = () => new PlatformError('PUBSUB_UNAVAILABLE', 'The pubsub has been closed')
