import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { ManualClock } from './clock.ts'
import { type Host, Lifecycle, runUntilStopped } from './lifecycle.ts'
import { silentLog } from './log.ts'

/** A part that writes down when it starts and stops. */
const part =
  (name: string, happened: string[], stop: () => Promise<void> = async () => {}) =>
  async () => {
    happened.push(`start ${name}`)
    return {
      name,
      async [Symbol.asyncDispose]() {
        await stop()
        happened.push(`stop ${name}`)
      },
    }
  }

const never = () => new Promise<void>(() => {})

describe('Lifecycle', () => {
  test('parts stop in the reverse of the order they started in', async () => {
    const happened: string[] = []
    const lifecycle = new Lifecycle({ log: silentLog })
    for (const name of ['store', 'bus', 'gateway']) await lifecycle.start(name, part(name, happened))
    expect(await lifecycle.stop()).toEqual({ late: [], failed: [] })
    expect(happened).toEqual(['start store', 'start bus', 'start gateway', 'stop gateway', 'stop bus', 'stop store'])
  })

  test('start gives back what the part opened', async () => {
    await using lifecycle = new Lifecycle({ log: silentLog })
    expect((await lifecycle.start('bus', part('bus', []))).name).toBe('bus')
    expect(await lifecycle.start('migrate', async () => 3)).toBe(3)
  })

  test('when the third part does not start, the second and the first are stopped', async () => {
    const happened: string[] = []
    const lifecycle = new Lifecycle({ log: silentLog })
    await lifecycle.start('store', part('store', happened))
    await lifecycle.start('bus', part('bus', happened))
    await expect(lifecycle.start('gateway', () => Promise.reject(new Error('port taken')))).rejects.toThrow(
      'port taken',
    )
    expect(happened).toEqual(['start store', 'start bus', 'stop bus', 'stop store'])
    expect(await lifecycle.ended).toMatchObject({ why: 'failed', part: 'gateway' })
  })

  test('the signal aborts before the first part is stopped', async () => {
    const lifecycle = new Lifecycle({ log: silentLog })
    let abortedAtStop = false
    const stop = async () => {
      abortedAtStop = lifecycle.signal.aborted
    }
    await lifecycle.start('source', part('source', [], stop))
    expect(lifecycle.signal.aborted).toBe(false)
    await lifecycle.stop()
    expect(abortedAtStop).toBe(true)
  })

  test('stopping twice stops each part once', async () => {
    const happened: string[] = []
    const lifecycle = new Lifecycle({ log: silentLog })
    await lifecycle.start('bus', part('bus', happened))
    await Promise.all([lifecycle.stop(), lifecycle.stop(), lifecycle[Symbol.asyncDispose]()])
    expect(happened).toEqual(['start bus', 'stop bus'])
  })

  test('whoever stops again waits for the same stop and gets the same report', async () => {
    const lifecycle = new Lifecycle({ log: silentLog })
    const gate = Promise.withResolvers<void>()
    const stop = async () => {
      await gate.promise
      throw new Error('broken pipe')
    }
    await lifecycle.start('bus', part('bus', [], stop))
    const stops = Promise.all([lifecycle.stop(), lifecycle.stop()])
    gate.resolve()
    expect(await stops).toEqual([
      { late: [], failed: ['bus'] },
      { late: [], failed: ['bus'] },
    ])
  })

  test('a part that hangs is named and the others still get their share of the time', async () => {
    const happened: string[] = []
    const clock = new ManualClock()
    const lifecycle = new Lifecycle({ log: silentLog, clock, stopLimitMs: 3_000 })
    await lifecycle.start('store', part('store', happened))
    await lifecycle.start('bus', part('bus', happened, never))
    await lifecycle.start('gateway', part('gateway', happened, never))
    const stopped = lifecycle.stop()
    await expect.poll(() => clock.sleeping).toBe(1)
    await clock.advance(1_000)
    await expect.poll(() => clock.sleeping).toBe(1)
    await clock.advance(1_000)
    expect(await stopped).toEqual({ late: ['gateway', 'bus'], failed: [] })
    expect(happened).toContain('stop store')
    expect(clock.now()).toBe(2_000)
  })

  test('a part that fails to stop is named and the others stop', async () => {
    const happened: string[] = []
    const lifecycle = new Lifecycle({ log: silentLog })
    await lifecycle.start('store', part('store', happened))
    await lifecycle.start(
      'bus',
      part('bus', happened, () => Promise.reject(new Error('broken pipe'))),
    )
    expect(await lifecycle.stop()).toEqual({ late: [], failed: ['bus'] })
    expect(happened).toContain('stop store')
  })

  test('a part that opens only after the stop began is stopped, too', async () => {
    const happened: string[] = []
    const lifecycle = new Lifecycle({ log: silentLog })
    const gate = Promise.withResolvers<void>()
    await lifecycle.start('store', part('store', happened))
    const starting = lifecycle.start('bus', async () => {
      await gate.promise
      return part('bus', happened)()
    })
    const refused = expect(starting).rejects.toThrow('bus was not started')
    const stopped = lifecycle.stop()
    gate.resolve()
    await refused
    expect(await stopped).toEqual({ late: [], failed: [] })
    expect(happened).toEqual(['start store', 'start bus', 'stop bus', 'stop store'])
  })

  test('a part whose opening was cut short by the stop takes nothing else with it', async () => {
    const happened: string[] = []
    const lifecycle = new Lifecycle({ log: silentLog })
    await lifecycle.start('store', part('store', happened))
    const starting = lifecycle.start('bus', async (signal) => {
      await once(signal, 'abort')
      throw signal.reason
    })
    const refused = expect(starting).rejects.toThrow('aborted')
    expect(await lifecycle.stop()).toEqual({ late: [], failed: [] })
    await refused
    expect(happened).toEqual(['start store', 'stop store'])
  })

  test('nothing starts any more once stopping has begun', async () => {
    const happened: string[] = []
    const lifecycle = new Lifecycle({ log: silentLog })
    await lifecycle.stop()
    await expect(lifecycle.start('bus', part('bus', happened))).rejects.toThrow('everything is being stopped')
    expect(happened).toEqual([])
  })

  test('the first reason to end is the one that counts', async () => {
    await using lifecycle = new Lifecycle({ log: silentLog })
    lifecycle.fail('ticks', new Error('offset lost'))
    lifecycle.ask('SIGTERM')
    lifecycle.finish()
    expect(await lifecycle.ended).toMatchObject({ why: 'failed', part: 'ticks' })
  })
})

class FakeHost extends EventEmitter implements Host {
  readonly exits: number[] = []
  exit(code: number): void {
    this.exits.push(code)
  }
}

describe('runUntilStopped', () => {
  const run = (start: (lifecycle: Lifecycle) => Promise<void>) => {
    const host = new FakeHost()
    const clock = new ManualClock()
    return { host, clock, ran: runUntilStopped(start, { log: silentLog, host, clock }) }
  }

  test('SIGTERM stops everything, then exits with 0', async () => {
    const happened: string[] = []
    const { host, ran } = run(async (lifecycle) => {
      await lifecycle.start('bus', part('bus', happened))
    })
    await expect.poll(() => happened).toEqual(['start bus'])
    host.emit('SIGTERM', 'SIGTERM')
    await ran
    expect(happened).toEqual(['start bus', 'stop bus'])
    expect(host.exits).toEqual([0])
    expect(host.eventNames()).toEqual([])
  })

  test('a run that has finished exits with 0', async () => {
    const { host, ran } = run(async (lifecycle) => lifecycle.finish())
    await ran
    expect(host.exits).toEqual([0])
  })

  test('a part that fails ends the run with 1', async () => {
    const happened: string[] = []
    const { host, ran } = run(async (lifecycle) => {
      await lifecycle.start('bus', part('bus', happened))
      lifecycle.fail('ticks', new Error('offset lost'))
    })
    await ran
    expect(happened).toEqual(['start bus', 'stop bus'])
    expect(host.exits).toEqual([1])
  })

  test('a start that fails ends the run with 1', async () => {
    const { host, ran } = run(() => Promise.reject(new Error('no such role')))
    await ran
    expect(host.exits).toEqual([1])
  })

  test('a signal while a part is starting cuts the start short and exits with 0', async () => {
    const happened: string[] = []
    const { host, ran } = run(async (lifecycle) => {
      await lifecycle.start('store', part('store', happened))
      await lifecycle.start('bus', (signal) => once(signal, 'abort'))
      await lifecycle.start('gateway', part('gateway', happened))
    })
    await expect.poll(() => happened).toEqual(['start store'])
    host.emit('SIGINT', 'SIGINT')
    await ran
    expect(happened).toEqual(['start store', 'stop store'])
    expect(host.exits).toEqual([0])
  })

  test('a second signal does not wait any longer', async () => {
    const happened: string[] = []
    const { host } = run(async (lifecycle) => {
      await lifecycle.start('bus', part('bus', happened, never))
    })
    await expect.poll(() => happened).toEqual(['start bus'])
    host.emit('SIGINT', 'SIGINT')
    expect(host.exits).toEqual([])
    host.emit('SIGINT', 'SIGINT')
    expect(host.exits).toEqual([130])
  })

  test('a part that does not stop in time makes the exit code 1', async () => {
    const { host, clock, ran } = run(async (lifecycle) => {
      await lifecycle.start('bus', part('bus', [], never))
      lifecycle.finish()
    })
    await expect.poll(() => clock.sleeping).toBe(1)
    await clock.advance(20_000)
    await ran
    expect(host.exits).toEqual([1])
  })

  test('a part that fails to stop makes the exit code 1', async () => {
    const { host, ran } = run(async (lifecycle) => {
      await lifecycle.start(
        'bus',
        part('bus', [], () => Promise.reject(new Error('broken pipe'))),
      )
      lifecycle.finish()
    })
    await ran
    expect(host.exits).toEqual([1])
  })

  test('an error nobody caught stops everything, then exits with 1', async () => {
    const happened: string[] = []
    const { host, ran } = run(async (lifecycle) => {
      await lifecycle.start('bus', part('bus', happened))
    })
    await expect.poll(() => happened).toEqual(['start bus'])
    host.emit('uncaughtException', new Error('bug'), 'uncaughtException')
    await ran
    expect(happened).toEqual(['start bus', 'stop bus'])
    expect(host.exits).toEqual([1])
  })

  test('a second error nobody caught exits at once', async () => {
    const { host } = run(async (lifecycle) => {
      await lifecycle.start('bus', part('bus', [], never))
    })
    host.emit('uncaughtException', new Error('bug'), 'uncaughtException')
    host.emit('uncaughtException', new Error('bug while stopping'), 'uncaughtException')
    expect(host.exits).toEqual([1])
  })
})

describe('a real process', () => {
  const program = (body: string) => {
    const at = (file: string) => JSON.stringify(new URL(file, import.meta.url).href)
    const source = `
      import { runUntilStopped } from ${at('lifecycle.ts')}
      import { openLog } from ${at('log.ts')}
      const alive = setInterval(() => {}, 1000)
      const stopped = { async [Symbol.asyncDispose]() { console.log('stopped') } }
      await runUntilStopped(async (lifecycle) => {
        await lifecycle.start('bus', async () => stopped)
        ${body}
      }, { log: openLog('info') })`
    return spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'pipe'] })
  }

  async function outcome(child: ReturnType<typeof program>) {
    let out = ''
    let log = ''
    child.stdout.on('data', (chunk) => {
      out += chunk
      if (String(chunk).includes('ready')) child.kill('SIGTERM')
    })
    child.stderr.on('data', (chunk) => {
      log += chunk
    })
    const [code] = await once(child, 'close')
    return { code, out, log }
  }

  test('stops in order on SIGTERM and exits with 0', async () => {
    const { code, out } = await outcome(program("console.log('ready')"))
    expect(out).toBe('ready\nstopped\n')
    expect(code).toBe(0)
  })

  test('logs a rejection nobody handled, stops in order, exits with 1', async () => {
    const { code, out, log } = await outcome(program("void Promise.reject(new Error('forgotten'))"))
    expect(out).toBe('stopped\n')
    expect(log).toContain('forgotten')
    expect(log).toContain('unhandledRejection')
    expect(code).toBe(1)
  })
})
