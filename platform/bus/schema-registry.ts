import type { Compatibility } from './topics.ts'

/**
 * Where the schemas of everything ever written to the bus are kept, so that a record written years ago, or by somebody
 * else's program, can still be read. A record carries the id of the schema that wrote it.
 */
export interface SchemaRegistry {
  /**
   * The id of the schema under the subject; the same schema has the same id every time. Its evolution is checked.
   * @throws SCHEMA_INCOMPATIBLE where the subject's earlier versions forbid it; REGISTRY_UNAVAILABLE.
   */
  register(subject: string, schema: string, compatibility: Compatibility): Promise<number>

  /** The Avro schema with the id; undefined where the registry knows none. @throws REGISTRY_UNAVAILABLE */
  schema(id: number): Promise<string | undefined>

  /** Rejects with REGISTRY_UNAVAILABLE and a reason while the registry cannot be asked. For readiness. */
  ping(): Promise<void>
}
