import { Field, Float, ID, ObjectType } from 'type-graphql'
import type { Tick } from '../../domain/tick.ts'
import { type Licence, licenceOf } from '../../domain/vendors.ts'
import { DateTime } from '../../platform/graphql/date-time.ts'
import { LicenceEnum } from '../../platform/graphql/licence.ts'

/** `Tick.instrument` is in `tick-resolver.ts`. */
@ObjectType('Tick', { description: 'One trade print, exactly as it happened.' })
export class TickObject {
  @Field(() => ID, { description: 'Symbol of the instrument that traded.' })
  symbol: string

  @Field(() => Float, { description: "Price of the trade, in the instrument's currency." })
  price: number

  @Field(() => Float, { description: 'Size of the trade in shares, coins or units; 0 where the venue does not tell.' })
  size: number

  @Field(() => DateTime, { description: 'When the trade happened at the venue, UTC.' })
  eventTime: Date

  @Field(() => DateTime, { description: 'When we first saw it, UTC. The difference to `eventTime` is our latency.' })
  ingestTime: Date

  @Field(() => String, {
    description: 'Who told us, e.g. simulated, coinbase:BTC-USD, or replay: and the name of the tape.',
  })
  source: string

  @Field(() => LicenceEnum, { description: 'What may be done with it.' })
  licence: Licence
}

export const tickView = (tick: Tick): TickObject => ({
  symbol: tick.symbol,
  price: tick.price,
  size: tick.size,
  eventTime: new Date(tick.eventTimeMs),
  ingestTime: new Date(tick.ingestTimeMs),
  source: tick.source,
  licence: licenceOf(tick.source),
})
