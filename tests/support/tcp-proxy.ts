import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface TcpProxy extends AsyncDisposable {
  readonly port: number
  /** Requests reach the server, and the connection ends the moment it answers: was it done or not? */
  loseAnswers: boolean
}

/** A wire to cut between a client and a server on this machine. */
export async function openTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(targetPort, '127.0.0.1')
    const ends = [client, upstream]
    const cut = () => {
      for (const end of ends) end.destroy()
    }
    client.on('data', (bytes) => upstream.write(bytes))
    upstream.on('data', (bytes) => {
      if (proxy.loseAnswers) cut()
      else client.write(bytes)
    })
    for (const end of ends) {
      sockets.add(end)
      end.on('error', cut)
      end.on('close', () => {
        sockets.delete(end)
        cut()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const proxy: TcpProxy = {
    port: (server.address() as AddressInfo).port,
    loseAnswers: false,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return proxy
}
