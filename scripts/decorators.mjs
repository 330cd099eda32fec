// node --import ./scripts/decorators.mjs main.ts
// Node runs TypeScript by itself, except for decorators: files that have some go through esbuild (docs/decisions/0022).
import { registerHooks } from 'node:module'
import { transformSync } from 'esbuild'

const DECORATOR = /^\s*@[A-Z]\w*\(/m

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (loaded.format !== 'module-typescript' || !DECORATOR.test(String(loaded.source))) return loaded
    const { code } = transformSync(String(loaded.source), {
      loader: 'ts',
      format: 'esm',
      target: 'node24',
      sourcefile: url,
      sourcemap: 'inline',
      // As in tsconfig.json.
      tsconfigRaw: { compilerOptions: { experimentalDecorators: true, useDefineForClassFields: true } },
    })
    return { format: 'module', source: code }
  },
})
