import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withCandidates } from '../../lib/bridge/repeated-offer.js';

const sdp =
  'v=0\r\ns=-\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\nm=audio 0 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\n';

describe('withCandidates', () => {
  it('puts each candidate at the end of its media section', () => {
    assert.equal(
      withCandidates(sdp, [
        { candidate: 'candidate:1 1 UDP 1 10.0.0.1 1 typ host', sdpMLineIndex: 0 },
        { candidate: 'candidate:2 1 UDP 1 10.0.0.1 2 typ host', sdpMLineIndex: 1 },
        { candidate: 'candidate:3 1 UDP 1 10.0.0.1 3 typ host' },
      ]),
      'v=0\r\ns=-\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\n' +
        'a=candidate:1 1 UDP 1 10.0.0.1 1 typ host\r\na=candidate:3 1 UDP 1 10.0.0.1 3 typ host\r\n' +
        'm=audio 0 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\na=candidate:2 1 UDP 1 10.0.0.1 2 typ host\r\n',
    );
  });

  it('leaves out what has no section, and what no longer fits', () => {
    assert.equal(withCandidates(sdp, [{ candidate: 'candidate:x', sdpMLineIndex: 9 }]), sdp);
    assert.equal(withCandidates(sdp, [{ candidate: '', sdpMLineIndex: 0 }]), sdp);
    const many = Array.from({ length: 500 }, (_, index) => ({
      candidate: `candidate:${String(index)} 1 UDP 1 10.0.0.1 1 typ host`,
      sdpMLineIndex: 0,
    }));
    assert.ok(withCandidates(sdp, many).length <= 7_000);
  });
});
