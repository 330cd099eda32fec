import { type Consumer, type EachBatchHandler, Kafka, logLevel } from 'kafkajs'

/** Reads with kafkajs as it is, all partitions at once; its offsets are nobody's business. */
export async function bareConsumer(
  brokers: string,
  groupId: string,
  topic: string,
  eachBatch: EachBatchHandler,
): Promise<Consumer> {
  const kafka = new Kafka({ clientId: 'bench', brokers: brokers.split(','), logLevel: logLevel.NOTHING })
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 300 })
  await consumer.connect()
  await consumer.subscribe({ topic })
  await consumer.run({ autoCommit: false, partitionsConsumedConcurrently: 12, eachBatch })
  return consumer
}
