import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface TcpProxy extends AsyncDisposable {
  readonly port: number
  /** Requests reach the server, and the connection ends the moment it answers: was it done or not? */
  loseAnswers: boolean
  /** Whether the connection ends instead of carrying these bytes of a client to the server. */
  refuses: (bytes: Buffer) => boolean
  /** Ends every connection there is. */
  cut(): void
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
    client.on('data', (bytes) => {
      if (proxy.refuses(bytes)) cut()
      else upstream.write(bytes)
    })
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
    refuses: () => false,
    cut() {
      for (const socket of sockets) socket.destroy()
    },
    async [Symbol.asyncDispose]() {
      proxy.cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return proxy
}
