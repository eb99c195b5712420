/** An offer that is sent again carries its candidates along: one message instead of a dozen. */
import type { IceCandidate } from '../signaling/messages.js';

/** Room within the service's limit of 10,000 characters of base64 for a payload. */
const maxSdpLength = 7_000;

/**
 * Adds the candidates gathered so far to the media sections they belong to (RFC 8839, section 5.1).
 * Those that no longer fit are left out.
 */
export function withCandidates(sdp: string, candidates: readonly IceCandidate[]): string {
  const [session = '', ...sections] = sdp.split(/(?=^m=)/m);
  let length = sdp.length;
  for (const { candidate, sdpMLineIndex = 0 } of candidates) {
    const line = `a=${candidate}\r\n`;
    const section = sections[sdpMLineIndex];
    if (candidate === '' || section === undefined || length + line.length > maxSdpLength) continue;
    sections[sdpMLineIndex] = section + line;
    length += line.length;
  }
  return session + sections.join('');
}
