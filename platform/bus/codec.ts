import type avro from 'avsc'
import { v5 as uuidv5 } from 'uuid'
import { isPlatformError, PlatformError } from '../../domain/errors.ts'
import type { TickColumns } from '../../domain/tick-columns.ts'
import { type Clock, systemClock } from '../clock.ts'
import type { OutgoingRecord } from './bus.ts'
import { avroType } from './schema-evolution.ts'
import type { SchemaRegistry } from './schema-registry.ts'
import { TickReader, TickWriter } from './tick-wire.ts'
import { type CloudEvent, TOPICS, type Topic, type Topics } from './topics.ts'
import { assertFramed, FRAME_BYTES, frame, schemaIdOf, UnknownSchemaId, undecodable } from './wire-format.ts'

/** Our own name space for event ids: made once, never changed, or the same event would get another id. */
const EVENT_IDS = '3f6d9e1c-6a58-4f0e-9c55-0f4a2f1f6b0d'
/** A stream of records with made-up ids must not fill the memory, nor ask the registry once per record. */
const LEARNT_MAX = 1_000
const ASK_AGAIN_MS = 10_000

/** Registers the schema of every topic under `<topic>-value`. @throws SCHEMA_INCOMPATIBLE, REGISTRY_UNAVAILABLE */
export async function openCodec(registry: SchemaRegistry, clock: Clock = systemClock): Promise<EventCodec> {
  const topics = Object.keys(TOPICS) as Topic[]
  const ids = await Promise.all(
    topics.map((topic) => registry.register(`${topic}-value`, TOPICS[topic].schema, TOPICS[topic].compatibility)),
  )
  return new EventCodec(registry, new Map(topics.map((topic, index) => [topic, ids[index]])), clock)
}

interface TopicType {
  readonly type: avro.Type
  readonly schemaId: number
  /** From other writers' schemas to ours, by their ids. */
  readonly resolvers: Map<number, avro.Resolver>
}

/** Facts to records and back. What it returns is valid; what it throws is a PlatformError that says what was wrong. */
export class EventCodec {
  readonly #registry: SchemaRegistry
  readonly #clock: Clock
  readonly #types: ReadonlyMap<Topic, TopicType>
  readonly #tickReader = new TickReader()
  readonly #tickWriter: TickWriter
  readonly #tickSchemaId: number
  readonly #learnt = new Map<number, avro.Type>()
  readonly #unknownSinceMs = new Map<number, number>()

  /** Use `openCodec`. */
  constructor(registry: SchemaRegistry, schemaIds: ReadonlyMap<Topic, number>, clock: Clock) {
    this.#registry = registry
    this.#clock = clock
    this.#types = new Map(
      [...schemaIds].map(([topic, schemaId]) => [
        topic,
        { type: avroType(TOPICS[topic].schema), schemaId, resolvers: new Map() },
      ]),
    )
    this.#tickSchemaId = this.schemaId('stock-data')
    this.#tickWriter = new TickWriter(this.#tickSchemaId)
  }

  /** What `encode` writes with. */
  schemaId(topic: Topic): number {
    return this.#typeOf(topic).schemaId
  }

  encode<T extends Topic>(topic: T, event: Topics[T]): OutgoingRecord {
    if (topic === 'stock-data') {
      const tick = event as Topics['stock-data']
      return { key: tick.symbol, value: this.#tickWriter.write(tick) }
    }
    const { key, cloudEvent } = TOPICS[topic]
    const { type, schemaId } = this.#typeOf(topic)
    const record = { key: key(event), value: frame(schemaId, type.toBuffer(event)) }
    return cloudEvent ? { ...record, headers: headersOf(cloudEvent(event)) } : record
  }

  /** @throws UNDECODABLE_EVENT, INVALID_EVENT, or UnknownSchemaId: learn the id, then decode again. */
  decode<T extends Topic>(topic: T, value: Buffer | null): Topics[T] {
    assertFramed(value)
    const id = schemaIdOf(value)
    const { type, schemaId } = this.#typeOf(topic)
    const resolver = id === schemaId ? undefined : this.#resolver(topic, id)
    const fields = readAvro<Topics[T]>(type, value, resolver)
    return TOPICS[topic].check(fields)
  }

  /**
   * Appends one row to the columns; nothing when it throws. The hot path of every processor.
   * @throws as `decode`.
   */
  decodeTick(value: Buffer | null, offset: number, into: TickColumns): void {
    assertFramed(value)
    if (schemaIdOf(value) === this.#tickSchemaId) this.#tickReader.append(value, offset, into)
    else into.append(this.decode('stock-data', value), offset)
  }

  /**
   * Asks the registry for the schema with the id; false where it knows none that can be read, for ten seconds
   * without asking again.
   * @throws REGISTRY_UNAVAILABLE
   */
  async learn(id: number): Promise<boolean> {
    if (this.#learnt.has(id)) return true
    const unknownSinceMs = this.#unknownSinceMs.get(id)
    if (unknownSinceMs !== undefined && this.#clock.now() - unknownSinceMs < ASK_AGAIN_MS) return false
    const schema = await this.#registry.schema(id)
    const type = schema === undefined ? undefined : readableType(schema)
    if (type) remember(this.#learnt, id, type)
    else remember(this.#unknownSinceMs, id, this.#clock.now())
    return type !== undefined
  }

  #typeOf(topic: Topic): TopicType {
    const found = this.#types.get(topic)
    if (!found) throw new PlatformError('SCHEMA_UNKNOWN', `The schema of ${topic} was not registered`)
    return found
  }

  #resolver(topic: Topic, writerId: number): avro.Resolver {
    const { type, resolvers } = this.#typeOf(topic)
    const known = resolvers.get(writerId)
    if (known) return known
    const writer = this.#learnt.get(writerId)
    if (!writer) throw new UnknownSchemaId(writerId)
    try {
      const resolver = type.createResolver(writer)
      remember(resolvers, writerId, resolver)
      return resolver
    } catch (cause) {
      throw undecodable(`schema ${writerId} describes no ${type.name} of ${topic}`, cause)
    }
  }
}

/** Undefined where the registry's schema is not one that Avro can use: its records are as lost as those of an unknown id. */
function readableType(schema: string): avro.Type | undefined {
  try {
    return avroType(schema)
  } catch {
    return undefined
  }
}

function readAvro<E>(type: avro.Type, value: Buffer, resolver: avro.Resolver | undefined): E {
  try {
    return plain(type.fromBuffer(value.subarray(FRAME_BYTES), resolver)) as E
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw isPlatformError(cause) ? cause : undecodable(`the Avro is broken: ${reason}`, cause)
  }
}

/** avsc makes records of classes of its own, those within records too; a fact is a plain object. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const copy: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(value)) copy[name] = plain(field)
  return copy
}

/** CloudEvents 1.0, Kafka protocol binding, binary mode. */
const headersOf = (event: CloudEvent): Record<string, string> => ({
  ce_specversion: '1.0',
  ce_id: uuidv5(`${event.source}|${event.naturalKey}`, EVENT_IDS),
  ce_source: event.source,
  ce_type: event.type,
  ce_time: new Date(event.timeMs).toISOString(),
  ce_subject: event.subject,
  'content-type': 'application/avro',
})

function remember<V>(map: Map<number, V>, id: number, value: V): void {
  if (map.size >= LEARNT_MAX) for (const oldest of map.keys()) if (map.delete(oldest)) break
  map.set(id, value)
}
