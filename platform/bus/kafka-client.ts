import { Kafka, type LogEntry, logLevel, type RetryOptions, type SASLOptions } from 'kafkajs'
import { PlatformError } from '../../domain/errors.ts'
import type { Log } from '../log.ts'
import './kafka-pending-requests.ts'

export interface KafkaConnection {
  /** `host:port` of some brokers of the cluster; they name the others. */
  readonly brokers: readonly string[]
  readonly clientId: string
  /** true: TLS with the system's authorities. Or PEM texts: whom to trust, and who we are. */
  readonly ssl?: true | { readonly ca?: string; readonly cert?: string; readonly key?: string }
  readonly sasl?: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
    readonly username: string
    readonly password: string
  }
  readonly connectTimeoutMs?: number
  readonly requestTimeoutMs?: number
}

/**
 * For who tries again itself and wants to hear of a failure soon. One is the least an idempotent producer may have. It also
 * bounds how long the client looks for its brokers: ten seconds and more by its own setting.
 */
export const BRIEF_RETRY = { retries: 1, initialRetryTime: 100 }

export function kafkaClient(connection: KafkaConnection, log: Log, retry?: RetryOptions): Kafka {
  const { brokers, clientId, ssl, sasl, connectTimeoutMs = 3_000, requestTimeoutMs = 10_000 } = connection
  return new Kafka({
    brokers: [...brokers],
    clientId,
    ...(ssl ? { ssl: ssl === true ? true : { ...ssl } } : {}),
    ...(sasl ? { sasl: saslOptions(sasl) } : {}),
    connectionTimeout: connectTimeoutMs,
    authenticationTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    ...(retry ? { retry } : {}),
    logLevel: logLevel.INFO,
    logCreator: () => logTo(log),
  })
}

/** The client's type wants one member per mechanism. */
function saslOptions({ mechanism, username, password }: NonNullable<KafkaConnection['sasl']>): SASLOptions {
  switch (mechanism) {
    case 'plain':
      return { mechanism, username, password }
    case 'scram-sha-256':
      return { mechanism, username, password }
    case 'scram-sha-512':
      return { mechanism, username, password }
  }
}

/** Said of every producer of ours: `kafka-producer.ts` tries again itself, and keeps the guarantee. */
const EXPECTED = 'Limiting retries for the idempotent producer may invalidate EoS guarantees'
const SAME_LINE_MS = 10_000
const LINES_MAX = 500

/** An answer of the broker that is an error: it reaches the caller, who knows whether that matters and says so. */
const ANSWER = /^Response /

/** While a broker is away the client says so several times a second: the same line is written once in ten seconds. */
function logTo(log: Log): (entry: LogEntry) => void {
  const writtenAtMs = new Map<string, number>()
  return ({ namespace, level, log: { message, error, groupId, broker } }) => {
    if (level > logLevel.WARN || message === EXPECTED || ANSWER.test(message)) {
      log.debug({ kafka: namespace, groupId }, message)
      return
    }
    const line = `${namespace} ${message} ${error ?? ''}`
    const nowMs = performance.now()
    if (nowMs - (writtenAtMs.get(line) ?? Number.NEGATIVE_INFINITY) < SAME_LINE_MS) return
    if (writtenAtMs.size >= LINES_MAX) writtenAtMs.clear()
    writtenAtMs.set(line, nowMs)
    log.warn({ kafka: namespace, reason: error, groupId, broker }, message)
  }
}

/** What the broker answered, e.g. `MESSAGE_TOO_LARGE`: the client wraps it once or more. */
export function answerOf(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause)
    if ('type' in at && typeof at.type === 'string') return at.type
  return undefined
}

/** Whether the broker answered what no repetition changes. `UNKNOWN` is how it says that it is in trouble itself. */
export function isRefusal(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause)
    if ('type' in at && 'retriable' in at && typeof at.type === 'string') return !at.retriable && at.type !== 'UNKNOWN'
  return false
}

const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD_SIZE'])
const FORBIDDEN = new Set(['TOPIC_AUTHORIZATION_FAILED', 'GROUP_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED'])

/** An error of the client as one of ours; `what` finishes the sentence "Kafka at … could not …". */
export function busError(error: unknown, { brokers, sasl }: KafkaConnection, what: string): PlatformError {
  const answer = answerOf(error)
  const at = `Kafka at ${brokers.join(', ')}`
  const reason = error instanceof Error ? error.message : String(error)
  if (answer !== undefined && TOO_LARGE.has(answer))
    return new PlatformError('MESSAGE_TOO_LARGE', `${at} could not ${what}: it takes no record of this size`, {
      cause: error,
    })
  if (answer !== undefined && FORBIDDEN.has(answer))
    return new PlatformError('INVALID_CONFIG', `${at} does not allow this user to ${what}: ${reason}`, { cause: error })
  if (isAuthentication(error))
    return new PlatformError(
      'INVALID_CONFIG',
      `${at} refused ${sasl ? `the user ${sasl.username} (SASL ${sasl.mechanism})` : 'us without SASL'}, expected credentials it knows: ${reason}`,
      { cause: error },
    )
  return new PlatformError('BUS_UNAVAILABLE', `${at} could not ${what}, expected a broker that answers: ${reason}`, {
    cause: error,
  })
}

function isAuthentication(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if (at.name === 'KafkaJSSASLAuthenticationError') return true
  return false
}
