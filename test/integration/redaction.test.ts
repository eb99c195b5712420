/** Secrets go in by every way there is; whatever kvs-bridge says or writes then has none of them. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { localCredentials } from '../../lib/index.js';
import { PublishedViewer } from '../../lib/publisher/published-viewer.js';
import type { SignalingClient } from '../../lib/signaling/signaling-client.js';
import { Cli, runCommand } from '../support/cli.js';
import { Disposers } from '../support/disposers.js';
import { LocalStack } from '../support/local-stack.js';
import { ownAddress } from '../support/own-address.js';
import { missingSink, sinkArguments } from '../support/sinks.js';
import type { SinkName } from '../support/sinks.js';

/** Distinctive, in the forms that the real ones have. */
const secrets = {
  accessKeyId: 'ASIAREDACTME7QXKEYID',
  secretAccessKey: 'redactMe+Secret/Access7KeyWithFortyChars',
  sessionToken: 'IQoJredactMe//////////wEaCXVzLWVhc3QtMSJ+token/of/a/session==',
  turnUsername: 'MTc2MzpyZWRhY3QtbWUtdHVybi11c2Vy',
  turnPassword: 'cmVkYWN0LW1lLXR1cm4tcGFzc3dvcmQ=',
  urlPassword: 'redact-me-url-password',
  otlpToken: 'redact-me-otlp-token',
  signature: 'd0d0caca5e9e7a5e1f2f3f4f5f6f7f8f9f0fafbfcfdfefff0123456789abcdef',
  rubbishPassword: 'redactMeRubbishIcePassword',
} as const;

const awsEnvironment = {
  AWS_ACCESS_KEY_ID: secrets.accessKeyId,
  AWS_SECRET_ACCESS_KEY: secrets.secretAccessKey,
  AWS_SESSION_TOKEN: secrets.sessionToken,
};

/** As much as there is to say of what holds secrets; all at 7 is more than the log takes. */
const talkative = {
  KVS_BRIDGE_LOG_LEVEL: 'trace',
  KVS_BRIDGE_GST_DEBUG: 'webrtc*:7,dtls*:5,srtp*:5,*sdp*:7,3',
  KVS_BRIDGE_LOG_FORMAT: 'json',
};

const presignedUrl =
  `wss://v-1.example.com/?X-Amz-Credential=${secrets.accessKeyId}%2F20260101&` +
  `X-Amz-Security-Token=${encodeURIComponent(secrets.sessionToken)}&X-Amz-Signature=${secrets.signature}`;

const authorization =
  `Authorization: AWS4-HMAC-SHA256 Credential=${secrets.accessKeyId}/20260101/us-east-1, ` +
  `SignedHeaders=host, Signature=${secrets.signature}`;

/** A service that refuses every call and quotes it, as AWS does with a signature that is wrong. */
class QuotingService implements AsyncDisposable {
  readonly #server = createServer((request, response) => {
    this.#refuse(request, response);
  });
  heard = '';

  static async start(): Promise<QuotingService> {
    const service = new QuotingService();
    service.#server.listen(0, '127.0.0.1');
    await once(service.#server, 'listening');
    return service;
  }

  get host(): string {
    return `127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #refuse(request: IncomingMessage, response: ServerResponse): void {
    const lines = Object.entries(request.headers).map(
      ([name, value]) => `${name}:${String(value)}`,
    );
    const quoted = [request.method, request.url, ...lines].join('\n');
    this.heard += quoted;
    request.resume();
    // What matters first: a long message is cut.
    const message =
      `The signature of ${secrets.secretAccessKey} with ` +
      `x-amz-security-token:${String(request.headers['x-amz-security-token'])} does not match, ` +
      `see ${presignedUrl}, Canonical String: '${quoted}'`;
    response.writeHead(403, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify({ __type: 'InvalidSignatureException', message }));
  }
}

/** A TURN server that only counts: who asks it has been given its address and credentials. */
async function silentTurnServer(
  disposers: Disposers,
): Promise<{ readonly uri: string; readonly packets: () => number }> {
  const socket = createSocket('udp4');
  let packets = 0;
  socket.on('message', () => (packets += 1));
  const address = ownAddress();
  socket.bind(0, address);
  await once(socket, 'listening');
  disposers.defer(() => socket.close());
  const uri = `turn:${address}:${String(socket.address().port)}?transport=udp`;
  return { uri, packets: () => packets };
}

function icePasswordsOf(sdp: string): readonly string[] {
  return [...sdp.matchAll(/^a=ice-pwd:(\S+)/gm)].map(([, password = '']) => password);
}

/** A master that answers with rubbish, and then in earnest. */
class TwoFacedMaster implements AsyncDisposable {
  readonly #client: SignalingClient;
  #viewer: PublishedViewer | undefined;
  /** Of both sides. */
  readonly icePasswords = new Set<string>();

  private constructor(client: SignalingClient) {
    this.#client = client;
    client.on('offer', ({ sdp, senderClientId = '' }) => {
      if (this.#viewer === undefined) this.#onOffer(sdp, senderClientId);
    });
    client.on('candidate', ({ candidate: { candidate, sdpMLineIndex = 0 } }) => {
      this.#viewer?.addCandidate(candidate, sdpMLineIndex);
    });
  }

  static async join(stack: LocalStack): Promise<TwoFacedMaster> {
    const client = await stack.signalingMaster();
    const master = new TwoFacedMaster(client);
    await client.connect({ signal: AbortSignal.timeout(20_000) });
    return master;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#viewer?.stop();
    await this.#client.close();
  }

  #onOffer(offer: string, viewerId: string): void {
    const viewer = new PublishedViewer(offer);
    this.#viewer = viewer;
    viewer.on('answer', (answer) => {
      for (const password of icePasswordsOf(offer + answer)) this.icePasswords.add(password);
      const { rubbishPassword, urlPassword } = secrets;
      const broken = answer
        .replaceAll(/^a=ice-pwd:.*$/gm, `a=ice-pwd:${rubbishPassword}`)
        .replaceAll(/^a=fingerprint:.*$/gm, `a=crypto:1 AES inline:${rubbishPassword}`);
      for (const sdp of [`v=0\r\na=ice-pwd:${rubbishPassword}\r\n`, broken, answer]) {
        this.#client.sendAnswer(sdp, viewerId);
      }
      for (const candidate of [
        `candidate:a=ice-pwd:${rubbishPassword}`,
        `candidate:1 1 udp 1 turn:bridge:${urlPassword}@127.0.0.1 9 typ host`,
      ]) {
        this.#client.sendCandidate({ candidate, sdpMLineIndex: 0 }, viewerId);
      }
    });
    viewer.on('candidate', (candidate) => {
      this.#client.sendCandidate(candidate, viewerId);
    });
    viewer.start({
      ...{ offer, iceServers: [], jitterBufferMs: 200, relayOnly: false, audio: true },
      ...{ width: 480, height: 270, frameRate: 15, videoBitrateBps: 200_000 },
    });
  }
}

/** What was said, by where it was said. */
class Said {
  readonly #texts: (readonly [where: string, text: string])[] = [];

  add(where: string, text: string): void {
    this.#texts.push([where, text]);
  }

  async run(
    name: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<string> {
    const { stdout, stderr } = await runCommand(args, env);
    this.add(name, stdout + stderr);
    return stdout + stderr;
  }

  /** Fails with each place in which one of them is, plain or encoded. */
  hasNone(hidden: readonly string[]): void {
    const forms = hidden.flatMap((secret) => [
      secret,
      encodeURIComponent(secret),
      JSON.stringify(secret).slice(1, -1),
      Buffer.from(secret).toString('base64').replace(/=+$/, ''),
    ]);
    const leaks = this.#texts.flatMap(([where, text]) => {
      assert.notEqual(text, '', where);
      return [...new Set(forms)].flatMap((form) => {
        const at = text.indexOf(form);
        return at < 0 ? [] : [`${where}: …${text.slice(Math.max(0, at - 160), at + 60)}…`];
      });
    });
    assert.deepEqual(leaks, []);
    for (const [where, text] of this.#texts) {
      assert.doesNotMatch(text, /srtc?p-key\s*=\s*\(\w+\)\s*[0-9a-f]{8}/i, where);
    }
  }
}

/** A recording of which everything is kept that is said, written and served. */
async function record(sink: SinkName, ...more: readonly string[]): Promise<void> {
  const how = [...sinkArguments(sink), ...more];
  await using disposers = new Disposers();
  const collector = disposers.use(await QuotingService.start());
  const turn = await silentTurnServer(disposers);
  const { turnUsername: username, turnPassword: password } = secrets;
  const { accessKeyId, secretAccessKey, sessionToken } = secrets;
  const stack = disposers.use(
    await LocalStack.start({
      credentials: [localCredentials, { accessKeyId, secretAccessKey, sessionToken }],
      iceServers: [{ uris: [turn.uri], username, password }],
    }),
  );
  const refused = new Set<string>();
  stack.kvs.on('request', ({ operation, errorType }) => {
    if (errorType !== undefined) refused.add(operation);
  });
  stack.kvs.faults.failCalls({ operation: 'ConnectAsViewer', type: presignedUrl });
  stack.kvs.faults.failCalls({ operation: 'PutMedia', type: authorization });
  const master = disposers.use(await TwoFacedMaster.join(stack));

  const { channel, stream } = stack;
  const options = ['--channel', channel, '--stream', stream, '--fragment-seconds', '1', '--json'];
  using cli = new Cli(['start', ...options, '--http-port', '0', ...how], {
    ...awsEnvironment,
    ...talkative,
    KVS_BRIDGE_STUN_SERVER: 'none',
    AWS_REGION: stack.region,
    KVS_BRIDGE_ENDPOINT: stack.kvs.url,
    STATE_DIRECTORY: stack.spoolDir,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://collector:${secrets.urlPassword}@${collector.host}`,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${secrets.otlpToken}`,
  });
  const said = new Said();
  const { url } = await cli.until('http');
  await cli.until('persisted');
  for (const page of ['livez', 'readyz', 'metrics']) {
    said.add(`/${page}`, await (await fetch(`${String(url)}/${page}`)).text());
  }
  const filesBefore = await readdir(stack.spoolDir, { recursive: true });
  cli.child.kill('SIGTERM');
  const { exitCode, stdout, stderr } = await cli.end();
  assert.equal(exitCode, 0, stderr);
  said.add("start's stdout", stdout);
  said.add("start's stderr", stderr);

  const state = { STATE_DIRECTORY: stack.spoolDir };
  await Promise.all([
    said.run('gaps', ['gaps', '--stream', stream], state),
    said.run('gaps --json', ['gaps', '--stream', stream, '--json'], state),
  ]);
  const files = await readdir(stack.spoolDir, { recursive: true });
  said.add('names of files', [...filesBefore, ...files].join('\n'));
  const ledger = files.find((file) => file.endsWith('ledger.jsonl'));
  assert.ok(ledger !== undefined, files.join());
  said.add('the ledger', await readFile(join(stack.spoolDir, ledger), 'utf8'));

  said.hasNone([...Object.values(secrets), ...master.icePasswords]);
  // All of them were there to be told.
  assert.ok(master.icePasswords.size >= 2);
  assert.ok(turn.packets() > 0);
  assert.deepEqual([...refused].sort(), ['Connect', 'PutMedia']);
  assert.ok(collector.heard.includes(secrets.otlpToken));
  for (const sign of [
    ...['KVSB_BAD_PEER_INPUT', 'X-Amz-Credential=[redacted]'],
    ...['a=ice-pwd:[redacted]', 'turn://[redacted]@'],
    // What kvssink says of a refused upload is its status alone.
    ...(sink === 'putmedia' ? ['Authorization: [redacted]'] : []),
  ]) {
    assert.ok(stderr.includes(sign), sign);
  }
}

describe('secrets', { concurrency: 2 }, () => {
  it('are in no output of a recording, nor in what it writes and serves', () => record('putmedia'));

  it('are in none of a recording without a media process', () =>
    record('putmedia', '--isolation', 'none'));

  it('are in none of a recording by kvssink', { skip: missingSink('kvssink') ?? false }, () =>
    record('kvssink'),
  );

  it('are in no error, whatever the service quotes and a file holds', async () => {
    await using disposers = new Disposers();
    const service = disposers.use(await QuotingService.start());
    const stack = disposers.use(await LocalStack.start());
    const said = new Said();
    const env = {
      ...awsEnvironment,
      AWS_REGION: stack.region,
      KVS_BRIDGE_LOG_LEVEL: 'trace',
      STATE_DIRECTORY: stack.spoolDir,
    };
    const what = ['--channel', 'front-door', '--stream', 'archive', '--sink', 'putmedia'];
    const at = ['--endpoint', `http://${service.host}`];
    const only = ['--only', 'region,endpoints,clock,credentials,permissions,channel,stream,ice'];
    const failed = await Promise.all([
      said.run('start', ['start', ...what, ...at, '--exit-on-fatal'], env),
      said.run('start --json', ['start', ...what, ...at, '--exit-on-fatal', '--json'], env),
      said.run('doctor', ['doctor', ...what, ...at, ...only], env),
      said.run('doctor --json', ['doctor', ...what, ...at, ...only, '--json'], env),
    ]);
    for (const text of failed) assert.match(text, /InvalidSignature|does not match/);
    for (const secret of [secrets.accessKeyId, secrets.sessionToken]) {
      assert.ok(service.heard.includes(secret), 'the service was sent none');
    }

    const contents = [
      JSON.stringify({ endpoint: `ftp://bridge:${secrets.urlPassword}@host` }),
      JSON.stringify({ logLevel: secrets.sessionToken }),
      JSON.stringify({ awsSecretAccessKey: secrets.secretAccessKey }),
      `aws_secret_access_key = ${secrets.secretAccessKey}`,
    ];
    await Promise.all(
      contents.map(async (content, index) => {
        const config = join(stack.folder, `config-${String(index)}.json`);
        await writeFile(config, content);
        const text = await said.run(content, ['start', '--config', config], {});
        assert.ok(text.includes(config), text);
      }),
    );
    // Refused before anything is asked.
    const { secretAccessKey, accessKeyId } = secrets;
    await Promise.all([
      said.run('an unknown option', ['start', `--secret-access-key=${secretAccessKey}`], env),
      said.run('an unknown command', [accessKeyId], env),
      said.run('an odd number', ['start', ...what, '--jitter-buffer-ms', accessKeyId], env),
    ]);
    const withPassword = ['--endpoint', `http://bridge:${secrets.urlPassword}@${service.host}`];
    const text = await said.run('a URL', ['start', ...what, ...withPassword], env);
    assert.match(text, /without user name and password/);
    said.hasNone(Object.values(secrets));
  });
});
