import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate for 127.0.0.1 that nobody else has signed, and its key, as PEM files. Needs openssl. */
export function selfSigned() {
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'))
  const cert = join(folder, 'cert.pem')
  const key = join(folder, 'key.pem')
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost']
  execFileSync('openssl', [...request, '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert], {
    stdio: 'pipe',
  })
  return { folder, cert, key, [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }) }
}
