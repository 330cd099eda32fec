import { EVERY_KEY } from '../platform/pubsub/pubsub.ts'
import { appendDataQuality } from '../platform/store/data-quality.ts'
import type { FactSink } from './facts.ts'

/** data-quality → what to know before trusting a price. */
export const quality: FactSink<'data-quality'> = {
  name: 'quality',
  topic: 'data-quality',
  store: appendDataQuality,
  async tell(publish, event) {
    const keys = event.symbol === null ? [EVERY_KEY] : [event.symbol, EVERY_KEY]
    await Promise.all(keys.map((key) => publish('dataQuality', key, event)))
  },
}
