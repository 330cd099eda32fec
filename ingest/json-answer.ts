import type { z } from 'zod'
import { isPlatformError } from '../domain/errors.ts'
import { JsonSpans } from './json-spans.ts'
import { itemReject } from './reject-position.ts'
import type { Reject } from './source.ts'
import { VendorError } from './vendor-error.ts'

export type ItemReject = Omit<Reject, 'feed'>

export interface ItemsRead<F> {
  readonly facts: readonly F[]
  readonly rejects: readonly ItemReject[]
}

export interface ItemReading<I, F> {
  /** Where the list is in the answer, for whoever reads the reason: `results`, `bars.AAPL`. */
  readonly where: string
  /** Lenient about unknown keys, exact about what is used. */
  readonly schema: z.ZodType<I>
  /**
   * The facts of one item; undefined or none: it is rightly no fact. May throw INVALID_EVENT: then it is a reject. `original`
   * is what would be put aside of it, for facts of which it turns out later that they are none.
   */
  readonly read: (item: I, original: () => Buffer) => F | readonly F[] | undefined
  /**
   * The answer that would have held this item alone, so that what is put aside can be read by the same parser again. The item
   * is put in it as it was written; whoever looks into it here may see something that stands in for it.
   */
  readonly alone: (item: unknown) => unknown
}

/** What a vendor sent where JSON was promised. Everything about it that is wrong becomes a VendorError or a reject. */
export class JsonAnswer {
  readonly value: unknown
  readonly #vendor: string
  readonly #body: Buffer
  #spans: JsonSpans | undefined

  /** @throws VendorError VENDOR_UNAVAILABLE where it is a page of HTML, VENDOR_ANSWER where it is no JSON. */
  constructor(vendor: string, body: Buffer) {
    this.#vendor = vendor
    this.#body = body
    const text = body.toString('utf8')
    if (/^\uFEFF?\s*</.test(text))
      throw new VendorError('VENDOR_UNAVAILABLE', `${vendor} answered with a page where JSON was expected`, {
        original: body,
      })
    try {
      this.value = JSON.parse(text)
    } catch (cause) {
      // The engine's own message quotes the body: enough to see what came, and the rest is in `original`.
      throw this.problem(`the answer is no JSON: ${messageOf(cause)}`, cause)
    }
  }

  /** The whole answer cannot be used. */
  problem(what: string, cause?: unknown): VendorError {
    return new VendorError('VENDOR_ANSWER', `${this.#vendor}: ${what}`, { original: this.#body, cause })
  }

  /** The answer's outer form, without which nothing in it can be found. @throws VendorError VENDOR_ANSWER */
  as<T>(schema: z.ZodType<T>): T {
    const parsed = schema.safeParse(this.value)
    if (parsed.success) return parsed.data
    throw this.problem(`the answer is not as documented: ${issueOf(parsed.error)}`, parsed.error)
  }

  /** Item by item: one that is not what it should be becomes a reject that says where, and the others go on. */
  items<I, F>(items: readonly unknown[], reading: ItemReading<I, F>): ItemsRead<F> {
    const facts: F[] = []
    const rejects: ItemReject[] = []
    for (const [index, item] of items.entries()) {
      const original = () => this.#alone(items, index, reading.alone)
      const read = readItem(item, reading, original)
      if (typeof read === 'string') rejects.push(itemReject(`${reading.where}[${index}]: ${read}`, original()))
      else facts.push(...read)
    }
    return { facts, rejects }
  }

  /** As the vendor wrote it, within what has to be around it. */
  #alone(items: readonly unknown[], index: number, envelope: (item: unknown) => unknown): Buffer {
    this.#spans ??= new JsonSpans(this.#body, this.value)
    return this.#spans.alone(items, index, envelope)
  }
}

/** The facts, or why there are none. */
function readItem<I, F>(
  item: unknown,
  { schema, read }: ItemReading<I, F>,
  original: () => Buffer,
): readonly F[] | string {
  const parsed = schema.safeParse(item)
  if (!parsed.success) return issueOf(parsed.error)
  try {
    const made = read(parsed.data, original)
    return made === undefined ? [] : isList(made) ? made : [made]
  } catch (error) {
    if (isPlatformError(error, 'INVALID_EVENT')) return error.message
    throw error
  }
}

const isList = <F>(made: F | readonly F[]): made is readonly F[] => Array.isArray(made)

/** The first thing that is wrong, in a line: `t: expected number, received string`. */
export function issueOf(error: z.ZodError): string {
  const [issue] = error.issues
  if (issue === undefined) return error.message
  return issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
