// What every streaming vendor promises, against a venue on this machine that prints as the vendor does and fails on command.
// To register one: write its `StreamedVendorCase` beside its fake in tests/support/vendors/<vendor>.ts (made-up-stream.ts is
// an example) and add a line to tests/support/vendors/streamed-vendors.ts.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, type ExpectStatic, test } from 'vitest'
import { type Tick, tick } from '../../domain/tick.ts'
import { type Fact, TOPICS } from '../../platform/bus/topics.ts'
import { fastClock } from '../support/vendors/fast-clock.ts'
import { MemoryQuotas } from '../support/vendors/memory-quotas.ts'
import { CaseReader, openCase } from '../support/vendors/polled-reader.ts'
import type { ReaderOrder } from '../support/vendors/reader-process.ts'
import { type StreamFault, StreamServer } from '../support/vendors/stream-server.ts'
import type { FakePrint, StreamedVendorCase } from '../support/vendors/streamed-vendor-case.ts'
import { STREAMED_VENDORS } from '../support/vendors/streamed-vendors.ts'
import { type Heard, nameOfPrinted, nameOfTold, type ToldPrint, toldPrints } from '../support/vendors/told-prints.ts'

const PATIENCE = { timeout: 60_000, interval: 20 }
const READER = join(import.meta.dirname, '../support/vendors/reader-process.ts')
/** A connection is told as lost or found this much later than it was, by the clock of the test. */
const NOTICED_MS = 5_000

/** Faults of the connection: every vendor must come back from them. */
const OUTAGES: [name: string, fault: StreamFault, times: number][] = [
  ['no answer at the door', { kind: 'hang' }, 1],
  ['refused at the door', { kind: 'refuse', status: 503 }, 3],
  ['refused until a time', { kind: 'refuse', status: 429, retryAfter: '10' }, 1],
  ['a page of another service at the door', { kind: 'refuse', status: 200 }, 2],
  ['a disconnect storm', { kind: 'storm' }, 5],
  ['a socket on which nobody listens', { kind: 'deaf' }, 1],
]

/** Faults of single frames from which whoever names his prints recovers. */
const NEEDLESS_FRAMES: [name: string, fault: StreamFault, times: number][] = [
  ['frames that come twice', { kind: 'duplicate' }, 20],
  ['bytes that are no text', { kind: 'noise', noise: 'binary' }, 5],
  ['a frame that is too long for anybody', { kind: 'oversize' }, 1],
]
/** From these only who numbers them without holes. */
const BROKEN_FRAMES: [name: string, fault: StreamFault, times: number][] = [
  ['frames that never come', { kind: 'drop' }, 10],
  ['frames in the wrong order', { kind: 'reorder' }, 40],
  ['frames that are cut', { kind: 'truncated' }, 5],
  ['other types than documented', { kind: 'wrong-types' }, 5],
]

async function worldOf(vendor: StreamedVendorCase) {
  const time = { startMs: vendor.startMs, realStartMs: Date.now(), timesFaster: vendor.timesFaster }
  const clock = fastClock(time)
  const { symbols, besidePaths = [] } = vendor
  const server = await StreamServer.start({ fake: vendor.fake(), symbols, besidePaths, clock })
  const quotas = new MemoryQuotas()
  const socketUrl = server.url + vendor.socketPath
  const logged: string[] = []
  const troubles: (string | undefined)[] = []
  const lacks: (string | undefined)[] = []
  const read = (from?: unknown) =>
    new CaseReader(
      openCase(vendor, {
        url: server.http.url,
        socketUrl,
        clock,
        quotas,
        logged: (line) => logged.push(line),
        troubled: (trouble) => troubles.push(trouble),
        lacking: (lack) => lacks.push(lack),
      }),
      from,
    )
  return {
    time,
    clock,
    server,
    socketUrl,
    logged,
    troubles,
    lacks,
    read,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

const gapsIn = (facts: readonly Fact[]) =>
  facts.flatMap((fact) => (fact.topic === 'data-quality' && fact.event.kind === 'GAP' ? [fact.event] : []))

/** Of each symbol, everything from the first print that was told; and the symbols of which none was. */
function owed(vendor: StreamedVendorCase, printed: readonly FakePrint[], told: readonly ToldPrint[]) {
  const first = new Map<string, string>()
  for (const each of told) if (!first.has(each.symbol)) first.set(each.symbol, nameOfTold(each))
  const absent = new Set(vendor.symbols)
  const prints = printed.filter((print) => {
    if (first.get(print.symbol) === nameOfPrinted(vendor, print)) absent.delete(print.symbol)
    return !absent.has(print.symbol)
  })
  return { prints, absent }
}

/** All that was printed until now has been told, or, where nobody can have it any more, a GAP says so. */
async function expectAllOf(
  expect: ExpectStatic,
  vendor: StreamedVendorCase,
  printed: readonly FakePrint[],
  heard: () => Heard,
): Promise<void> {
  const until = printed.slice()
  const missing = () => {
    const told = toldPrints(vendor, heard())
    const names = new Set(told.map(nameOfTold))
    const gaps = vendor.numbering === 'arrival' ? gapsIn(heard().facts) : []
    const isToldOf = ({ eventTimeMs }: FakePrint) =>
      gaps.some((gap) => eventTimeMs >= gap.eventTimeMs - NOTICED_MS && eventTimeMs <= gap.ingestTimeMs + NOTICED_MS)
    const { prints, absent } = owed(vendor, until, told)
    return [...absent, ...prints.filter((print) => !names.has(nameOfPrinted(vendor, print)) && !isToldOf(print))]
  }
  await expect.poll(missing, PATIENCE).toEqual([])
}

/** A GAP says what is missing of the past; of what is printed from now on there is some of every symbol. */
async function expectToGoOn(
  expect: ExpectStatic,
  vendor: StreamedVendorCase,
  server: StreamServer,
  heard: Heard,
): Promise<void> {
  const { length } = server.printed
  const untold = () => {
    const told = new Set(toldPrints(vendor, heard).map(nameOfTold))
    const next = server.printed.slice(length).filter((print) => told.has(nameOfPrinted(vendor, print)))
    return vendor.symbols.filter((symbol) => !next.some((print) => print.symbol === symbol))
  }
  await expect.poll(untold, PATIENCE).toEqual([])
}

/** One reading: each print once, those of a symbol in the venue's order. */
function expectOnceAndInOrder(expect: ExpectStatic, vendor: StreamedVendorCase, heard: Heard): void {
  const prints = toldPrints(vendor, heard)
  for (const [source, told] of Map.groupBy(prints, ({ source, symbol }) => `${source} ${symbol}`)) {
    const positions = told.flatMap(({ position = [] }) => position)
    expect(positions, source).toEqual([...new Set(positions)].sort((a, b) => a - b))
    const names = told.map(nameOfTold)
    expect(names, source).toEqual([...new Set(names)])
    const times = told.map(({ eventTimeMs }) => eventTimeMs)
    expect(times, source).toEqual(times.toSorted((a, b) => a - b))
  }
}

function expectWithinLimits(expect: ExpectStatic, { limits }: StreamedVendorCase, server: StreamServer): void {
  expect(server.mostAttempts(limits.attempts)).toBeLessThanOrEqual(limits.attempts.count)
  expect(server.mostMessages(limits.messages)).toBeLessThanOrEqual(limits.messages.count)
  expect(server.mostOpen).toBeLessThanOrEqual(limits.sockets)
}

describe.concurrent.each(Object.entries(STREAMED_VENDORS))('Streamed source: %s', (name, vendor) => {
  const isNumbered = vendor.numbering === 'trade-id'
  const hasPast = vendor.numbering !== 'arrival'
  const told = (heard: Heard) => toldPrints(vendor, heard)

  test('tells every print as a valid fact of a source of this vendor, and nothing else', async ({ expect }) => {
    await using world = await worldOf(vendor)
    const reader = world.read()
    await expect.poll(() => told(reader).length, PATIENCE).toBeGreaterThan(50)
    await expectAllOf(expect, vendor, world.server.printed, () => reader)
    await reader.stop()
    expectOnceAndInOrder(expect, vendor, reader)
    for (const each of reader.ticks) expect(tick({ ...each })).toEqual(each)
    for (const { topic, event } of reader.facts) {
      const check = TOPICS[topic].check as (fact: typeof event) => typeof event
      expect(check({ ...event })).toEqual(event)
    }
    for (const each of told(reader)) expect(each.source).toMatch(new RegExp(`^${vendor.source.name}(:|$)`))
    const printed = new Set(world.server.printed.map((print) => nameOfPrinted(vendor, print)))
    expect(told(reader).filter((each) => !printed.has(nameOfTold(each)))).toEqual([])
    expect(reader.rejects).toEqual([])
    expectWithinLimits(expect, vendor, world.server)
  })

  const faults = [
    ...OUTAGES,
    ...(hasPast ? NEEDLESS_FRAMES : []),
    ...(isNumbered ? BROKEN_FRAMES : []),
    ['a complaint', { kind: 'noise', noise: { frame: vendor.complaint } }, 3] as const,
  ]
  describe('loses and repeats nothing', () => {
    test.for(faults)('%s', async ([_name, fault, times], { expect }) => {
      await using world = await worldOf(vendor)
      const { server } = world
      const reader = world.read()
      await expect.poll(() => told(reader).length, PATIENCE).toBeGreaterThan(20)
      server.fail(fault, times)
      if (OUTAGES.some(([, outage]) => outage === fault)) server.cut()
      await expect.poll(() => server.failed, PATIENCE).toBe(times)
      server.mend()
      await expectAllOf(expect, vendor, server.printed, () => reader)
      await expectToGoOn(expect, vendor, server, reader)
      await reader.stop()
      expectOnceAndInOrder(expect, vendor, reader)
      if (hasPast) expect(gapsIn(reader.facts)).toEqual([])
      expectWithinLimits(expect, vendor, server)
      const seen = world.logged.join('') + inspect([reader, world.troubles], { depth: 10 })
      for (const key of vendor.keys) expect(seen).not.toContain(key)
    })

    test('an open socket that is mute', async ({ expect }) => {
      await using world = await worldOf(vendor)
      const { server } = world
      const reader = world.read()
      await expect.poll(() => told(reader).length, PATIENCE).toBeGreaterThan(20)
      server.fail({ kind: 'mute' })
      await expect.poll(() => server.attempts, PATIENCE).toBe(2)
      await expectAllOf(expect, vendor, server.printed, () => reader)
      await expectToGoOn(expect, vendor, server, reader)
      await reader.stop()
      const kinds = reader.facts.flatMap(({ topic, event }) => (topic === 'data-quality' ? [event.kind] : []))
      expect(kinds).toEqual(expect.arrayContaining(['SILENT_SOURCE', 'SOURCE_RECOVERED']))
      expectOnceAndInOrder(expect, vendor, reader)
    })

    test.for([-30_000, 30_000])('a clock of the venue that jumps by %i ms', async (skewMs, { expect }) => {
      await using world = await worldOf(vendor)
      const reader = world.read()
      await expect.poll(() => told(reader).length, PATIENCE).toBeGreaterThan(20)
      world.server.skew(skewMs)
      const before = world.server.printed.length
      await expect.poll(() => world.server.printed.length, PATIENCE).toBeGreaterThan(before + 20)
      await expectAllOf(expect, vendor, world.server.printed, () => reader)
      await reader.stop()
      expect(reader.rejects).toEqual([])
    })

    test('being killed, again and again', async ({ expect }) => {
      await using world = await worldOf(vendor)
      const { server, socketUrl, time } = world
      const folder = mkdtempSync(join(tmpdir(), 'streamed-'))
      const order: ReaderOrder = { suite: 'streamed', vendor: name, url: server.http.url, socketUrl, folder, time }
      const heard = () => ({
        ticks: linesOf<Tick>(join(folder, 'ticks.jsonl')),
        facts: linesOf<Fact>(join(folder, 'facts.jsonl')),
      })
      try {
        for (let life = 0; life < 3; life++) {
          const before = told(heard()).length
          const child = spawn(process.execPath, [READER, JSON.stringify(order)], {
            stdio: 'inherit',
          })
          const gone = new Promise((resolve) => child.once('exit', resolve))
          try {
            await expect.poll(() => told(heard()).length, PATIENCE).toBeGreaterThan(before + 50)
            if (life === 2) await expectAllOf(expect, vendor, server.printed, heard)
          } finally {
            child.kill('SIGKILL')
            await gone
          }
        }
        const { ticks, facts } = heard()
        for (const [number, same] of Map.groupBy(ticks, ({ source, position }) => `${source} ${position}`))
          expect(new Set(same.map(nameOfTold)).size, number).toBe(1)
        if (hasPast) expect(gapsIn(facts)).toEqual([])
        expectWithinLimits(expect, vendor, server)
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    })
  })

  test('a vendor who does not serve this country is asked once, and the operator is told', async ({ expect }) => {
    await using world = await worldOf(vendor)
    world.server.fail({ kind: 'refuse', status: 451 })
    const reader = world.read()
    const said: string[] = []
    // A source that has nothing else to read ends with it.
    reader.ended.catch((error: Error) => said.push(error.message))
    await expect.poll(() => [...world.lacks, ...said].join(), PATIENCE).toContain('may not be read from this country')
    expect(world.troubles.at(-1)).toBeUndefined()
    await reader.stop().catch((error: unknown) => expect(error).toMatchObject({ code: 'VENDOR_REFUSED' }))
    expect(world.server.attempts).toBe(1)
  })

  if (isNumbered)
    test('what the history does not hold any more is told as a GAP, and what follows goes on', async ({ expect }) => {
      await using world = await worldOf(vendor)
      const { server } = world
      const reader = world.read()
      await expect.poll(() => told(reader).length, PATIENCE).toBeGreaterThan(20)
      server.http.fail({ kind: 'status', status: 500 })
      server.fail({ kind: 'drop' })
      await expect.poll(() => server.failed, PATIENCE).toBeGreaterThan(20)
      server.forget()
      server.http.mend()
      server.mend()
      const mended = server.printed.length
      await expect
        .poll(
          () =>
            gapsIn(reader.facts)
              .map(({ symbol }) => symbol)
              .sort(),
          PATIENCE,
        )
        .toEqual(vendor.symbols.toSorted())
      const names = () => new Set(told(reader).map(nameOfTold))
      const unheard = () =>
        server.printed.slice(mended, mended + 50).filter((each) => !names().has(nameOfPrinted(vendor, each)))
      await expect.poll(unheard, PATIENCE).toEqual([])
      await reader.stop()
      expectOnceAndInOrder(expect, vendor, reader)
    })

  if (hasPast)
    test('a hole is filled also when the history answers with errors at first', async ({ expect }) => {
      await using world = await worldOf(vendor)
      const { server } = world
      const reader = world.read()
      await expect.poll(() => told(reader).length, PATIENCE).toBeGreaterThan(20)
      server.http.fail({ kind: 'status', status: 500 }, 4)
      if (isNumbered) server.fail({ kind: 'drop' }, 10)
      else server.cut()
      await expect.poll(() => server.http.failed, PATIENCE).toBe(4)
      await expectAllOf(expect, vendor, server.printed, () => reader)
      await reader.stop()
      expect(gapsIn(reader.facts)).toEqual([])
      expectOnceAndInOrder(expect, vendor, reader)
    })

  test.for<[string, StreamFault | undefined]>([
    ['while all is well', undefined],
    ['while the door is not answered', { kind: 'hang' }],
    ['while the vendor is away', { kind: 'refuse', status: 503 }],
  ])('ends within two seconds of being stopped %s', async ([_when, fault], { expect }) => {
    await using world = await worldOf(vendor)
    if (fault) world.server.fail(fault)
    const reader = world.read()
    await expect.poll(() => world.server.attempts, PATIENCE).toBeGreaterThan(0)
    expect(await reader.stop()).toBeLessThan(2_000)
    await expect.poll(() => world.server.open, PATIENCE).toBe(0)
  })
})

const linesOf = <T>(file: string): T[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line))
    : []
