import { PlatformError } from '../../domain/errors.ts'

// Confluent's wire format: 0x00, the schema id as int32 big endian, Avro.
export const FRAME_BYTES = 5

export function frame(schemaId: number, avro: Buffer): Buffer {
  const value = Buffer.allocUnsafe(FRAME_BYTES + avro.length)
  writeFrame(value, schemaId)
  avro.copy(value, FRAME_BYTES)
  return value
}

export function writeFrame(into: Buffer, schemaId: number): void {
  into[0] = 0
  into.writeInt32BE(schemaId, 1)
}

/** @throws UNDECODABLE_EVENT */
export function assertFramed(value: Buffer | null): asserts value is Buffer {
  if (value === null) throw undecodable('there is no value')
  if (value.length < FRAME_BYTES) throw undecodable(`it has only ${value.length} bytes`)
  if (value[0] !== 0) throw undecodable(`its first byte is 0x${value[0].toString(16).padStart(2, '0')}`)
}

/** The id of the schema that wrote the value. */
export const schemaIdOf = (framed: Buffer): number => framed.readInt32BE(1)

export const undecodable = (reason: string, cause?: unknown) =>
  new PlatformError('UNDECODABLE_EVENT', `Expected 0x00, a schema id in four bytes and Avro, but ${reason}`, { cause })

/** Not undecodable yet: the registry may know the id. Ask it by `codec.learn(id)` and decode again. */
export class UnknownSchemaId extends PlatformError {
  readonly id: number

  constructor(id: number) {
    super('SCHEMA_UNKNOWN', `The record was written with schema ${id}, which is not known here`)
    this.id = id
  }
}
