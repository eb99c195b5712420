/** The server's own certificate, kept so that clients need to trust it only once. */
import { X509Certificate } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { TlsCertificate } from '../options.js';
import { makeSelfSigned } from '../../util/x509/self-signed.js';
import { writeFileAtomically } from '../store/atomic-file.js';

const hostsOfLoopback = ['localhost', '127.0.0.1', '::1'];
const minRemainingMs = 7 * 86_400_000;

/** Reads the certificate of a data folder; makes one when there is none that fits. */
export async function ownCertificate(folder: string, host: string): Promise<TlsCertificate> {
  const certPath = join(folder, 'tls', 'cert.pem');
  const keyPath = join(folder, 'tls', 'key.pem');
  const [certPem, keyPem] = await Promise.all([readIfThere(certPath), readIfThere(keyPath)]);
  if (certPem !== undefined && keyPem !== undefined && isUsable(certPem, host)) {
    return { certPem, keyPem };
  }
  const made = makeSelfSigned('kvs-bridge local KVS', [...new Set([...hostsOfLoopback, host])]);
  await mkdir(join(folder, 'tls'), { recursive: true });
  await writeFileAtomically(keyPath, made.keyPem, 0o600);
  await writeFileAtomically(certPath, made.certPem);
  return made;
}

function isUsable(certPem: string, host: string): boolean {
  try {
    const certificate = new X509Certificate(certPem);
    const fits = isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host);
    const remainingMs = Date.parse(certificate.validTo) - Date.now();
    return fits !== undefined && remainingMs > minRemainingMs;
  } catch {
    return false;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
