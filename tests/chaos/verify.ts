import type pg from 'pg'
import type { BusRecord, EventBus } from '../../platform/bus/bus.ts'
import type { EventCodec } from '../../platform/bus/codec.ts'
import { readLog } from '../support/read-log.ts'
import { truthOf } from './truth.ts'

export interface Difference {
  readonly expected: number
  readonly missing: number
  readonly different: number
  readonly extra: number
}

export interface Verdict {
  /** 0: everything is exact. */
  readonly wrong: number
  readonly differences: Readonly<Record<string, Difference>>
  readonly duplicates: number
}

const APPS = ['ticks', 'bars']
const ms = (column: string) => `(extract(epoch FROM ${column}) * 1000)::bigint`

/** Compares what the workers left, row by row and event by event, with what the log says must be there. */
export async function verify(bus: EventBus, codec: EventCodec, pool: pg.Pool): Promise<Verdict> {
  const log = await readLog(bus, 'stock-data')
  const truth = truthOf(log)
  const select = async (sql: string) => {
    const { rows } = await pool.query<[string, string]>({ text: sql, rowMode: 'array' } as pg.QueryConfig)
    return new Map(rows)
  }
  const differences: Record<string, Difference> = {
    rows: compare(
      truth.rows,
      await select(`SELECT concat_ws('|', symbol, ${ms('time')}, seq, source), price || '|' || size FROM stock_data`),
    ),
    quotes: compare(
      truth.quotes,
      await select(`SELECT symbol, concat_ws('|', ${ms('time')}, seq, price, size) FROM quotes`),
    ),
    bars: compare(
      truth.minutes,
      await select(
        `SELECT concat_ws('|', symbol, '1m', ${ms('time')}), concat_ws('|', open, high, low, close, volume, trades) FROM bars_1m`,
      ),
    ),
    events: compare(truth.events, barEvents(await readLog(bus, 'stock-bars'), codec)),
    late: compare(present(truth.late), origins(await readLog(bus, 'stock-data.late'))),
    dlq: compare(present(truth.poison), origins(await readLog(bus, 'stock-data.dlq'))),
    outbox: compare(new Map(), await select(`SELECT event_id, topic FROM outbox`)),
  }
  const ends = new Map(
    [...(await bus.offsets('stock-data'))].map(([partition, { high }]) => [String(partition), String(high)]),
  )
  for (const app of APPS) {
    differences[`${app} dead letters`] = compare(
      present(truth.poison),
      await select(`SELECT part || '|' || "offset", '' FROM dead_letters WHERE app = '${app}'`),
    )
    differences[`${app} checkpoints`] = compare(
      ends,
      await select(`SELECT part::text, next_offset::text FROM stream_checkpoint WHERE app = '${app}'`),
    )
  }
  const wrong = Object.values(differences).reduce(
    (sum, { missing, different, extra }) => sum + missing + different + extra,
    0,
  )
  return { wrong, differences, duplicates: truth.duplicates }
}

function compare(expected: ReadonlyMap<string, string>, got: ReadonlyMap<string, string>): Difference {
  let [missing, different, extra] = [0, 0, 0]
  for (const [key, value] of expected)
    if (!got.has(key)) missing++
    else if (got.get(key) !== value) different++
  for (const key of got.keys()) if (!expected.has(key)) extra++
  return { expected: expected.size, missing, different, extra }
}

const present = (keys: ReadonlySet<string>) => new Map([...keys].map((key) => [key, '']))

/** At least once: a second copy is the same event, and a wrong one shows. */
function barEvents(log: ReadonlyMap<number, readonly BusRecord[]>, codec: EventCodec): Map<string, string> {
  const events = new Map<string, string>()
  for (const { value } of [...log.values()].flat()) {
    const bar = codec.decode('stock-bars', value)
    const key = [bar.symbol, bar.interval, bar.startMs, bar.trades].join('|')
    const values = [bar.open, bar.high, bar.low, bar.close, bar.volume, bar.trades].join('|')
    const before = events.get(key)
    events.set(key, before === undefined || before === values ? values : `${before} and ${values}`)
  }
  return events
}

const origins = (log: ReadonlyMap<number, readonly BusRecord[]>) =>
  new Map(
    [...log.values()]
      .flat()
      .map(({ headers }) => [`${headers['x-original-partition']}|${headers['x-original-offset']}`, '']),
  )
