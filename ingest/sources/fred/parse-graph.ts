import { isPlatformError } from '../../../domain/errors.ts'
import type { EconomicSeries, Observation } from '../../../domain/observation.ts'
import type { ItemReject, ItemsRead } from '../../json-answer.ts'
import { positionOf } from '../../reject-position.ts'
import { ORIGINAL_BYTES_MAX } from '../../source.ts'
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
  const [header, ...lines] = body
    .toString('utf8')
    .replace(/^\uFEFF/, '')
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
    else rejects.push(rejectOf(`line ${index + 2}: ${read}`, `${header}\n${line}`))
  }
  return { facts, rejects }
}

/** The observation, or what is wrong. */
function readRow(line: string, series: EconomicSeries, vintage: string, receivedAtMs: number): Observation | string {
  const [, date, value] = ROW.exec(line) ?? []
  if (date === undefined) return `expected a date and a number, was ${JSON.stringify(line.slice(0, 50))}`
  try {
    return known(series, date, value === '.' || value === '' ? null : Number(value), vintage, receivedAtMs)
  } catch (error) {
    if (isPlatformError(error, 'INVALID_EVENT')) return error.message
    throw error
  }
}

function rejectOf(reason: string, alone: string): ItemReject {
  const whole = Buffer.from(alone)
  const cut = whole.length > ORIGINAL_BYTES_MAX ? ` (cut from ${whole.length} bytes)` : ''
  return { position: positionOf(whole), reason: reason + cut, original: whole.subarray(0, ORIGINAL_BYTES_MAX) }
}

const escaped = (id: string): string => id.replaceAll(/[.\\-]/g, '\\$&')
