// What every polled vendor promises, against a server on this machine that speaks as the vendor does and fails on command.
// To register one: write its `PolledVendorCase` beside its fake in tests/support/vendors/<vendor>.ts (made-up.ts is an
// example) and add a line to tests/support/vendors/polled-vendors.ts.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, type ExpectStatic, test } from 'vitest'
import { type Fact, TOPICS } from '../../platform/bus/topics.ts'
import { selfSigned } from '../support/certificate.ts'
import { fastClock } from '../support/vendors/fast-clock.ts'
import type { Fault } from '../support/vendors/faults.ts'
import { MemoryQuotas } from '../support/vendors/memory-quotas.ts'
import { CaseReader, openCase } from '../support/vendors/polled-reader.ts'
import { nameOf, type PolledVendorCase } from '../support/vendors/polled-vendor-case.ts'
import { POLLED_VENDORS } from '../support/vendors/polled-vendors.ts'
import type { ReaderOrder } from '../support/vendors/reader-process.ts'
import { VendorServer } from '../support/vendors/vendor-server.ts'

/** Longer than any vendor's own timeout, retries included. */
const PATIENCE = { timeout: 60_000, interval: 20 }
const READER = join(import.meta.dirname, '../support/vendors/reader-process.ts')

const FAULTS: [name: string, fault: Fault][] = [
  ['an error of the server', { kind: 'status', status: 500 }],
  ['an outage', { kind: 'status', status: 503 }],
  ['an outage that says when it ends', { kind: 'status', status: 503, retryAfter: '60' }],
  ['a limit', { kind: 'status', status: 429 }],
  ['a limit that says until when', { kind: 'status', status: 429, retryAfter: '60' }],
  ['an outage page with status 200', { kind: 'html' }],
  ['a sentence where data were promised', { kind: 'words' }],
  ['an answer that is broken off', { kind: 'truncated' }],
  ['other types than documented', { kind: 'wrong-types' }],
  ['a connection that is reset', { kind: 'reset' }],
  ['a clock that is a day ahead', { kind: 'clock-skew', skewMs: 86_400_000 }],
  ['a clock that is a day behind', { kind: 'clock-skew', skewMs: -86_400_000 }],
  ['an answer that drips', { kind: 'drip', everyMs: 500 }],
  ['no answer', { kind: 'hang' }],
]

async function worldOf(vendor: PolledVendorCase, certificate?: { cert: string; key: string }) {
  const time = { startMs: vendor.startMs, realStartMs: Date.now(), timesFaster: vendor.timesFaster }
  const clock = fastClock(time)
  const fake = vendor.fake(clock)
  const server = await VendorServer.start({
    answer: fake.answer,
    clock,
    ...(vendor.keyOf && { keyOf: vendor.keyOf }),
    ...(certificate && { certificate }),
  })
  const quotas = new MemoryQuotas()
  const logged: string[] = []
  const troubles: (string | undefined)[] = []
  const plan = new Map<string, number>()
  const read = (from?: unknown) =>
    new CaseReader(
      openCase(vendor, {
        url: server.url,
        // Nobody is let in there: whoever has a socket too is read without it.
        socketUrl: server.socketUrl,
        clock,
        quotas,
        logged: (line) => logged.push(line),
        troubled: (trouble) => troubles.push(trouble),
        planned: (updates) => {
          plan.clear()
          for (const { symbol, nextUpdateAtMs } of updates) plan.set(symbol, nextUpdateAtMs)
        },
      }),
      from,
    )
  return {
    time,
    clock,
    fake,
    server,
    logged,
    troubles,
    plan,
    read,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

type World = Awaited<ReturnType<typeof worldOf>>

const toldNow = ({ fake, clock }: World) => fake.told(clock.now())
const namesOf = (facts: readonly Fact[]) => new Set(facts.map(nameOf))

/**
 * All that the vendor tells now comes, and nothing of it twice in two versions. A quote in whose place it puts a newer one
 * before it was asked cannot be had any longer: then that one has to come, and all else that it tells by then.
 */
async function expectAllToCome(expect: ExpectStatic, world: World, facts: () => readonly Fact[]): Promise<void> {
  let told = toldNow(world)
  const missing = () => {
    const names = namesOf(facts())
    const missed = told.filter((name) => !names.has(name))
    const quotes = missed.filter((name) => name.startsWith('stock-quotes '))
    const tells = quotes.length > 0 ? toldNow(world) : []
    const replaced = new Set(quotes.filter((name) => !tells.includes(name)))
    if (replaced.size > 0) told = [...told.filter((name) => !replaced.has(name)), ...tells]
    return missed
  }
  await expect.poll(missing, PATIENCE).toEqual([])
  const versions = Map.groupBy(facts(), nameOf)
  for (const [name, same] of versions) {
    const contents = new Set(same.map(({ event }) => JSON.stringify({ ...event, ingestTimeMs: 0 })))
    expect(contents.size, name).toBe(1)
  }
}

function expectWithinLimits(expect: ExpectStatic, vendor: PolledVendorCase, server: VendorServer): void {
  for (const window of vendor.limits)
    expect(server.most(window), JSON.stringify(window)).toBeLessThanOrEqual(window.requests)
}

describe.concurrent.each(Object.entries(POLLED_VENDORS))('Polled source: %s', (name, vendor) => {
  test('tells valid facts under its own name, and all of them', async ({ expect }) => {
    await using world = await worldOf(vendor)
    const reader = world.read()
    await expect.poll(() => reader.facts.length, PATIENCE).toBeGreaterThan(5)
    await expectAllToCome(expect, world, () => reader.facts)
    await reader.stop()
    for (const { topic, event } of reader.facts) {
      const check = TOPICS[topic].check as (fact: typeof event) => typeof event
      expect(check({ ...event })).toEqual(event)
    }
    expect(reader.rejects).toEqual([])
  })

  test('says when it will ask next for each price that it tells, and of nothing else', async ({ expect }) => {
    await using world = await worldOf(vendor)
    const { plan } = world
    const reader = world.read()
    await expect.poll(() => reader.facts.length, PATIENCE).toBeGreaterThan(5)
    await expectAllToCome(expect, world, () => reader.facts)
    const priced = () => reader.facts.flatMap(({ topic, event }) => (topic === 'stock-quotes' ? [event.symbol] : []))
    await expect.poll(() => priced().filter((symbol) => !plan.has(symbol)), PATIENCE).toEqual([])
    await reader.stop()
    for (const [symbol, nextMs] of plan) expect(nextMs, symbol).toBeGreaterThanOrEqual(vendor.startMs)
    if (priced().length === 0) expect([...plan.keys()]).toEqual([])
  })

  test('keeps within what the vendor allows, also when it is started again and again', async ({ expect }) => {
    await using world = await worldOf(vendor)
    let checkpoint: unknown
    for (let start = 0; start < 4; start++) {
      const reader = world.read(checkpoint)
      const before = world.server.arrivals.length
      await expect.poll(() => world.server.arrivals.length, PATIENCE).toBeGreaterThan(before + 1)
      await reader.stop()
      checkpoint = reader.checkpoint
    }
    expectWithinLimits(expect, vendor, world.server)
  })

  describe('after a fault it tells all that it would have told without, and no key has been seen', () => {
    test.for([...FAULTS, ['an error with status 200', { kind: 'body', body: vendor.errorBody }] as const])(
      '%s',
      async ([_fault, fault], { expect }) => {
        await using world = await worldOf(vendor)
        const reader = world.read()
        await expect.poll(() => reader.facts.length, PATIENCE).toBeGreaterThan(0)
        const before = toldNow(world).length
        world.server.fail(fault, 2)
        await expect.poll(() => world.server.failed, PATIENCE).toBeGreaterThan(0)
        const after = world.server.arrivals.length
        await expect.poll(() => world.server.arrivals.length, PATIENCE).toBeGreaterThan(after)
        world.server.mend()
        const known = namesOf(reader.facts)
        const isMore = world.fake.isToldAtFirst
          ? () => reader.facts.some((fact) => !known.has(nameOf(fact)))
          : () => toldNow(world).length > before
        // Something has been told since, or to hear nothing more would do.
        await expect.poll(isMore, PATIENCE).toBe(true)
        await expectAllToCome(expect, world, () => reader.facts)
        await reader.stop()
        expectWithinLimits(expect, vendor, world.server)
        // Of what could not be read somebody can see what it was.
        if (fault.kind === 'words' || fault.kind === 'wrong-types') expect(reader.rejects).not.toEqual([])
        const seen = world.logged.join('') + inspect([reader, world.troubles], { depth: 10 })
        for (const key of vendor.keys) expect(seen).not.toContain(key)
      },
    )
  })

  test('a vendor without a certificate to be trusted is said to be one, and tried again', async ({ expect }) => {
    await using certificate = selfSigned()
    await using world = await worldOf(vendor, certificate)
    const reader = world.read()
    await expect.poll(() => world.troubles.join(), PATIENCE).toContain('certificate')
    expect(await reader.stop()).toBeLessThan(2_000)
    expect(world.server.arrivals).toEqual([])
  })

  test.for<[string, Fault | undefined]>([
    ['while all is well', undefined],
    ['while the vendor hangs', { kind: 'hang' }],
    ['while the vendor is away', { kind: 'status', status: 500 }],
  ])('ends within two seconds of being stopped %s', async ([_when, fault], { expect }) => {
    await using world = await worldOf(vendor)
    if (fault) world.server.fail(fault)
    const reader = world.read()
    await expect.poll(() => world.server.arrivals.length, PATIENCE).toBeGreaterThan(0)
    expect(await reader.stop()).toBeLessThan(2_000)
  })

  test('loses and repeats nothing when its process is killed, and keeps within the limits', async ({ expect }) => {
    await using world = await worldOf(vendor)
    const folder = mkdtempSync(join(tmpdir(), 'polled-'))
    const file = join(folder, 'facts.jsonl')
    const { url, socketUrl } = world.server
    const order: ReaderOrder = { suite: 'polled', vendor: name, url, socketUrl, folder, time: world.time }
    const facts = (): Fact[] =>
      existsSync(file)
        ? readFileSync(file, 'utf8')
            .split('\n')
            .slice(0, -1)
            .map((line) => JSON.parse(line))
        : []
    try {
      for (let life = 0; life < 3; life++) {
        const before = world.server.arrivals.length
        const child = spawn(process.execPath, [READER, JSON.stringify(order)], { stdio: 'inherit' })
        const gone = new Promise((resolve) => child.once('exit', resolve))
        try {
          await expect.poll(() => world.server.arrivals.length, PATIENCE).toBeGreaterThan(before + 2)
          if (life === 2) await expectAllToCome(expect, world, facts)
        } finally {
          child.kill('SIGKILL')
          await gone
        }
      }
      expectWithinLimits(expect, vendor, world.server)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
