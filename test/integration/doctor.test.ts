/**
 * doctor finds what is wrong, and names the fix: set-ups that are broken on purpose, with real parts,
 * among them each finding of the catalog that can be brought about.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { catalog } from '../../lib/doctor/catalog/catalog.js';
import { localCredentials, runDoctor } from '../../lib/index.js';
import type { DoctorOptions, DoctorReport } from '../../lib/index.js';
import { runCommand } from '../support/cli.js';
import { awsCases, doctorNames, temporaryKeys } from '../support/doctor-aws-cases.js';
import { withVariables } from '../support/doctor-cases.js';
import type { BrokenSetUp } from '../support/doctor-cases.js';
import { machineCases } from '../support/doctor-machine-cases.js';
import { diagnoseIce, iceServer, networkCases } from '../support/doctor-network-cases.js';
import { freePort } from '../support/free-port.js';
import { TestKvs } from '../support/local-kvs.js';
import { RoleServer } from '../support/role-server.js';
import { TurnServer } from '../support/turn-server.js';

/** What no machine of ours can be made to have; test/unit/doctor.test.ts has these. */
const elsewhere = [
  'gstreamer.too-old',
  'channel.inactive',
  'stream.inactive',
  'spool.network',
  'spool.slow',
];

const server = await TestKvs.start({
  credentials: [localCredentials, temporaryKeys],
  tls: 'self-signed',
});
const turnPort = await freePort();
const turnTlsPort = await freePort();
const turn = await TurnServer.start({
  address: '127.0.0.1',
  port: turnPort,
  tls: { port: turnTlsPort, folder: join(server.dataDir, 'tls') },
});
const folder = await mkdtemp(join(tmpdir(), 'kvs-bridge-doctor-'));
const cases: readonly BrokenSetUp[] = [
  ...(await awsCases(server)),
  ...(await networkCases(turnPort)),
  ...(await machineCases(folder)),
];

after(async () => {
  await turn[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

before(async () => {
  const { channel, stream, recordedChannel, forgetfulStream, untypedStream } = doctorNames;
  const { control } = server;
  const kept = { DataRetentionInHours: 24, MediaType: 'video/h264,audio/aac' };
  await server.createChannel(channel);
  const ChannelARN = await server.createChannel(recordedChannel);
  const { StreamARN } = await control.createStream({ StreamName: stream, ...kept });
  await server.createStream(forgetfulStream, 0);
  await server.createStream(untypedStream, 24);
  await control.updateMediaStorageConfiguration({
    ChannelARN,
    MediaStorageConfiguration: { Status: 'ENABLED', StreamARN },
  });
});

describe('doctor, of set-ups that are broken on purpose', () => {
  for (const { name, id, fix, diagnose, skip } of cases) {
    it(name, { skip: skip ?? false }, async () => {
      const report = await diagnose();
      const all = report.findings.map((finding) => `${finding.id}: ${finding.found}`).join('\n');
      const found = report.findings.find((finding) => finding.id === id && fits(finding.fix, fix));
      assert.ok(found !== undefined, `no ${id} with the fix ${String(fix)} among:\n${all}`);
      assert.notEqual(report.worst, 'ok');
      assert.doesNotMatch(
        JSON.stringify(report),
        /local-secret|secret-access-key-of|session-token/,
      );
    });
  }

  it('are one at least for each finding', () => {
    const known = new Set([...cases.map(({ id }) => id), ...elsewhere]);
    const bad = Object.entries(catalog).filter(([, entry]) => 'fix' in entry);
    assert.deepEqual(
      bad.map(([id]) => id).filter((id) => !known.has(id)),
      [],
    );
  });
});

function fits(text = '', expected: string | RegExp): boolean {
  return typeof expected === 'string' ? text.includes(expected) : expected.test(text);
}

describe('doctor, of a set-up that is fine', () => {
  it('finds nothing wrong with a real TURN server, over UDP, TCP and TLS', async () => {
    const uri = `turn:127.0.0.1:${turnPort}`;
    const report = await diagnoseIce(
      [
        iceServer(`${uri}?transport=udp`),
        iceServer(`${uri}?transport=tcp`),
        iceServer(`turns:127.0.0.1:${turnTlsPort}?transport=tcp`),
      ],
      { stunUri: `stun:127.0.0.1:${turnPort}`, ca: server.kvs.caPem ?? '' },
    );
    assert.deepEqual(ids(report), ['ice.stun', 'ice.turn', 'ice.turn', 'ice.turn']);
    assert.match(report.findings[0]?.found ?? '', /from there this machine is 127\.0\.0\.1:\d+$/);
  });
});

describe('doctor, of credentials', () => {
  const { accessKeyId, secretAccessKey, sessionToken } = temporaryKeys;

  async function originOf(variables: Readonly<Record<string, string>>): Promise<string> {
    const report = await withVariables(variables, () =>
      runDoctor({
        ...{ channel: doctorNames.channel, endpoint: server.kvs.url, region: server.kvs.region },
        ...{ only: ['credentials'], stepTimeoutMs: 20_000 },
      }),
    );
    const text = JSON.stringify(report);
    assert.ok(!text.includes(secretAccessKey) && !text.includes(sessionToken), text);
    const ok = report.findings.find(({ id }) => id === 'credentials.ok');
    assert.ok(ok !== undefined, text);
    return ok.found;
  }

  it('names the environment', async () => {
    const found = await originOf({
      AWS_ACCESS_KEY_ID: localCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: localCredentials.secretAccessKey,
    });
    assert.equal(found, 'From the environment (AWS_ACCESS_KEY_ID); the service accepts them');
  });

  it('names the profile', async () => {
    const file = join(folder, 'credentials');
    const { accessKeyId: id, secretAccessKey: secret } = localCredentials;
    await writeFile(file, `[work]\naws_access_key_id=${id}\naws_secret_access_key=${secret}\n`);
    const found = await originOf({ AWS_SHARED_CREDENTIALS_FILE: file, AWS_PROFILE: 'work' });
    assert.equal(found, 'From the profile work; the service accepts them');
  });

  it('names the process of a profile', async () => {
    const file = join(folder, 'config');
    const answer = JSON.stringify({
      Version: 1,
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      SessionToken: sessionToken,
      Expiration: new Date(Date.now() + 3_600_000),
    });
    const script = join(folder, 'answer.json');
    await writeFile(script, answer);
    await writeFile(file, `[default]\ncredential_process = cat ${script}\n`);
    const found = await originOf({ AWS_CONFIG_FILE: file });
    assert.match(
      found,
      /^From the credential_process of the profile default, good for (?:59|60) min, then renewed;/,
    );
  });

  it('names the role of the container', async () => {
    using role = await RoleServer.start(temporaryKeys);
    const found = await originOf(role.environment);
    assert.match(
      found,
      /^From the role of the container \(ECS task or EKS pod\), good for (?:59|60) min/,
    );
  });
});

describe('doctor, of a service that takes connections and says nothing', () => {
  const mute = createServer();
  let options: DoctorOptions = {};
  const others = new Set([
    ...['clock.skipped', 'permissions.untried', 'channel.skipped', 'stream.skipped', 'ice.skipped'],
  ]);
  before(async () => {
    mute.listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as AddressInfo;
    options = {
      ...{ channel: 'door', stream: 'door', region: 'us-east-1', stunUri: null },
      ...{ endpoint: `http://127.0.0.1:${port}`, credentials: localCredentials },
      only: ['endpoints', 'clock', 'permissions', 'channel', 'stream', 'ice'],
    };
  });
  after(() => {
    mute.close();
  });

  it('is done in time', async () => {
    const report = await runDoctor({ ...options, stepTimeoutMs: 100 });
    const [first] = report.findings;
    assert.equal(first?.id, 'endpoints.no-local');
    assert.match(first.found, /no answer within 0\.1 s/);
    assert.deepEqual(new Set(ids(report).slice(1)), others);
  });

  it('ends when it is told to', async () => {
    const stop = new AbortController();
    const reason = new Error('enough');
    mute.once('connection', () => {
      stop.abort(reason);
    });
    await assert.rejects(runDoctor({ ...options, signal: stop.signal }), reason);
    await assert.rejects(runDoctor({ ...options, signal: stop.signal }), reason);
  });
});

describe('kvs-bridge doctor', () => {
  const local = (): readonly string[] => ['--local', server.kvs.url, '--channel', 'door'];

  it('tells of a machine and a local KVS that are fine, one line each', async () => {
    const { exitCode, stdout, stderr } = await runCommand([
      ...['doctor', ...local(), '--stream', 'door', '--spool-dir', folder],
      ...['--only', 'node,addon,gstreamer,openssl,kvssink,region,endpoints,clock'],
    ]);
    assert.equal(stderr, '');
    assert.equal(exitCode, 0, stdout);
    const lines = stdout.trimEnd().split('\n');
    assert.deepEqual(lines.slice(-2), ['', 'Nothing is wrong.']);
    for (const line of lines.slice(0, -2)) assert.match(line, /^✓ \w+ +\S/);
    assert.match(stdout, /^✓ openssl .* bound to libssl|shares|system's OpenSSL/m);
  });

  it('ends with 61 for an error, and writes events with --json', async () => {
    const { exitCode, events } = await runCommand([
      ...['doctor', ...local(), '--stream', 'forgetful', '--json'],
      ...['--only', 'permissions,channel,stream'],
    ]);
    assert.equal(exitCode, 61);
    const findings = events.filter(({ event }) => event === 'finding');
    const bad = findings.find(({ id }) => id === 'stream.no-retention');
    assert.equal(bad?.['severity'], 'error');
    assert.match(String(bad['fix']), /^aws kinesisvideo update-data-retention /);
    const summary = events.at(-1);
    assert.equal(summary?.event, 'summary');
    assert.deepEqual([summary['worst'], summary['errors']], ['error', 1]);
  });

  it('ends with 60 for a warning', async () => {
    const { exitCode, stdout } = await runCommand([
      ...['doctor', ...local(), '--stream', 'untyped', '--only', 'stream'],
    ]);
    assert.equal(exitCode, 60);
    assert.match(stdout, /^! stream .* Fix: aws kinesisvideo update-stream .*\n\n1 warning\.$/m);
  });
});

function ids(report: DoctorReport): readonly string[] {
  return report.findings.map(({ id }) => id);
}
