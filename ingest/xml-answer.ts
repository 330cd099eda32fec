import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { isPlatformError } from '../domain/errors.ts'
import type { ItemReject, ItemsRead } from './json-answer.ts'
import { decodeEntities, oneLine } from './plain-text.ts'
import { itemReject } from './reject-position.ts'
import { VendorError } from './vendor-error.ts'
import { XmlBytes } from './xml-bytes.ts'

/** A longer document is refused before anything is parsed. */
export const XML_BYTES_MAX = 8 * 1_048_576
const DEPTH_MAX = 50
const CDATA = '#cdata'
const TEXT = '#text'
const ATTRIBUTES = ':@'
// Its type says Symbol, the wrapper, and it is a symbol.
const POSITION = XMLParser.getMetaDataSymbol().valueOf()

/** An element with the names as they are written, prefix included: prefixes of our vendors are fixed. */
export interface XmlElement {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly XmlElement[]
  /** Its own text, references resolved once; what is in CDATA as it stands there. */
  readonly text: string
  /** Whether any of it was in CDATA: then nothing was resolved there, and it is most probably HTML. */
  readonly hasCdata: boolean
  /** As it was written, and where in the text. */
  readonly source: string
  readonly start: number
}

export const childrenOf = (element: XmlElement, name: string): readonly XmlElement[] =>
  element.children.filter((child) => child.name === name)

export const childOf = (element: XmlElement, name: string): XmlElement | undefined =>
  element.children.find((child) => child.name === name)

/** Undefined where there is no such child, or nothing in it. */
export function textIn(element: XmlElement, name: string): string | undefined {
  const text = childOf(element, name)?.text.trim()
  return text === '' ? undefined : text
}

/**
 * What a vendor sent where XML was promised. Documents with a DOCTYPE are refused, so there are no entities but the
 * characters of XML and HTML, nothing to expand, and nothing outside of the document to load.
 */
export class XmlAnswer {
  readonly root: XmlElement
  readonly #vendor: string
  readonly #body: Buffer
  readonly #bytes: XmlBytes

  /** @throws VendorError VENDOR_UNAVAILABLE where it is a page of HTML, VENDOR_ANSWER where it cannot be read. */
  constructor(vendor: string, body: Buffer) {
    this.#vendor = vendor
    this.#body = body
    if (body.length > XML_BYTES_MAX)
      throw this.problem(`the answer has ${body.length} bytes, more than the ${XML_BYTES_MAX} that are read`)
    this.#bytes = this.#decoded(body)
    const { text } = this.#bytes
    if (/^\s*(?:<!--[\s\S]{0,1000}?-->\s*)?<(?:!doctype\s+html|html)\b/i.test(text.slice(0, 2_000)))
      throw new VendorError('VENDOR_UNAVAILABLE', `${vendor} answered with a page where XML was expected`, {
        original: body,
      })
    const [root] = this.#parsed(text)
    if (root === undefined) throw this.problem('the answer is XML without an element')
    this.root = root
  }

  /** The whole answer cannot be used. */
  problem(what: string, cause?: unknown): VendorError {
    return new VendorError('VENDOR_ANSWER', `${this.#vendor}: ${what}`, { original: this.#body, cause })
  }

  /** Element by element: one that is not what it should be becomes a reject that says where, and the others go on. */
  items<F>(
    elements: readonly XmlElement[],
    where: string,
    read: (element: XmlElement, index: number) => readonly F[],
  ): ItemsRead<F> {
    const facts: F[] = []
    const rejects: ItemReject[] = []
    for (const [index, element] of elements.entries()) {
      try {
        facts.push(...read(element, index))
      } catch (error) {
        if (!isPlatformError(error, 'INVALID_EVENT')) throw error
        rejects.push(itemReject(`${where}[${index}]: ${error.message}`, this.#bytes.alone(element)))
      }
    }
    return { facts, rejects }
  }

  #decoded(body: Buffer): XmlBytes {
    try {
      return new XmlBytes(body)
    } catch (cause) {
      throw this.problem('the answer is in an encoding that nobody knows', cause)
    }
  }

  #parsed(text: string): XmlElement[] {
    // The parser itself takes whatever it is given: what was cut off in the middle is found here alone.
    const checked = XMLValidator.validate(text)
    if (checked !== true)
      throw this.problem(`the answer is no XML, line ${checked.err.line}: ${oneLine(checked.err.msg, 200)}`)
    try {
      return elementsOf(parser().parse(text), text)
    } catch (cause) {
      throw this.problem(`the answer is no XML that is read here: ${messageOf(cause)}`, cause)
    }
  }
}

const parser = () =>
  new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseTagValue: false,
    trimValues: false,
    cdataPropName: CDATA,
    captureMetaData: true,
    maxNestedTags: DEPTH_MAX,
    entityDecoder: {
      decode: decodeEntities,
      addInputEntities: () => {
        throw new Error('it has a DOCTYPE')
      },
      setExternalEntities: () => undefined,
      setXmlVersion: () => undefined,
      reset: () => undefined,
    },
  })

/** As the parser gives them: one key with the children or the text, the attributes, and where it was. */
interface ParsedNode {
  readonly [key: string | symbol]: unknown
}

const elementsOf = (nodes: readonly ParsedNode[], text: string): XmlElement[] =>
  nodes.flatMap((node) => {
    const name = nameOf(node)
    return name === undefined || name.startsWith('?') || name.startsWith('#') ? [] : [elementOf(name, node, text)]
  })

function elementOf(name: string, node: ParsedNode, text: string): XmlElement {
  const inner = nodesIn(node[name])
  const { startIndex = 0, endIndex = 0 } = positionIn(node[POSITION])
  return {
    name,
    attributes: new Map(Object.entries(node[ATTRIBUTES] ?? {}).map(([key, value]) => [key, String(value)])),
    children: elementsOf(inner, text),
    text: inner.map(ownText).join(''),
    hasCdata: inner.some((child) => CDATA in child),
    source: text.slice(startIndex, endIndex),
    start: startIndex,
  }
}

const positionIn = (value: unknown): { startIndex?: number; endIndex?: number } => value ?? {}

const nameOf = (node: ParsedNode): string | undefined => Object.keys(node).find((key) => key !== ATTRIBUTES)

const nodesIn = (value: unknown): readonly ParsedNode[] => (Array.isArray(value) ? value : [])

const ownText = (node: ParsedNode): string =>
  TEXT in node ? String(node[TEXT]) : nodesIn(node[CDATA]).map(ownText).join('')

const messageOf = (error: unknown): string => (error instanceof Error ? oneLine(error.message, 200) : String(error))
