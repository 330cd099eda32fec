import { PlatformError } from '../../../domain/errors.ts'
import { type Observation, observation } from '../../../domain/observation.ts'
import { VENDORS } from '../../../domain/vendors.ts'
import { localTimeMs, NEW_YORK } from '../../exchange-clock.ts'
import type { ItemsRead } from '../../json-answer.ts'
import { childOf, childrenOf, textIn, XmlAnswer, type XmlElement } from '../../xml-answer.ts'

export const NAME = 'us-treasury'
const { title, licence } = VENDORS[NAME]

/** Quotations are taken at about 15:30 and the curve follows within hours; it is known by then at the earliest. */
const PUBLISHED_AT = '15:30'
const MATURITY = /^d:(BC_(\d{1,2}(?:_5)?)(MONTH|YEAR))$/

/** The daily par yield curve, or one day of it: an observation for each maturity. @throws VendorError */
export function parseParYields(body: Buffer, ingestTimeMs: number): ItemsRead<Observation> {
  const answer = new XmlAnswer(title, body)
  const { root } = answer
  if (root.name !== 'feed' && root.name !== 'entry') throw answer.problem('expected a feed of days')
  const days = root.name === 'entry' ? [root] : childrenOf(root, 'entry')
  return answer.items(days, 'entry', (day) => yieldsOf(day, ingestTimeMs))
}

function yieldsOf(day: XmlElement, ingestTimeMs: number): readonly Observation[] {
  const content = childOf(day, 'content')
  const properties = content && childOf(content, 'm:properties')
  if (!properties) throw new PlatformError('INVALID_EVENT', 'content must hold properties')
  const date = dateIn(properties)
  return properties.children.flatMap((property) => {
    const [, id, count = '', unit = ''] = MATURITY.exec(property.name) ?? []
    // Maturities come and go: a day has none of what was not sold then.
    if (id === undefined || (property.children.length === 0 && property.text.trim() === '')) return []
    return [
      observation({
        series: {
          seriesId: `UST.${id}`,
          title: `Par yield of U.S. Treasuries: ${count.replace('_', '.')} ${unit.toLowerCase()}${count === '1' ? '' : 's'}`,
          unit: 'Percent',
          frequency: 'DAILY',
          seasonallyAdjusted: false,
          source: NAME,
          licence,
        },
        date,
        value: numberOf(property),
        // Not revised: each was known from its own day on.
        vintage: date,
        releasedAtMs: localTimeMs(date, PUBLISHED_AT, NEW_YORK) ?? Number.NaN,
        ingestTimeMs,
      }),
    ]
  })
}

function dateIn(properties: XmlElement): string {
  const text = textIn(properties, 'd:NEW_DATE') ?? ''
  const [date] = /^\d{4}-\d{2}-\d{2}(?=T|$)/.exec(text) ?? []
  if (date === undefined) throw invalid('d:NEW_DATE must be a day like 2026-11-20T00:00:00', text)
  return date
}

function numberOf({ name, text }: XmlElement): number {
  if (!/^-?\d{1,3}(\.\d{1,6})?$/.test(text.trim())) throw invalid(`${name} must be a number`, text)
  return Number(text)
}

const invalid = (expected: string, was: string) =>
  new PlatformError('INVALID_EVENT', `${expected}, was ${JSON.stringify(was.slice(0, 50))}`)
