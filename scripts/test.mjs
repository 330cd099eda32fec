// The README's test command. Runs every suite whose backend is there, and says at the end how many passed.
//   npm test                    unit, contract and end-to-end suites; real backends where their addresses are exported
//   REQUIRE_SUITES=a;b          (CI) fails where no test of a suite whose name contains each of these has passed, or one was skipped
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Where install scripts were not allowed to run, the database client is not there yet.
spawnSync(process.execPath, [join(import.meta.dirname, 'generate-client.mjs')], { stdio: 'inherit' })

const vitest = join(createRequire(import.meta.url).resolve('vitest/package.json'), '..', 'vitest.mjs')
const folder = mkdtempSync(join(tmpdir(), 'investor-updates-test-'))
const report = join(folder, 'report.json')
const run = spawnSync(
  process.execPath,
  [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...process.argv.slice(2)],
  { stdio: 'inherit' },
)

let results
try {
  results = JSON.parse(readFileSync(report, 'utf8'))
} catch (error) {
  console.error(`The test run left no report: ${error.message}`)
  process.exit(1)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

const tests = results.testResults.flatMap((file) => file.assertionResults)
const passed = tests.filter((test) => test.status === 'passed').length
const skipped = tests.filter((test) => test.status !== 'passed' && test.status !== 'failed')
// A file that cannot be loaded has failed although none of its tests did.
const broken = results.testResults.filter(
  (file) => file.status === 'failed' && file.assertionResults.every((t) => t.status === 'passed'),
)
let failed = tests.filter((test) => test.status === 'failed').length + broken.length

const required = (process.env.REQUIRE_SUITES ?? '').split(';').filter((name) => name !== '')
for (const name of required)
  if (!tests.some((test) => test.status === 'passed' && test.fullName.includes(name))) {
    console.error(`No test of the suite "${name}" has passed, and this run requires it.`)
    failed++
  }
if (required.length > 0)
  for (const test of skipped) {
    console.error(`Skipped, which this run does not allow: ${test.fullName}`)
    failed++
  }
if (run.status !== 0 && failed === 0) failed = 1
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 && passed > 0 ? 0 : 1)
