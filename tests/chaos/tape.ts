import { type Tick, tick } from '../../domain/tick.ts'
import type { OutgoingRecord } from '../../platform/bus/bus.ts'
import type { EventCodec } from '../../platform/bus/codec.ts'

const OPENING_MS = Date.UTC(2026, 2, 2, 14, 30)
const DURATION_MS = 2 * 3_600_000
const DELAY_MS = 150_000
const REPEAT_EVERY = 3_000
const REPEATED = 60

/** Numbers from a seed, the same on every machine (mulberry32). */
export function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * What two sources tell, in the order in which it comes. `live` has 24 symbols; `delayed` tells six of them again, minutes
 * behind. Some prints are out of order, some late, a few too late; a few records are no ticks; now and then a source
 * tells its last ones once more, as after a crash between producing and its checkpoint.
 */
export function* tape(count: number, seed: number, codec: EventCodec): Generator<OutgoingRecord> {
  const chance = random(seed)
  const prints = arrivals(count, chance)
  const positions = new Map<string, number>()
  const recent: OutgoingRecord[] = []
  for (const [i, { arrivalMs: _, ...fields }] of prints.entries()) {
    const position = positions.get(fields.source) ?? 0
    positions.set(fields.source, position + 1)
    const record = codec.encode('stock-data', tick({ ...fields, position }))
    recent.push(record)
    if (recent.length > REPEATED) recent.shift()
    yield record
    if (chance() < 0.0005) yield { key: fields.symbol, value: Buffer.from([0, 0, 0, 0, 1, 200, 1]) }
    if (i % REPEAT_EVERY === REPEAT_EVERY - 1) yield* recent
  }
}

type Arrival = Omit<Tick, 'position'> & { readonly arrivalMs: number }

function arrivals(count: number, chance: () => number): Arrival[] {
  const prices = Array.from({ length: 24 }, () => 50 + 100 * chance())
  const prints = Array.from({ length: count }, (_, seq): Arrival => {
    const delayed = chance() < 0.1
    const s = Math.floor(chance() * (delayed ? 6 : 24))
    prices[s] = Math.round(prices[s] * (1 + (chance() - 0.5) * 1e-3) * 100) / 100
    const eventTimeMs = Math.floor(OPENING_MS + (seq / count) * DURATION_MS)
    const arrivalMs = eventTimeMs + lagMs(chance) + (delayed ? DELAY_MS : 0)
    return {
      symbol: `SYM${String(s).padStart(2, '0')}`,
      price: prices[s],
      size: 1 + Math.floor(chance() * 500),
      eventTimeMs,
      ingestTimeMs: Math.floor(arrivalMs),
      seq,
      source: delayed ? 'delayed' : 'live',
      arrivalMs,
    }
  })
  return prints.sort((a, b) => a.arrivalMs - b.arrivalMs)
}

function lagMs(chance: () => number): number {
  const kind = chance()
  if (kind < 0.001) return 600_000 * chance()
  if (kind < 0.03) return 90_000 * chance()
  return 2_000 * chance()
}
