import { createHash } from 'node:crypto'
import { PlatformError } from '../../domain/errors.ts'
import { evolutionProblem } from './schema-evolution.ts'
import type { SchemaRegistry } from './schema-registry.ts'
import type { Compatibility } from './topics.ts'

/**
 * Schemas for one process. An id is a hash of its schema, so that bytes that outlive the process (a waiting outbox row, a
 * dead letter) still name the right schema after a restart, whatever was registered in which order.
 */
export class MemorySchemaRegistry implements SchemaRegistry {
  readonly #schemas = new Map<number, string>()
  readonly #versions = new Map<string, string[]>()

  async register(subject: string, schema: string, compatibility: Compatibility): Promise<number> {
    const canonical = JSON.stringify(JSON.parse(schema))
    const versions = this.#versions.get(subject) ?? []
    const id = idOf(canonical)
    if (versions.includes(canonical)) return id
    const problem = evolutionProblem(canonical, versions, compatibility)
    if (problem)
      throw new PlatformError(
        'SCHEMA_INCOMPATIBLE',
        `The schema of ${subject} must evolve ${compatibility}, but ${problem}`,
      )
    const other = this.#schemas.get(id)
    if (other !== undefined && other !== canonical)
      throw new PlatformError('SCHEMA_INCOMPATIBLE', `The schema of ${subject} has the id ${id} of another schema`)
    this.#schemas.set(id, canonical)
    this.#versions.set(subject, [...versions, canonical])
    return id
  }

  async schema(id: number): Promise<string | undefined> {
    return this.#schemas.get(id)
  }

  async ping(): Promise<void> {}
}

/** Positive and 31 bits wide: the wire format has room for an int32. */
const idOf = (schema: string) => createHash('sha256').update(schema).digest().readUInt32BE() >>> 1
