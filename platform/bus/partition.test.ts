import fc from 'fast-check'
import { Partitioners } from 'kafkajs'
import { expect, test } from 'vitest'
import { partitionOf } from './partition.ts'

const kafkaPartitioner = Partitioners.DefaultPartitioner()

const kafkaPlace = (key: string, partitions: number) =>
  kafkaPartitioner({
    topic: 'any',
    partitionMetadata: Array.from({ length: partitions }, (_, partitionId) => ({
      partitionId,
      leader: 0,
      partitionErrorCode: 0,
      replicas: [],
      isr: [],
      offlineReplicas: [],
    })),
    message: { key, value: null },
  })

test('a key is placed where the Kafka client would place it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.integer({ min: 1, max: 50 }), (key, partitions) => {
      expect(partitionOf(key, partitions)).toBe(kafkaPlace(key, partitions))
    }),
  )
})

test('the placement of symbols never changes: it is what keeps them in order', () => {
  const symbols = ['SPY', 'AAPL', 'BRK.B', 'BTC-USD', 'EUR-USD']
  expect(symbols.map((symbol) => partitionOf(symbol, 12))).toEqual([11, 9, 3, 9, 5])
})
