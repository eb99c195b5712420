/** The certificate that this process shows in DTLS, whoever the peer is. */
import { makeSelfSigned } from '../util/x509/self-signed.js';

let identity: string | undefined;

/**
 * PEM of a self-signed certificate and its P-256 key, which every WebRTC endpoint has to take
 * (RFC 8827, section 6.5): made once in a process, kept in memory alone. Secret.
 */
export function dtlsIdentity(): string {
  if (identity === undefined) {
    const { certPem, keyPem } = makeSelfSigned('WebRTC');
    identity = certPem + keyPem;
  }
  return identity;
}
