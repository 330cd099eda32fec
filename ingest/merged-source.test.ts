import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { PlatformError } from '../domain/errors.ts'
import { systemClock } from '../platform/clock.ts'
import { silentLog } from '../platform/log.ts'
import { type MergedCheckpoint, mergedSource } from './merged-source.ts'
import type { Source, SourceBatch } from './source.ts'
import { VendorError } from './vendor-error.ts'

/** Tells numbers from its checkpoint on, as rejects, up to `last`; then waits to be stopped, or fails. */
function counting(name: string, last: number, failure?: Error): Source<number> & { readonly saves: number[] } {
  const saves: number[] = []
  async function* read(from: number | undefined, signal: AbortSignal): AsyncGenerator<SourceBatch<number>> {
    for (let number = (from ?? 0) + 1; number <= last && !signal.aborted; number++)
      yield {
        ticks: [],
        rejects: [{ position: number, reason: name, original: Buffer.from('') }],
        checkpoint: number,
      }
    if (failure) throw failure
    await systemClock.sleep(60_000, signal)
  }
  return { name, read, saves, saved: (checkpoint) => void saves.push(checkpoint) }
}

function merged(parts: Record<string, Source>, lacks: (string | undefined)[] = []) {
  const context = { log: silentLog, tellLack: (_source: string, lack: string | undefined) => lacks.push(lack) }
  return mergedSource({ name: 'finnhub', parts, context })
}

/** What was told, as `part number`, until so many were. */
async function read(source: Source<MergedCheckpoint>, count: number, from?: MergedCheckpoint) {
  const stop = new AbortController()
  const told: string[] = []
  const checkpoints: MergedCheckpoint[] = []
  for await (const { rejects, checkpoint } of source.read(from, stop.signal)) {
    told.push(...rejects.map(({ reason, position }) => `${reason} ${position}`))
    checkpoints.push(structuredClone(checkpoint))
    if (told.length >= count) stop.abort()
  }
  return { told, checkpoints }
}

test('parts take turns, however fast one of them is', async () => {
  const { told } = await read(merged({ stream: counting('stream', 1_000), feeds: counting('feeds', 1_000) }), 8)
  expect(told.filter((line) => line.startsWith('feeds'))).toHaveLength(4)
})

test('what one part told is let go, although another is silent all the while', async () => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const held: WeakRef<object>[] = []
  async function* told(_from: number | undefined, signal: AbortSignal): AsyncGenerator<SourceBatch<number>> {
    for (let number = 1; !signal.aborted; number++) {
      const rejects: [] = []
      held.push(new WeakRef(rejects))
      yield { ticks: [], rejects, checkpoint: number }
      await nextTurn()
    }
  }
  const source = merged({ stream: { name: 'stream', read: told }, feeds: counting('feeds', 0) })
  const stop = new AbortController()
  for await (const _batch of source.read(undefined, stop.signal)) {
    if (held.length < 100) continue
    collect()
    expect(held.filter((each) => each.deref() !== undefined).length).toBeLessThan(10)
    stop.abort()
  }
})

test('started from any of its checkpoints it goes on with each part where that was', async () => {
  const parts = () => ({ stream: counting('stream', 5), feeds: counting('feeds', 5) })
  const whole = await read(merged(parts()), 10)
  for (const [i, checkpoint] of whole.checkpoints.slice(0, -1).entries()) {
    const rest = await read(merged(parts()), 9 - i, checkpoint)
    expect([...whole.told.slice(0, i + 1), ...rest.told].toSorted()).toEqual(whole.told.toSorted())
  }
})

test('a part that is not read keeps its place for when it is read again', async () => {
  const { checkpoints } = await read(merged({ feeds: counting('feeds', 3) }), 1, { parts: { stream: 7, feeds: 1 } })
  expect(checkpoints.at(-1)).toEqual({ parts: { stream: 7, feeds: 2 } })
})

test('each part hears what was saved of it', () => {
  const stream = counting('stream', 1)
  const feeds = counting('feeds', 1)
  merged({ stream, feeds }).saved?.({ parts: { stream: 4 } })
  expect([stream.saves, feeds.saves]).toEqual([[4], []])
})

test('a part that the vendor refuses ends alone, and as long as the others are read the operator is told', async () => {
  const stream = counting('stream', 0, new VendorError('VENDOR_REFUSED', 'not in this plan'))
  const lacks: (string | undefined)[] = []
  const { told } = await read(merged({ stream, feeds: counting('feeds', 3) }, lacks), 3)
  expect(told).toEqual(['feeds 1', 'feeds 2', 'feeds 3'])
  expect(lacks).toEqual(['stream: not in this plan', undefined])
})

test('all parts refused, it ends with why', async () => {
  const refusal = new VendorError('VENDOR_REFUSED', 'not in this plan')
  const source = merged({ stream: counting('stream', 0, refusal), feeds: counting('feeds', 1, refusal) })
  await expect(read(source, 9)).rejects.toBe(refusal)
})

test.each([
  ['a key that is refused', new VendorError('VENDOR_REFUSED', 'wrong key', { ofKey: true })],
  ['any other failure', new PlatformError('INVALID_ARGUMENT', 'no checkpoint of ours')],
])('%s ends all of them', async (_what, failure) => {
  const source = merged({ stream: counting('stream', 0, failure), feeds: counting('feeds', 1) })
  await expect(read(source, 9)).rejects.toBe(failure)
})

test('it refuses a checkpoint that is none of its own', async () => {
  const foreign = { offset: 3 } as unknown as MergedCheckpoint
  expect(() => merged({ feeds: counting('feeds', 1) }).read(foreign, AbortSignal.abort())).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  )
})

test('what was put aside is read again by the part that has the feed', () => {
  const reading = (feed: string, reason: string): Source => ({
    ...counting(reason, 1),
    reparse: (asked, original) =>
      asked === feed ? { facts: [], rejects: [{ position: 1, reason, original }] } : undefined,
  })
  const source = merged({ socket: counting('socket', 1), quotes: reading('quote', 'q'), news: reading('news', 'n') })
  const reasons = (feed: string) => source.reparse?.(feed, Buffer.from(''))?.rejects.map(({ reason }) => reason)
  expect([reasons('quote'), reasons('news'), reasons('halts')]).toEqual([['q'], ['n'], undefined])
})
