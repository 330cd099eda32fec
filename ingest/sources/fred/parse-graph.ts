import { isPlatformError } from '../../../domain/errors.ts'
import type { EconomicSeries, Observation } from '../../../domain/observation.ts'
import type { ItemReject, ItemsRead } from '../../json-answer.ts'
import { itemReject } from '../../reject-position.ts'
import { VendorError } from '../../vendor-error.ts'
import { known } from './parse.ts'

const VENDOR = 'FRED'
const ROW = /^(\d{4}-\d{2}-\d{2}),(-?(?:\d+\.?\d*|\.\d+)|\.?)$/

/**
 * fredgraph.csv: a chart's numbers, which need no key and tell nothing of vintages. Each is told as known from the day on
 * which it was first seen. @throws VendorError
 */
export function parseGraph(
  body: Buffer,
  series: EconomicSeries,
  vintage: string,
  receivedAtMs: number,
): ItemsRead<Observation> {
  // A table of dates and numbers is read byte by byte, so that a line can be put aside as it was sent.
  const [header, ...lines] = body
    .toString('latin1')
    .replace(/^\xEF\xBB\xBF/, '')
    .split(/\r?\n/)
  if (/^\s*</.test(header))
    throw new VendorError(
      'VENDOR_UNAVAILABLE',
      `${VENDOR} answered with a page where a chart's numbers were expected`,
      {
        original: body,
      },
    )
  if (!new RegExp(`^(observation_date|DATE),${escaped(series.seriesId)}$`).test(header))
    throw new VendorError('VENDOR_ANSWER', `${VENDOR}: expected a table of ${series.seriesId}`, { original: body })
  const facts: Observation[] = []
  const rejects: ItemReject[] = []
  for (const [index, line] of lines.entries()) {
    if (line === '') continue
    const read = readRow(line, series, vintage, receivedAtMs)
    if (typeof read !== 'string') facts.push(read)
    else rejects.push(itemReject(`line ${index + 2}: ${read}`, Buffer.from(`${header}\n${line}`, 'latin1')))
  }
  return { facts, rejects }
}

/** The observation, or what is wrong. */
function readRow(line: string, series: EconomicSeries, vintage: string, receivedAtMs: number): Observation | string {
  const [, date, value] = ROW.exec(line) ?? []
  if (date === undefined)
    return `expected a date and a number, was ${JSON.stringify(Buffer.from(line, 'latin1').toString('utf8').slice(0, 50))}`
  try {
    return known(series, date, value === '.' || value === '' ? null : Number(value), vintage, receivedAtMs)
  } catch (error) {
    if (isPlatformError(error, 'INVALID_EVENT')) return error.message
    throw error
  }
}

const escaped = (id: string): string => id.replaceAll(/[.\\-]/g, '\\$&')
