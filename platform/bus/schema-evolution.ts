import avro from 'avsc'
import type { Compatibility } from './topics.ts'

/**
 * Why `next` may not follow `earlier` under the compatibility; undefined where it may. BACKWARD: the next schema reads
 * what every earlier one wrote. FULL: every earlier one also reads what the next one writes.
 */
export function evolutionProblem(
  next: string,
  earlier: readonly string[],
  compatibility: Compatibility,
): string | undefined {
  for (const [index, schema] of earlier.entries()) {
    const backward = readProblem(next, schema)
    if (backward) return `it cannot read what version ${index + 1} wrote: ${backward}`
    const forward = compatibility === 'FULL_TRANSITIVE' && readProblem(schema, next)
    if (forward) return `version ${index + 1} could not read what it writes: ${forward}`
  }
  return undefined
}

function readProblem(readerSchema: string, writerSchema: string): string | undefined {
  try {
    avroType(readerSchema).createResolver(avroType(writerSchema))
    return undefined
  } catch (error) {
    return String(error instanceof Error ? error.message : error)
  }
}

export const avroType = (schema: string): avro.Type => avro.Type.forSchema(JSON.parse(schema))
