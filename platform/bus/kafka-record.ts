import type { IHeaders, KafkaMessage } from 'kafkajs'
import type { BusRecord } from './bus.ts'

/** A record as the client decoded it. Most are asked for nothing but their value, so the rest is made on demand. */
export class KafkaRecord implements BusRecord {
  readonly offset: number
  readonly value: Buffer | null
  readonly #message: KafkaMessage

  constructor(message: KafkaMessage, offset: number) {
    this.offset = offset
    this.value = message.value
    this.#message = message
  }

  get key(): string | null {
    return this.#message.key?.toString() ?? null
  }

  get headers(): Readonly<Record<string, string>> {
    return headersOf(this.#message.headers ?? {})
  }
}

const headersOf = (headers: IHeaders): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, String(Array.isArray(value) ? value[0] : (value ?? ''))]),
  )
