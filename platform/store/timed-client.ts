import pg from 'pg'

type Done = (error: Error | null | undefined, result?: pg.QueryResult) => void
interface Statement extends pg.QueryConfig {
  readonly query_timeout?: number
}
type Asked = [statement: string | Statement | pg.Submittable, values?: unknown, done?: Done]
const query = pg.Client.prototype.query as (
  this: pg.Client,
  statement: unknown,
  values?: unknown,
  done?: Done,
) => unknown

/**
 * A client that gives statements up as `query_timeout` says, and whose garbage stays young. node-postgres writes, for the
 * promise and for the timeout of every statement, a function right where it assigns it to a property; V8 takes such functions
 * for long-lived, and until the next full collection they hold the statement with all its values
 * (docs/decisions/0021-garbage-that-stays-young.md). So both are done here.
 */
export class TimedClient extends pg.Client {
  readonly #limitMs: number

  constructor({ query_timeout = 0, ...config }: pg.ClientConfig = {}) {
    super(config)
    this.#limitMs = Number(query_timeout)
  }

  // To TypeScript these types fit all the ways in which a client may be asked.
  override query(...asked: never[]): never {
    return this.#query(...(asked as unknown as Asked)) as never
  }

  #query(...[statement, values, done]: Asked): unknown {
    if (typeof statement === 'object' && 'submit' in statement)
      // A COPY, say. It has as long as the others, but by the clock of node-postgres.
      return query.call(this, Object.assign(statement, { query_timeout: this.#limitMs }), values, done)
    const { query_timeout = this.#limitMs, ...config }: Statement =
      typeof statement === 'string' ? { text: statement } : statement
    if (typeof values === 'function') return this.#ask(config, undefined, query_timeout, values as Done)
    if (done) return this.#ask(config, values, query_timeout, done)
    return new Promise((resolve, reject) => {
      this.#ask(config, values, query_timeout, (error, result) => (error ? reject(error) : resolve(result)))
    })
  }

  /** One that was given up may still be answered, and nobody hears of it: its connection is thrown away. */
  #ask(config: pg.QueryConfig, values: unknown, limitMs: number, done: Done): void {
    let isDone = false
    const finish: Done = (error, result) => {
      if (isDone) return
      isDone = true
      clearTimeout(timer)
      done(error, result)
    }
    // As node-postgres would say it.
    const timer = limitMs > 0 ? setTimeout(() => finish(new Error('Query read timeout')), limitMs) : undefined
    query.call(this, config, values, finish)
  }
}
