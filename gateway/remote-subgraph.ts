import { readFileSync } from 'node:fs'
import { PlatformError } from '../domain/errors.ts'
import type { SubgraphPlace } from './subgraph-executor.ts'

/** A subgraph of ours that another process serves: composed by its committed schema, so that it need not run yet. */
export const remoteSubgraph = (name: string, url: string): SubgraphPlace => ({
  kind: 'remote',
  sdl: readFileSync(new URL(`../subgraphs/${name}/schema.graphql`, import.meta.url), 'utf8'),
  url,
})

/** For readiness. @throws SUBGRAPH_UNAVAILABLE where it does not answer. */
export async function pingSubgraph(name: string, url: string): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"query":"{ __typename }"}',
  }).catch((cause: unknown) => {
    throw new PlatformError('SUBGRAPH_UNAVAILABLE', `The subgraph ${name} cannot be reached`, { cause })
  })
  await response.body?.cancel()
  if (!response.ok) throw new PlatformError('SUBGRAPH_UNAVAILABLE', `The subgraph ${name} answered ${response.status}`)
}
