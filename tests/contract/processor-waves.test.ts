import { afterEach, describe, expect, test } from 'vitest'
import { silentLog } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import { MemoryPubSub } from '../../platform/pubsub/memory-pubsub.ts'
import { HandBus } from '../support/hand-bus.ts'
import { openProcessing, type Processing, print } from '../support/processing.ts'

const PRINTS = 10

let processing: Processing
afterEach(async () => {
  await processing[Symbol.asyncDispose]()
})

/** Hands one batch to the processor; listeners are told nothing before `tell`. */
async function deliverOneBatch(waveSizeMax: number) {
  const { promise: telling, resolve: tell } = Promise.withResolvers<void>()
  const openPubSub = (metrics: Metrics) => {
    const pubsub = new MemoryPubSub({ metrics, log: silentLog })
    const publish = pubsub.publish.bind(pubsub)
    pubsub.publish = async (channel, key, event) => {
      await telling
      await publish(channel, key, event)
    }
    return pubsub
  }
  const bus = new HandBus()
  processing = await openProcessing({ openBus: async () => bus, openPubSub, prefix: '' })
  await processing.start(['ticks'], { lanes: 1, waveSizeMax })
  await processing.produce(...Array.from({ length: PRINTS }, (_, position) => print({ position })))
  const [member] = bus.members
  await member.assign()
  let readOn = false
  const delivered = member.deliver(PRINTS).then(() => {
    readOn = true
  })
  return { delivered, tell, readOn: () => readOn }
}

const stored = async () => (await processing.select('SELECT count(*)::int FROM stock_data'))[0]

describe('The partition of a batch', () => {
  test('that is small is read on when the batch is stored and told', async () => {
    const { delivered, tell, readOn } = await deliverOneBatch(PRINTS)
    await expect.poll(stored).toBe(PRINTS)
    expect(readOn()).toBe(false)
    tell()
    await delivered
  })

  test('that is larger than a wave is read on at once', async () => {
    const { delivered, tell } = await deliverOneBatch(PRINTS - 1)
    await delivered
    tell()
    await expect.poll(stored).toBe(PRINTS)
  })
})
