import { SchemaRegistry as Client, COMPATIBILITY, SchemaType } from '@kafkajs/confluent-schema-registry'
import avro from 'avsc'
import { isPlatformError, PlatformError } from '../../domain/errors.ts'
import { systemClock } from '../clock.ts'
import { backOffMs } from './back-off.ts'
import type { SchemaRegistry } from './schema-registry.ts'
import type { Compatibility } from './topics.ts'

export interface ConfluentSchemaRegistryOptions {
  /** Of the Confluent API, with credentials where it wants some: `https://user:password@registry:8081`. */
  readonly url: string
  readonly requestTimeoutMs?: number
}

const ATTEMPTS_MAX = 3

type Middleware = NonNullable<ConstructorParameters<typeof Client>[0]['middlewares']>[number]

/** A registry that speaks Confluent's API: Confluent's own, Apicurio (`/apis/ccompat/v7`), Karapace. */
export class ConfluentSchemaRegistry implements SchemaRegistry {
  readonly #client: Client
  readonly #address: string
  readonly #authorization: Record<string, string>
  readonly #requestTimeoutMs: number

  constructor({ url, requestTimeoutMs = 5_000 }: ConfluentSchemaRegistryOptions) {
    const { username, password, origin, pathname } = new URL(url)
    const auth = { username: decodeURIComponent(username), password: decodeURIComponent(password) }
    this.#address = origin + pathname.replace(/\/$/, '')
    this.#requestTimeoutMs = requestTimeoutMs
    this.#authorization = username
      ? { authorization: `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}` }
      : {}
    this.#client = new Client({
      host: this.#address,
      clientId: 'investor-updates',
      ...(username ? { auth } : {}),
      middlewares: [answersInTime(requestTimeoutMs)],
    })
  }

  async register(subject: string, schema: string, compatibility: Compatibility): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#register(subject, schema, compatibility)
      } catch (error) {
        // Where several register a new subject at once, Apicurio refuses all but one, and seldom does not answer one of them.
        const mayPass = isPlatformError(error, 'SCHEMA_INCOMPATIBLE') || isPlatformError(error, 'REGISTRY_UNAVAILABLE')
        if (attempt >= ATTEMPTS_MAX || !mayPass) throw error
        await systemClock.sleep(backOffMs(attempt))
      }
    }
  }

  async #register(subject: string, schema: string, compatibility: Compatibility): Promise<number> {
    try {
      const { id } = await this.#client.register(
        { type: SchemaType.AVRO, schema },
        // On every call: the client's default, BACKWARD, is refused where the subject has another one.
        { subject, compatibility: COMPATIBILITY[compatibility] },
      )
      return id
    } catch (error) {
      throw this.#failure(error, `register the schema of ${subject} as ${compatibility}`)
    }
  }

  async schema(id: number): Promise<string | undefined> {
    try {
      const schema = await this.#client.getSchema(id)
      // A JSON or Protobuf schema can be registered too. What it describes is no record of ours.
      return avro.Type.isType(schema) ? JSON.stringify(schema) : undefined
    } catch (error) {
      if (statusOf(error) === 404) return undefined
      throw this.#failure(error, `read schema ${id}`)
    }
  }

  async ping(): Promise<void> {
    const request = { headers: this.#authorization, signal: AbortSignal.timeout(this.#requestTimeoutMs) }
    const response = await fetch(`${this.#address}/subjects`, request).catch((cause: unknown) => {
      throw this.#unavailable(cause)
    })
    await response.body?.cancel()
    if (!response.ok) throw this.#failure({ status: response.status }, 'list the subjects')
  }

  #failure(error: unknown, what: string): PlatformError {
    const status = statusOf(error)
    const reason = error instanceof Error ? error.message : `status ${status}`
    if (status === 401 || status === 403)
      return new PlatformError(
        'INVALID_CONFIG',
        `The schema registry at ${this.#address} refused the credentials in its URL (status ${status}), expected ones that may ${what}`,
        { cause: error },
      )
    // The client compares the subject's own setting before it asks, and says so without a status.
    const incompatible = error instanceof Error && error.name === 'ConfluentSchemaRegistryCompatibilityError'
    if (incompatible || status === 409 || status === 422)
      return new PlatformError(
        'SCHEMA_INCOMPATIBLE',
        `The schema registry at ${this.#address} refused to ${what}: ${reason}`,
        { cause: error },
      )
    // Also 400: so the client calls a connection that failed.
    return this.#unavailable(error)
  }

  #unavailable(cause: unknown): PlatformError {
    const reason = cause instanceof Error ? cause.message : `status ${statusOf(cause)}`
    return new PlatformError(
      'REGISTRY_UNAVAILABLE',
      `The schema registry at ${this.#address} cannot be asked, expected the Confluent API there: ${reason}`,
      { cause },
    )
  }
}

const answersInTime =
  (timeoutMs: number): Middleware =>
  () => ({ request: (request) => request.enhance({ timeout: timeoutMs }) })

const statusOf = (error: unknown): number | undefined =>
  error && typeof error === 'object' && 'status' in error && typeof error.status === 'number' ? error.status : undefined
