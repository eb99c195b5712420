/** Seeded generation of what a hostile or broken peer may send. */

/** A small seeded generator (mulberry32): the same seed gives the same messages. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A well-formed answer to the bridge's offer, to damage. */
export const answerTemplate = [
  'v=0',
  'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE video0 audio1',
  'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
  'c=IN IP4 0.0.0.0',
  'a=rtcp:9 IN IP4 0.0.0.0',
  'a=ice-ufrag:4ZcD',
  'a=ice-pwd:2/1muCWoOi3uLifh0NuRHlsA',
  'a=ice-options:trickle',
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, (_, i) => (i + 100).toString(16).toUpperCase()).join(':')}`,
  'a=setup:active',
  'a=mid:video0',
  'a=sendonly',
  'a=rtcp-mux',
  'a=rtpmap:96 H264/90000',
  'a=rtcp-fb:96 nack pli',
  'a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
  'a=rtpmap:97 rtx/90000',
  'a=fmtp:97 apt=96',
  'a=ssrc:2231627014 cname:4TOk42mSjXCkVIa6',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'c=IN IP4 0.0.0.0',
  'a=ice-ufrag:4ZcD',
  'a=ice-pwd:2/1muCWoOi3uLifh0NuRHlsA',
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, (_, i) => (i + 100).toString(16).toUpperCase()).join(':')}`,
  'a=setup:active',
  'a=mid:audio1',
  'a=sendonly',
  'a=rtcp-mux',
  'a=rtpmap:111 opus/48000/2',
] as const;

const candidateTemplate = 'candidate:842163049 1 udp 1677729535 127.0.0.1 46154 typ host';

const nasty = [
  '',
  '\0',
  '\r\n',
  '%s%n',
  '-1',
  '99999999999999999999',
  'NaN',
  '{',
  '"',
  '\u{1F4A9}',
  ' ',
  'a'.repeat(4_000),
];

function pick<T>(random: () => number, values: readonly [T, ...T[]] | readonly T[]): T {
  const value = values[Math.floor(random() * values.length)];
  if (value === undefined) throw new RangeError('nothing to pick from');
  return value;
}

/** One to four random edits of a text: bytes flipped, parts cut, doubled or replaced. */
export function damage(text: string, random: () => number): string {
  let result = text;
  const edits = 1 + Math.floor(random() * 4);
  for (let edit = 0; edit < edits; edit += 1) {
    const from = Math.floor(random() * (result.length + 1));
    const length = Math.floor(random() * 24);
    const part = result.slice(from, from + length);
    const replacement = pick(random, [
      '',
      part + part,
      pick(random, nasty),
      String.fromCharCode(Math.floor(random() * 256)),
    ]);
    result = result.slice(0, from) + replacement + result.slice(from + length);
  }
  return result;
}

/** An SDP answer with lines dropped, doubled, shuffled or damaged; never the template itself. */
export function damagedAnswer(random: () => number): string {
  const lines: string[] = [...answerTemplate];
  const edits = 1 + Math.floor(random() * 5);
  for (let edit = 0; edit < edits; edit += 1) {
    const at = Math.floor(random() * lines.length);
    const line = lines[at] ?? '';
    const change = Math.floor(random() * 4);
    if (change === 0) lines.splice(at, 1);
    else if (change === 1) lines.splice(at, 0, line);
    else if (change === 2) lines[at] = damage(line, random);
    else lines.splice(Math.floor(random() * lines.length), 0, ...lines.splice(at, 1));
  }
  return `${lines.join('\r\n')}\r\n`;
}

/** A payload as the relay passes it on: base64 of JSON that is damaged on one level or another. */
export function hostilePayload(random: () => number): {
  readonly action: 'SDP_ANSWER' | 'ICE_CANDIDATE';
  readonly payload: string;
} {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const kind = Math.floor(random() * 6);
  const answer = JSON.stringify({ type: 'answer', sdp: damagedAnswer(random) });
  const candidate = {
    candidate: damage(candidateTemplate, random),
    sdpMid: pick(random, ['0', 'video0', '', 'x'.repeat(300)]),
    sdpMLineIndex: pick<unknown>(random, [0, 1, 2, 17, -1, 1e9, null, '0']),
  };
  switch (kind) {
    case 0:
      return { action: 'SDP_ANSWER', payload: base64(damage(answer, random)) };
    case 1:
      return { action: 'ICE_CANDIDATE', payload: base64(JSON.stringify(candidate)) };
    case 2:
      return {
        action: 'ICE_CANDIDATE',
        payload: base64(damage(JSON.stringify(candidate), random)),
      };
    case 3:
      return { action: 'SDP_ANSWER', payload: damage(base64(answer), random).slice(0, 9_000) };
    case 4:
      return {
        action: pick(random, ['SDP_ANSWER', 'ICE_CANDIDATE'] as const),
        payload: base64(
          JSON.stringify(
            pick<unknown>(random, [null, 1, [], {}, 'x', { type: 'answer' }, { sdp: 1 }]),
          ),
        ),
      };
    default:
      return { action: 'SDP_ANSWER', payload: base64(answer) };
  }
}
