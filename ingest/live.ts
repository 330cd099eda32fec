import { PlatformError } from '../domain/errors.ts'
import type { Instrument } from '../domain/instrument.ts'
import { VENDORS, type VendorName } from '../domain/vendors.ts'
import type { EventBus } from '../platform/bus/bus.ts'
import type { EventCodec } from '../platform/bus/codec.ts'
import type { Clock } from '../platform/clock.ts'
import { type Config, vendorVariable } from '../platform/config.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import { DataQualityEvents } from '../platform/store/data-quality.ts'
import type { Database } from '../platform/store/database.ts'
import { DeadLetters } from '../platform/store/dead-letters.ts'
import { SourceCheckpoints } from '../platform/store/source-checkpoints.ts'
import { SourceLocks } from '../platform/store/source-locks.ts'
import { SourceQuotas } from '../platform/store/source-quotas.ts'
import { SymbolInterestStore } from '../platform/store/symbol-interest.ts'
import { UpdatePlan } from '../platform/store/update-plan.ts'
import { toldTo } from './audience.ts'
import { SOURCE_VARIABLES, type SourceContext, type SourceSettings, type VendorSource } from './catalogue.ts'
import { runIngest } from './ingest.ts'
import { SourceSilence } from './source-silence.ts'
import { type SourceStatus, SourceStatuses } from './source-status.ts'
import { StoredInterest } from './stored-interest.ts'
import { supervise } from './supervisor.ts'
import { usTradesTeller } from './us-trades.ts'
import { VENDOR_SOURCES } from './vendors.ts'

/** Large companies, an index fund, the main coins and currencies: what is read where nobody names symbols. */
const SYMBOLS_BY_DEFAULT = [
  ...['SPY', 'QQQ', 'AAPL', 'MSFT', 'NVDA', 'AMZN', 'GOOGL', 'META', 'TSLA', 'JPM'],
  ...['BTC-USD', 'ETH-USD', 'SOL-USD', 'XRP-USD', 'ADA-USD', 'DOGE-USD', 'BTC-USDT', 'ETH-USDT', 'SOL-USDT'],
  ...['EUR-USD', 'GBP-USD', 'USD-JPY', 'USD-CHF'],
]

export function sourceSettings(config: Config): SourceSettings {
  const variables = Object.fromEntries(
    SOURCE_VARIABLES.flatMap((name) => (config[name] === undefined ? [] : [[name, String(config[name])]])),
  )
  const urls = Object.fromEntries(
    VENDOR_SOURCES.flatMap(({ name }) => {
      const http = config[vendorVariable(name, 'URL')]
      const ws = config[vendorVariable(name, 'WS_URL')]
      return http || ws ? [[name, { ...(http && { http: bare(http) }), ...(ws && { ws: bare(ws) }) }]] : []
    }),
  )
  return { variables, urls, symbols: config.SYMBOLS.length > 0 ? config.SYMBOLS : SYMBOLS_BY_DEFAULT }
}

const bare = (url: string) => url.replace(/\/+$/, '')

export interface Choice {
  readonly read: readonly VendorSource[]
  /** What the others lack, by their names. */
  readonly unread: ReadonlyMap<VendorName, string>
}

/**
 * What can be read: what needs no key, and that whose keys are set. Of the vendors that are named, if any are.
 * @throws INVALID_ARGUMENT where one is named that does not exist, or that lacks its key.
 */
export function choose(config: Config, named: readonly string[] = []): Choice {
  const stranger = named.find((name) => !VENDOR_SOURCES.some((vendor) => vendor.name === name))
  if (stranger !== undefined)
    throw new PlatformError(
      'INVALID_ARGUMENT',
      `There is no source ${stranger}; there is ${VENDOR_SOURCES.map(({ name }) => name).join(', ')}`,
    )
  const wanted = VENDOR_SOURCES.filter(({ name }) => named.length === 0 || named.includes(name))
  const unread = new Map(wanted.flatMap((vendor) => lacks(vendor, config)))
  const [lacking] = unread
  if (named.length > 0 && lacking)
    throw new PlatformError('INVALID_ARGUMENT', `${lacking[0]} cannot be read: ${lacking[1]}`)
  const read = wanted.filter(({ name }) => !unread.has(name))
  if (read.length === 0) throw new PlatformError('INVALID_ARGUMENT', 'None of the sources can be read')
  return { read, unread }
}

function lacks({ name, needs }: VendorSource, config: Config): [VendorName, string][] {
  const missing = needs.filter((variable) => config[variable] === undefined)
  if (missing.length > 0) return [[name, `${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} not set`]]
  if (config.AUDIENCE === 'public' && VENDORS[name].licence !== 'REDISTRIBUTABLE')
    return [[name, 'its licence does not allow to tell the public (AUDIENCE)']]
  return []
}

export interface LiveRun {
  readonly config: Config
  readonly database: Database
  readonly bus: EventBus
  readonly codec: EventCodec
  readonly vendors: readonly VendorSource[]
  readonly describe: (instruments: readonly Instrument[]) => Promise<void>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** Hears of every change of a source's state. */
  readonly onStatus?: (status: SourceStatus, before: SourceStatus | undefined) => void
}

export interface Live extends AsyncDisposable {
  status(): readonly SourceStatus[]
}

/** Reads all the vendors at once, each by itself: what one of them does moves no other. */
export function startLive(run: LiveRun): Live {
  const { database, clock, log, metrics } = run
  const stop = new AbortController()
  const silence = openSilence(run)
  const statuses = new SourceStatuses(clock, (status, before) => {
    silence.changed(status, before)
    run.onStatus?.(status, before)
  })
  const interests = new SymbolInterestStore(database)
  const interest = new StoredInterest(() => interests.current(), clock, log)
  const plans = new UpdatePlan(database)
  const settings = sourceSettings(run.config)
  const names = run.vendors.map(({ name }) => name)
  const tellsUsTrades = usTradesTeller(names, settings)
  const context: Omit<SourceContext, 'tellsUsTrades'> = {
    settings,
    clock,
    log,
    metrics,
    quotas: new SourceQuotas(database),
    interest,
    describe: run.describe,
    tellPlan: (source, plan) => {
      plans
        .replace(source, new Map(plan.map(({ symbol, nextUpdateAtMs }) => [symbol, nextUpdateAtMs])))
        .catch((error: unknown) => log.debug({ err: error, source }, 'Cannot tell its plan'))
    },
    tellTrouble: (source, trouble) => statuses.trouble(source, trouble),
    tellLack: (source, lack) => statuses.lack(source, lack),
  }
  const locks = new SourceLocks(database)
  const ingest = {
    ...run,
    checkpoints: new SourceCheckpoints(database),
    deadLetters: new DeadLetters(database.pool),
    signal: stop.signal,
  }
  const running = run.vendors.map((vendor) =>
    supervise({
      name: vendor.name,
      open: () => {
        const source = vendor.open({ ...context, tellsUsTrades: vendor.name === tellsUsTrades })
        return silence.noting(toldTo(run.config.AUDIENCE, source, metrics))
      },
      ingest: (source) => runIngest({ ...ingest, source }),
      lock: (name) => locks.lock(name),
      statuses,
      clock,
      log,
      metrics,
      signal: stop.signal,
    }),
  )
  const watching = silence.run(names, stop.signal)
  return {
    status: () => statuses.all(),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await Promise.all([...running, watching])
      await interest[Symbol.asyncDispose]()
    },
  }
}

function openSilence({ config, database, bus, codec, clock, log, metrics }: LiveRun): SourceSilence {
  const stored = new DataQualityEvents(database)
  return new SourceSilence({
    tell: ({ topic, event }) => bus.produce(topic, [codec.encode(topic, event)]),
    async silentSince(source) {
      const kinds = ['SILENT_SOURCE', 'SOURCE_RECOVERED'] as const
      const { items } = await stored.page({ sources: [source], kinds, first: 1 })
      return items[0]?.kind === 'SILENT_SOURCE' ? items[0].eventTimeMs : undefined
    },
    clock,
    log,
    metrics,
    bounds: { troubledMsMax: config.SOURCE_SILENT_AFTER_MS },
  })
}
