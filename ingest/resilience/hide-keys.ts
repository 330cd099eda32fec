/** Shorter ones (`demo`) are words that may stand anywhere, and no secrets. */
const SECRET_LENGTH_MIN = 8

/** Takes keys out of what others wrote: vendors repeat them in their messages, libraries in their errors. */
export class HideKeys {
  readonly #secrets: readonly string[]

  constructor(keys: readonly string[]) {
    const forms = keys.flatMap((key) => [key, encodeURIComponent(key), JSON.stringify(key).slice(1, -1)])
    this.#secrets = [...new Set(forms)].filter((form) => form.length >= SECRET_LENGTH_MIN)
  }

  inText(text: string): string {
    return this.#secrets.reduce((clean, secret) => clean.replaceAll(secret, '*'.repeat(secret.length)), text)
  }

  /** The same length, so that what points into the bytes still does. The same buffer where there was nothing to hide. */
  inBytes(bytes: Buffer): Buffer {
    let clean = bytes
    for (const secret of this.#secrets)
      for (let at = clean.indexOf(secret); at >= 0; at = clean.indexOf(secret, at)) {
        if (clean === bytes) clean = Buffer.from(bytes)
        clean.fill('*', at, at + Buffer.byteLength(secret))
      }
    return clean
  }
}
