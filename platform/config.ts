import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { PlatformError } from '../domain/errors.ts'
import { VENDOR_NAMES, type VendorName } from '../domain/vendors.ts'

/**
 * Read once at start, checked whole, frozen. Every problem is reported at once, by the variable's name. A variable left
 * out of the environment picks the embedded backend; secrets have no default. `.env.example` lists them all.
 */
const flag = z.enum(['true', 'false']).transform((text) => text === 'true')
const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max)
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
)
const urlOf = (...protocols: string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    error: `must be a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  })

/** `COINBASE_URL`, `COINBASE_WS_URL` …: other addresses for vendors. */
function vendorUrls() {
  const http = urlOf('http:', 'https:').optional()
  const ws = urlOf('ws:', 'wss:').optional()
  const entries = VENDOR_NAMES.flatMap((name) => [
    [vendorVariable(name, 'URL'), http] as const,
    [vendorVariable(name, 'WS_URL'), ws] as const,
  ])
  return Object.fromEntries(entries) as Record<VendorVariable, typeof http>
}

type Upper<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Uppercase<Head>}_${Upper<Tail>}`
  : Uppercase<Name>
type VendorVariable = `${Upper<VendorName>}_${'URL' | 'WS_URL'}`

export const vendorVariable = (name: VendorName, kind: 'URL' | 'WS_URL'): VendorVariable =>
  `${name.toUpperCase().replaceAll('-', '_')}_${kind}` as VendorVariable

const variables = z.object({
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('warn'),
  DATA_DIR: z.string().min(1).default('data'),

  KAFKA_BROKERS: list.refine((brokers) => brokers.length > 0, { error: 'must name at least one host:port' }).optional(),
  KAFKA_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9._-]{0,100}$/, { error: 'must be at most 100 of A-Z a-z 0-9 . _ -' })
    .default(''),
  KAFKA_REPLICATION_FACTOR: whole(1, 10).optional(),
  KAFKA_SSL: flag.default(false),
  KAFKA_SSL_CA_FILE: z.string().optional(),
  KAFKA_SSL_CERT_FILE: z.string().optional(),
  KAFKA_SSL_KEY_FILE: z.string().optional(),
  KAFKA_SASL_MECHANISM: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).optional(),
  KAFKA_SASL_USERNAME: z.string().optional(),
  KAFKA_SASL_PASSWORD: z.string().optional(),
  SCHEMA_REGISTRY_URL: urlOf('http:', 'https:').optional(),

  REDIS_URL: urlOf('redis:', 'rediss:').optional(),
  PUBSUB_PREFIX: z.string().min(1).default('investor-updates'),

  DATABASE_URL: urlOf('postgres:', 'postgresql:').optional(),
  DATABASE_POOL_MAX: whole(4, 200).default(20),
  TIMESCALE: z.enum(['auto', 'off', 'require']).default('auto'),

  SIMULATED_SEED: whole(0, 2 ** 31 - 1).default(1),
  SIMULATED_TICKS_PER_SECOND: whole(1, 100_000).default(100),
  SIMULATED_MARKET_HOURS: z.enum(['always', 'us']).default('always'),

  AUDIENCE: z.enum(['personal', 'public']).default('personal'),
  SYMBOLS: list.default([]),
  ALPHA_VANTAGE_KEY: z.string().optional(),
  ALPHA_VANTAGE_REQUESTS_PER_MINUTE: whole(1, 10_000).optional(),
  NEWSAPI_KEY: z.string().optional(),
  NEWSAPI_REQUESTS_PER_DAY: whole(10, 3_000).optional(),
  FRED_KEY: z.string().optional(),
  FRED_SERIES: z.string().optional(),
  FINNHUB_KEY: z.string().optional(),
  FINNHUB_REQUESTS_PER_MINUTE: whole(1, 10_000).optional(),
  ALPACA_KEY_ID: z.string().optional(),
  ALPACA_SECRET_KEY: z.string().optional(),
  POLYGON_KEY: z.string().optional(),
  POLYGON_WS: z.enum(['delayed', 'live']).optional(),
  TWELVE_DATA_KEY: z.string().optional(),
  TWELVE_DATA_CREDITS_PER_MINUTE: whole(1, 10_000).optional(),
  SEC_CONTACT: z
    .string()
    .regex(/^[^\s@]+@[^\s@]+\.[^\s@]+$/, { error: 'must be an e-mail address: the SEC wants to know whom to write to' })
    .optional(),
  SEC_FORMS: z.string().optional(),
  RSS_FEEDS: z.string().optional(),
  ...vendorUrls(),
  SOURCE_SILENT_AFTER_MS: whole(1_000, 86_400_000).default(120_000),

  PROCESSOR_LANES: whole(1, 8).default(2),
  PROCESSOR_RECORDS_MAX: whole(1, 50_000).default(20_000),
  PROCESSOR_IDLE_AFTER_MS: whole(1_000, 3_600_000).default(15_000),

  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: whole(0, 65_535).optional(),
  MARKET_SUBGRAPH_URL: urlOf('http:', 'https:').optional(),
  NEWS_SUBGRAPH_URL: urlOf('http:', 'https:').optional(),
  CORS_ORIGINS: list.default([]),
  INTROSPECTION: flag.default(true),
  GATEWAY_SOCKETS_MAX: whole(1, 1_000_000).default(10_000),
  GATEWAY_SUBSCRIPTIONS_MAX: whole(1, 10_000_000).default(100_000),
  GATEWAY_SUBSCRIPTIONS_PER_SOCKET_MAX: whole(1, 10_000).default(100),

  SHUTDOWN_LIMIT_MS: whole(1_000, 300_000).default(20_000),
})

export type Config = Readonly<z.infer<typeof variables>>

/** Backends that a role running alone cannot do without: it meets the others only there. */
export type Needed = 'KAFKA_BROKERS' | 'REDIS_URL' | 'DATABASE_URL' | 'MARKET_SUBGRAPH_URL' | 'NEWS_SUBGRAPH_URL'

export function readConfig(
  environment: Readonly<Record<string, string | undefined>>,
  needed: readonly Needed[] = [],
): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  const result = variables.safeParse(given)
  const problems = result.success ? together(result.data, needed) : result.error.issues.map(describe)
  if (!result.success || problems.length > 0)
    throw new PlatformError(
      'INVALID_CONFIG',
      `The environment is not right:\n${problems.map((p) => `  ${p}`).join('\n')}`,
    )
  return Object.freeze(result.data)
}

const describe = (issue: z.core.$ZodIssue) => `${issue.path.join('.')}: ${issue.message}`

function together(config: Config, needed: readonly Needed[]): string[] {
  const problems: string[] = []
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = config
  if (mechanism && !(username && password))
    problems.push('KAFKA_SASL_MECHANISM: needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD')
  if (!mechanism && (username || password)) problems.push('KAFKA_SASL_USERNAME: needs KAFKA_SASL_MECHANISM')
  if (!config.KAFKA_SSL_CERT_FILE !== !config.KAFKA_SSL_KEY_FILE)
    problems.push('KAFKA_SSL_CERT_FILE: a client certificate needs its KAFKA_SSL_KEY_FILE, and the other way round')
  for (const name of needed)
    if (config[name] === undefined)
      problems.push(
        `${name}: must be set where this role runs alone; leave the role out to run everything in one process`,
      )
  return problems
}

/** How Kafka is reached: PLAINTEXT, SSL, or SASL over either. Certificates are read here, so a wrong path is said at start. */
export function kafkaSecurity(config: Config) {
  const file = (name: 'KAFKA_SSL_CA_FILE' | 'KAFKA_SSL_CERT_FILE' | 'KAFKA_SSL_KEY_FILE') => {
    const path = config[name]
    if (path === undefined) return undefined
    try {
      return readFileSync(path, 'utf8')
    } catch (cause) {
      throw new PlatformError('INVALID_CONFIG', `${name}: cannot read ${path}`, { cause })
    }
  }
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = config
  const ca = file('KAFKA_SSL_CA_FILE')
  const cert = file('KAFKA_SSL_CERT_FILE')
  const key = file('KAFKA_SSL_KEY_FILE')
  return {
    ...(config.KAFKA_SSL || ca || cert
      ? { ssl: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) } }
      : {}),
    ...(mechanism && username && password ? { sasl: { mechanism, username, password } } : {}),
  }
}
