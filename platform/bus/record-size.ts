import { PlatformError } from '../../domain/errors.ts'
import type { OutgoingRecord } from './bus.ts'

/** Kafka's default limit of a batch is 1 MiB and 12 bytes; the rest is room for the frame around a batch of one. */
export const RECORD_BYTES_MAX = 1_048_576 - 512
/** What Kafka writes around a record: lengths, attributes, deltas. */
const RECORD_FRAME_BYTES = 32
const HEADER_FRAME_BYTES = 8

/** At least what the record takes on the wire. */
export function recordBytes(record: OutgoingRecord): number {
  let bytes = RECORD_FRAME_BYTES + 3 * record.key.length + (record.value?.length ?? 0)
  if (record.headers)
    for (const name in record.headers) bytes += HEADER_FRAME_BYTES + 3 * (name.length + record.headers[name].length)
  return bytes
}

/** @throws MESSAGE_TOO_LARGE for the first record over the limit */
export function checkSizes(topic: string, records: readonly OutgoingRecord[], recordBytesMax: number): void {
  for (const record of records) {
    const bytes = recordBytes(record)
    if (bytes > recordBytesMax)
      throw new PlatformError(
        'MESSAGE_TOO_LARGE',
        `A record for ${topic} with the key ${JSON.stringify(record.key.slice(0, 50))} has ${bytes} bytes, at most ${recordBytesMax} are taken`,
      )
  }
}
