import { z } from 'zod'
import { PlatformError } from '../../domain/errors.ts'

const whole = z.number().int().min(0)

const checkpointSchema = z.object({
  /**
   * Numbered by trade ids or by time: the newest print of each product that was taken, by symbol. `keys`, by time only: the
   * prints of its millisecond.
   */
  products: z.record(
    z.string(),
    z.object({ id: whole, timeMs: whole, keys: z.array(z.string()).readonly().optional() }),
  ),
  /** Numbered by arrival: the newest position given, and when that print was received. -1: none yet. */
  position: z.number().int().min(-1),
  receivedMs: z.number().int().min(-1),
  /** Numbered by time: until when nothing is missing, by the vendor's clock. -1: nothing was heard yet. */
  heardMs: z.number().int().min(-1).optional(),
})
export type StreamCheckpoint = z.infer<typeof checkpointSchema>

/** @throws INVALID_ARGUMENT where it is none. */
export function checkpointOf(source: string, from: unknown): StreamCheckpoint {
  if (from === undefined) return { products: {}, position: -1, receivedMs: -1 }
  const parsed = checkpointSchema.safeParse(from)
  if (parsed.success) return parsed.data
  throw new PlatformError(
    'INVALID_ARGUMENT',
    `The checkpoint of ${source} is not one of a stream: ${parsed.error.message}`,
  )
}
