import { randomUUID } from 'node:crypto'
import type { BusRecord, EventBus } from '../../platform/bus/bus.ts'

/** Everything that is on the topic now, per partition and in order. */
export async function readLog(bus: EventBus, topic: string): Promise<Map<number, BusRecord[]>> {
  const ranges = await bus.offsets(topic)
  const log = new Map<number, BusRecord[]>([...ranges.keys()].map((partition) => [partition, []]))
  const open = new Map([...ranges].filter(([, { low, high }]) => high > low))
  if (open.size === 0) return log
  const all = Promise.withResolvers<void>()
  await using _reader = await bus.consume({
    group: `read-${randomUUID()}`,
    topic,
    position: async (held) => new Map([...held].map(([partition, { low }]) => [partition, low])),
    onFatal: all.reject,
    onBatch: async ({ partition, records, nextOffset }) => {
      log.get(partition)?.push(...records)
      if (nextOffset >= (open.get(partition)?.high ?? Number.POSITIVE_INFINITY)) open.delete(partition)
      if (open.size === 0) all.resolve()
    },
  })
  await all.promise
  return log
}
