/** The commands at work: what they say, how they stop. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { LocalKvs } from '../../lib/index.js';
import { Cli, runCommand } from '../support/cli.js';
import type { CliEnd } from '../support/cli.js';
import { childrenOf, untilGone } from '../support/processes.js';

const picture = ['--width', '480', '--height', '270', '--bitrate', '300000'];

describe('help', () => {
  it('teaches: groups, variables, defaults, examples, exit codes', async () => {
    const { exitCode, stdout, stderr } = await runCommand(['start', '--help']);
    assert.equal(exitCode, 0);
    assert.equal(stderr, '');
    const flat = stdout.replaceAll(/\s+/g, ' ');
    assert.match(flat, /What to record: --channel <name>/);
    assert.match(flat, /AWS_REGION/);
    assert.match(flat, /KVS_BRIDGE_JITTER_BUFFER_MS; default 300/);
    assert.match(flat, /Examples: .*kvs-bridge start --local/);
    assert.match(flat, /12 the channel does not exist/);
  });

  it('is what a bare command shows', async () => {
    const { exitCode, stdout } = await runCommand([]);
    assert.equal(exitCode, 0);
    assert.match(stdout, /Commands:\n +start/);
  });

  it('goes with a version', async () => {
    const { exitCode, stdout } = await runCommand(['--version']);
    assert.equal(exitCode, 0);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  });
});

describe('commands', () => {
  let folder = '';
  let kvs: LocalKvs;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kvsb-cli-'));
    kvs = await LocalKvs.start({ dataDir: join(folder, 'kvs') });
  });
  after(async () => {
    await kvs.close();
    await rm(folder, { recursive: true });
  });

  const publish = (channel: string): Cli =>
    new Cli(['publish', '--local', kvs.url, '--channel', channel, '--json'].concat(picture), {
      KVS_BRIDGE_CREATE_CHANNEL: 'true',
    });
  const start = (channel: string, ...args: readonly string[]): Cli =>
    new Cli(
      ['start', '--channel', channel, '--stream', channel, '--create-stream', '--json', ...args],
      { KVS_BRIDGE_LOCAL: kvs.url, STATE_DIRECTORY: join(folder, 'state') },
    );

  it('start records, drains at SIGTERM and exits 0', async () => {
    const master = publish('drain');
    await master.until('ready');
    const bridge = start('drain');
    const first = await bridge.until('persisted');
    bridge.child.kill('SIGTERM');
    const end = await bridge.end();
    assert.equal(end.exitCode, 0, end.stderr);
    master.child.kill('SIGINT');
    assert.equal((await master.end()).exitCode, 0);

    const names = new Set(end.events.map(({ event }) => event));
    for (const name of ['ready', 'state', 'step', 'track', 'epoch', 'persisted', 'stopped']) {
      assert.ok(names.has(name), name);
    }
    for (const { time } of end.events) assert.ok(Number.isFinite(Date.parse(String(time))));
    assert.match(String(first['fragmentNumber']), /^\d+$/);
    assert.equal(Date.parse(String(first['producerTimestamp'])), first['timecodeMs']);
    assert.ok(Number(first['durationMs']) > 0);

    const stopped = end.events.at(-1);
    assert.equal(stopped?.event, 'stopped');
    assert.ok(Number(stopped['framesReceived']) > 0);
    assert.equal(stopped['framesStored'], stopped['framesReceived']);
    assert.equal(stopped['framesPending'], 0);
    const persisted = end.events.filter(({ event }) => event === 'persisted');
    assert.equal(stopped['fragmentsPersisted'], persisted.length);
    // Once a minute: the end tells them in full.
    assert.equal(end.events.filter(({ event }) => event === 'totals').length, 1);
    assert.equal(names.has('stats'), false);
    const frames = persisted.reduce((sum, { videoFrames }) => sum + Number(videoFrames), 0);
    assert.equal(frames, stopped['framesStored']);
    const reader = await kvs.openStream('drain');
    assert.equal(reader.fragments.length, persisted.length);
  });

  it('start fails when the drain leaves frames neither persisted nor in the spool', async () => {
    const master = publish('late');
    await master.until('ready');
    const stopStalled = async (...more: readonly string[]): Promise<CliEnd> => {
      using bridge = start('late', '--sink', 'putmedia', '--drain-timeout', '0.5', ...more);
      await bridge.until('persisted');
      const fault = kvs.faults.stallPutMedia();
      bridge.child.kill('SIGTERM');
      const end = await bridge.end();
      fault.remove();
      return end;
    };
    const lost = await stopStalled('--spool-mb', '0');
    assert.equal(lost.exitCode, 41, lost.stderr);
    assert.match(lost.stderr, /not confirmed as persisted within 0\.5 s.*--drain-timeout/);
    assert.equal(lost.events.at(-1)?.['code'], 'KVSB_NOT_PERSISTED');

    // In the spool it is safe: the next start sends it.
    const spooled = await stopStalled();
    assert.equal(spooled.exitCode, 0, spooled.stderr);
    const stopped = spooled.events.find(({ event }) => event === 'stopped');
    assert.ok(Number(stopped?.['framesPending']) > 0);
    assert.equal(stopped?.['framesSpooled'], stopped?.['framesPending']);
    master.child.kill('SIGTERM');
    await master.end();
  });

  it('start leaves at once at the second signal, media process and all, and loses nothing', async () => {
    const master = publish('second');
    await master.until('ready');
    const args = ['second', '--sink', 'putmedia', '--drain-timeout', '60'] as const;
    using bridge = start(...args);
    await bridge.until('persisted');
    const fault = kvs.faults.stallPutMedia();
    await setTimeout(1_500);
    const mediaProcesses = await childrenOf(bridge.child.pid);
    assert.equal(mediaProcesses.length, 1);
    bridge.child.kill('SIGINT');
    await bridge.until('state', ({ state }) => state === 'stopping');
    bridge.child.kill('SIGINT');
    const end = await bridge.end();
    fault.remove();
    assert.equal(end.exitCode, 130, end.stderr);
    for (const pid of mediaProcesses) await untilGone(pid);

    using next = start(...args);
    const { videoFrames } = await next.until('persisted', ({ recovered }) => recovered === true);
    assert.ok(Number(videoFrames) > 0);
    next.child.kill('SIGTERM');
    assert.equal((await next.end()).exitCode, 0);
    master.child.kill('SIGTERM');
    await master.end();
  });

  it('start stops in order while it waits for a master', async () => {
    const master = publish('waiting');
    await master.until('ready');
    master.child.kill('SIGTERM');
    await master.end();
    const bridge = start('waiting', '--events', 'stopped');
    await bridge.until('ready');
    bridge.child.kill('SIGTERM');
    const end = await bridge.end();
    assert.equal(end.exitCode, 0, end.stderr);
    assert.deepEqual(
      end.events.map(({ event }) => event),
      ['ready', 'stopped'],
    );
  });

  it('a command ends in order when its parent or its reader goes', async () => {
    const orphan = publish('orphan');
    await orphan.until('ready');
    orphan.child.disconnect();
    assert.equal((await orphan.end()).exitCode, 0);

    // Before it can listen to anything.
    const early = [publish('early'), start('early')];
    for (const { child } of early) child.disconnect();
    for (const end of await Promise.all(early.map((command) => command.end()))) {
      assert.equal(end.exitCode, 0, end.stderr);
    }

    const unread = new Cli([
      'local',
      '--port',
      '0',
      '--data-dir',
      join(folder, 'unread'),
      '--json',
    ]);
    const ready = await unread.until('ready');
    unread.child.stdout?.destroy();
    // Something to say, and nobody to say it to.
    await fetch(String(ready['endpoint'])).catch(() => undefined);
    assert.equal((await unread.end()).exitCode, 0);
  });

  it('local tells its endpoints, and keeps what it has over a restart', async () => {
    const args = ['local', '--port', '0', '--tls', '--tls-port', '0', '--json'];
    const env = { KVS_BRIDGE_DATA_DIR: join(folder, 'restarted') };
    const first = new Cli(args, env);
    const ready = await first.until('ready');
    assert.match(String(ready['endpoint']), /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.match(String(ready['wss']), /^wss:/);
    const caFile = String(ready['caFile']);
    const master = new Cli(
      ['publish', '--local', String(ready['https']), '--ca-file', caFile, '--json'].concat(picture),
      { KVS_BRIDGE_CREATE_CHANNEL: '1', KVS_BRIDGE_CHANNEL: 'kept' },
    );
    await master.until('ready');
    master.child.kill('SIGTERM');
    assert.equal((await master.end()).exitCode, 0);
    first.child.kill('SIGTERM');
    assert.equal((await first.end()).exitCode, 0);

    const second = new Cli(args, env);
    const again = await second.until('ready');
    const known = new Cli([
      'publish',
      '--local',
      String(again['endpoint']),
      '--channel',
      'kept',
      '--json',
    ]);
    await known.until('ready');
    for (const cli of [known, second]) {
      cli.child.kill('SIGTERM');
      assert.equal((await cli.end()).exitCode, 0);
    }
  });
});
