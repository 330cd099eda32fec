import { createClient } from 'graphql-ws'
import { WebSocket } from 'ws'

export interface Answer<T> {
  readonly data?: T | null
  readonly errors?: readonly { message: string; extensions?: { code?: string } }[]
}

/** One query over HTTP, as any client sends it. */
export async function query<T>(url: string, text: string, variables: Record<string, unknown> = {}): Promise<Answer<T>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: text, variables }),
  })
  return (await response.json()) as Answer<T>
}

/** The data of a query that must succeed. */
export async function data<T>(url: string, text: string, variables: Record<string, unknown> = {}): Promise<T> {
  const answer = await query<T>(url, text, variables)
  if (answer.errors || !answer.data) throw new Error(JSON.stringify(answer.errors))
  return answer.data
}

export interface Subscription<T> extends Disposable {
  /** What has arrived so far. */
  readonly events: readonly T[]
  readonly errors: readonly unknown[]
  /** Resolves when the server has acknowledged the connection and got the operation. */
  readonly connected: Promise<void>
  readonly ended: Promise<void>
}

/** A subscription over `graphql-ws` on a socket of its own. */
export function subscribe<T>(url: string, text: string, variables: Record<string, unknown> = {}): Subscription<T> {
  const events: T[] = []
  const errors: unknown[] = []
  let connect: () => void = () => undefined
  let end: () => void = () => undefined
  const connected = new Promise<void>((resolve) => (connect = resolve))
  const ended = new Promise<void>((resolve) => (end = resolve))
  const client = createClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    on: { connected: () => connect() },
  })
  client.subscribe<T>(
    { query: text, variables },
    {
      next: ({ data, errors: failures }) => {
        if (data) events.push(data)
        if (failures) errors.push(...failures)
      },
      error: (error) => {
        errors.push(error)
        end()
      },
      complete: end,
    },
  )
  return { events, errors, connected, ended, [Symbol.dispose]: () => void client.dispose() }
}
