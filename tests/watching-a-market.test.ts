import { beforeAll, describe, expect, test } from 'vitest'
import type { DataQuality } from '../domain/data-quality.ts'
import { TickColumns } from '../domain/tick-columns.ts'
import { type EventCodec, openCodec } from '../platform/bus/codec.ts'
import { MemorySchemaRegistry } from '../platform/bus/memory-schema-registry.ts'
import { partitionOf } from '../platform/bus/partition.ts'
import { openMetrics } from '../platform/metrics.ts'
import { Watch } from '../processors/watch.ts'
import { type Fault, type FaultyMarket, faultyMarket } from './support/faulty-market.ts'

const PARTITIONS = 3
const KINDS = ['OUT_OF_ORDER', 'JUMP', 'VENUE_DISAGREEMENT', 'STALE_SYMBOL'] as const

let codec: EventCodec
beforeAll(async () => {
  codec = await openCodec(new MemorySchemaRegistry())
})

/** What the processor tells of the market, partition by partition, each in one piece. */
function watch({ ticks }: FaultyMarket): DataQuality[] {
  const watch = new Watch({ codec, metrics: openMetrics() })
  return Array.from({ length: PARTITIONS }, (_, partition) => {
    const columns = new TickColumns(ticks.length)
    for (const [offset, each] of ticks.entries())
      if (partitionOf(each.symbol, PARTITIONS) === partition) columns.append(each, offset)
    const state = watch.open({ partition, epoch: 1, nextOffset: 0, sources: new Map(), state: [] })
    const counted = { records: columns.length, cost: columns.length, duplicates: 0, rejects: [] }
    const work = {
      ...counted,
      partition,
      ticks: columns,
      originals: [],
      follows: [],
      nextOffset: 0,
      sources: new Map(),
    }
    const fold = watch.begin()
    fold.add({ state, work })
    return fold.events.map(({ value }) => codec.decode('data-quality', value))
  }).flat()
}

const isOf = (finding: DataQuality, fault: Fault): boolean =>
  finding.kind === fault.kind &&
  finding.source === fault.source &&
  finding.symbol === fault.symbol &&
  finding.eventTimeMs >= fault.fromMs &&
  finding.eventTimeMs <= fault.toMs

describe('Of a day of the simulated market with faults', () => {
  let market: FaultyMarket
  let findings: DataQuality[]
  beforeAll(() => {
    market = faultyMarket(1, PARTITIONS)
    findings = watch(market)
  })

  test.each(KINDS)('at least nine in ten of what is told as %s are one', (kind) => {
    const told = findings.filter((each) => each.kind === kind)
    const right = told.filter((each) => market.faults.some((fault) => isOf(each, fault)))
    expect(told.length).toBeGreaterThan(10)
    expect(right.length / told.length).toBeGreaterThanOrEqual(0.9)
  })

  test.each(KINDS)('at least nine in ten %s are told', (kind) => {
    const faults = market.faults.filter((fault) => fault.kind === kind && !fault.isOptional)
    const told = faults.filter((fault) => findings.some((each) => isOf(each, fault)))
    expect(faults.length).toBeGreaterThan(10)
    expect(told.length / faults.length).toBeGreaterThanOrEqual(0.9)
  })

  test('none is told twice', () => {
    const keys = findings.map(({ kind, source, symbol, eventTimeMs }) => `${kind} ${source} ${symbol} ${eventTimeMs}`)
    expect(new Set(keys).size).toBe(keys.length)
  })
})
