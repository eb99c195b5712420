/** What an operator sees of a recording: health, metrics and traces, against what really happened. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestMaster } from '../../lib/index.js';
import { Cli } from '../support/cli.js';
import { LocalStack } from '../support/local-stack.js';
import { OtlpReceiver, attributesOf } from '../support/otlp-receiver.js';
import type { ReceivedSpan } from '../support/otlp-receiver.js';
import { childrenOf } from '../support/processes.js';
import { Scrape } from '../support/prometheus.js';
import { readStoredMedia } from '../support/stored-media.js';

/** For a machine that runs much else. */
const deadlineMs = 120_000;
const small = { width: 480, height: 270, videoBitrateBps: 300_000 } as const;

interface Readyz {
  readonly status: number;
  readonly state: string;
  readonly reason?: string;
}

/** Asks the command's own server. */
class Operator {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async readyz(): Promise<Readyz> {
    const response = await fetch(`${this.#url}/readyz`);
    const body = (await response.json()) as { readonly bridges: readonly Readyz[] };
    const [bridge] = body.bridges;
    assert.ok(bridge !== undefined);
    return { ...bridge, status: response.status };
  }

  async scrape(): Promise<Scrape> {
    const response = await fetch(`${this.#url}/metrics`);
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain/);
    return new Scrape(await response.text());
  }

  async untilReady(fits: (answer: Readyz) => boolean): Promise<Readyz> {
    return until(() => this.readyz(), fits);
  }

  async untilScrape(fits: (scrape: Scrape) => boolean): Promise<Scrape> {
    return until(() => this.scrape(), fits);
  }
}

async function until<T>(read: () => Promise<T>, fits: (value: T) => boolean): Promise<T> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const value = await read();
    if (fits(value)) return value;
    assert.ok(
      performance.now() < endMs,
      `not within the deadline: ${JSON.stringify(value).slice(0, 2_000)}`,
    );
    await sleep(50);
  }
}

/** In the order of time. */
function childrenIn(spans: readonly ReceivedSpan[], parent: ReceivedSpan): readonly string[] {
  return spans
    .filter(({ parentSpanId }) => parentSpanId === parent.spanId)
    .sort((a, b) => Number(BigInt(a.endTimeUnixNano) - BigInt(b.endTimeUnixNano)))
    .map(({ name }) => name);
}

function checkTraces(traces: OtlpReceiver, stack: LocalStack): void {
  const { spans, resource } = traces;
  assert.deepEqual([...traces.paths], ['/v1/traces']);
  assert.equal(resource['service.name'], 'front-door-recorder');
  assert.match(resource['service.version'] ?? '', /^\d+\.\d+\.\d+/);
  const [start, ...others] = spans.filter(({ name }) => name === 'kvs-bridge start');
  assert.ok(start !== undefined && others.length === 0);
  assert.deepEqual(childrenIn(spans, start), [
    'resources',
    'signaling',
    'offer',
    'answer',
    'connected',
    'media',
    'uploading',
    'persisted',
  ]);
  const reconnects = spans.filter(({ name }) => name === 'kvs-bridge reconnect');
  const reconnect = reconnects.find(
    ({ attributes }) => attributesOf(attributes)['error.type'] === 'KVSB_MEDIA_PROCESS',
  );
  assert.ok(reconnect !== undefined, JSON.stringify(reconnects));
  assert.equal(attributesOf(reconnect.attributes)['kvs_bridge.stream'], stack.stream);
  assert.deepEqual(
    reconnect.links.map(({ spanId }) => spanId),
    [start.spanId],
  );
  assert.notEqual(reconnect.traceId, start.traceId);
  const steps = childrenIn(spans, reconnect);
  for (const step of ['offer', 'answer', 'connected', 'media', 'persisted']) {
    assert.ok(steps.includes(step), `${step} in ${steps.join()}`);
  }
  const { secretAccessKey, accessKeyId } = stack.credentials;
  for (const body of traces.bodies) {
    assert.ok(!body.includes(secretAccessKey) && !body.includes(accessKeyId));
  }
}

describe('an operator', () => {
  it('sees whether it records, what is stored, what was lost and why', async () => {
    await using traces = await OtlpReceiver.start();
    await using stack = await LocalStack.start();
    let fragments = 0;
    stack.kvs.on('fragment', () => (fragments += 1));
    const args = ['--local', stack.kvs.url, '--channel', stack.channel, '--stream', stack.stream];
    using cli = new Cli(['start', ...args, '--sink', 'putmedia', '--json'], {
      KVS_BRIDGE_HTTP_PORT: '0',
      KVS_BRIDGE_PERSIST_TIMEOUT: '3',
      STATE_DIRECTORY: stack.spoolDir,
      OTEL_EXPORTER_OTLP_ENDPOINT: traces.url,
      OTEL_SERVICE_NAME: 'front-door-recorder',
    });
    const { url } = await cli.until('http');
    const operator = new Operator(String(url));
    assert.match(String(url), /^http:\/\/127\.0\.0\.1:\d+$/);
    const waiting = await operator.untilReady(({ state }) => state === 'waiting');
    assert.equal(waiting.status, 503);

    await using master = new TestMaster({ ...stack.connection, ...small });
    await master.start();
    const recording = await operator.untilReady(({ status }) => status === 200);
    assert.equal(recording.state, 'recording');
    const measured = await operator.untilScrape(
      (scrape) =>
        scrape.sum('kvs_bridge_round_trip_seconds') !== undefined &&
        scrape.sum('kvs_bridge_av_skew_seconds') !== undefined,
    );
    const path = { local: 'host', remote: 'host', protocol: 'udp' };
    assert.equal(measured.sum('kvs_bridge_ice_candidate_pair', path), 1);
    assert.equal(measured.sum('kvs_bridge_state'), 1);
    assert.equal(measured.sum('kvs_bridge_ice_relayed_seconds_total'), 0);
    const near = Math.abs(measured.sum('kvs_bridge_av_skew_seconds') ?? Infinity);
    assert.ok(near < 5, `sound and picture are ${near} s apart`);
    assert.ok((measured.sum('kvs_bridge_media_process_resident_memory_bytes') ?? 0) > 20e6);

    const [mediaProcess] = await childrenOf(cli.child.pid);
    assert.ok(mediaProcess !== undefined);
    process.kill(mediaProcess, 'SIGKILL');
    const after = await operator.untilScrape(
      (scrape) => scrape.sum('kvs_bridge_gaps_total', { cause: 'media-process' }) === 1,
    );
    assert.ok((after.sum('kvs_bridge_gap_seconds_total', { cause: 'media-process' }) ?? 0) > 0);
    assert.equal(after.sum('kvs_bridge_reconnects_total', { cause: 'KVSB_MEDIA_PROCESS' }), 1);

    master.setSending({ video: false, audio: false });
    const degraded = await operator.untilReady(({ state }) => state === 'degraded');
    assert.equal(degraded.status, 503);
    assert.match(degraded.reason ?? '', /no PERSISTED for 3 s/);
    const end = await operator.untilScrape(
      (scrape) => scrape.sum('kvs_bridge_spool_fragments') === 0,
    );
    const bridge = { channel: stack.channel, stream: stack.stream };
    const acked = end.sum('kvs_bridge_fragment_acks_total', { ...bridge, type: 'persisted' });
    assert.equal(acked, fragments);
    // What the killed process left is stored too, and has no lag.
    const timely = end.sum('kvs_bridge_persist_lag_seconds_count') ?? 0;
    assert.ok(timely > 0 && timely <= fragments, `${timely} of ${fragments}`);
    assert.ok((end.sum('kvs_bridge_sessions_total') ?? 0) >= 2);
    assert.ok((end.sum('kvs_bridge_epochs_total') ?? 0) >= 2);
    const stored = await readStoredMedia(stack);
    const archived = stored.fragments.reduce((sum, { videoMs }) => sum + videoMs.length, 0);
    assert.equal(end.sum('kvs_bridge_frames_stored_total', { kind: 'video' }) ?? 0, archived);
    const received = end.sum('kvs_bridge_frames_received_total', { kind: 'video' }) ?? 0;
    assert.ok(received >= archived - 90 && received <= master.framesSent, `${received} received`);

    cli.child.kill('SIGTERM');
    const { exitCode, stderr, events } = await cli.end();
    assert.equal(exitCode, 0, stderr);
    const lost = events
      .filter(({ event, recovered }) => event === 'lost' && recovered !== true)
      .reduce((sum, { videoFrames }) => sum + Number(videoFrames), 0);
    assert.equal(end.sum('kvs_bridge_video_frames_lost_total'), lost);
    checkTraces(traces, stack);
  });
});
