import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createConnection, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const START_LIMIT_MS = 10_000

/** A Redis of the test's own, to be stopped, killed and frozen without disturbing anybody else's. */
export class RedisServer implements AsyncDisposable {
  readonly port: number
  readonly #args: readonly string[]
  #process: ChildProcess | undefined

  /** Nothing runs before `start`. `args` are those of redis-server, e.g. `--requirepass`. */
  static async on(port?: number, args: readonly string[] = []): Promise<RedisServer> {
    return new RedisServer(port ?? (await freePort()), args)
  }

  static async overTls(files: { readonly cert: string; readonly key: string }): Promise<RedisServer> {
    const port = await freePort()
    const own = ['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no']
    return new RedisServer(port, [...own, '--tls-cert-file', files.cert, '--tls-key-file', files.key])
  }

  private constructor(port: number, args: readonly string[]) {
    this.port = port
    this.#args = args
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  async start(): Promise<this> {
    const binary = process.env.REDIS_SERVER_BIN ?? 'redis-server'
    const args = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...this.#args]
    const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#process = child
    let output = ''
    child.stdout?.on('data', (chunk) => {
      output += chunk
    })
    const giveUpMs = performance.now() + START_LIMIT_MS
    while (!(await accepts(this.port))) {
      if (child.exitCode !== null || performance.now() > giveUpMs)
        throw new Error(`${binary} did not start on port ${this.port}:\n${output}`)
      await sleep(20)
    }
    return this
  }

  async kill(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (!child || child.exitCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  /** It keeps its sockets open and answers nothing, as behind a network that swallows packets. */
  freeze(): void {
    this.#process?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#process?.kill('SIGCONT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('Expected a port')
  return address.port
}
