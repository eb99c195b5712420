/** The demo, end to end: its recording as ffprobe sees it, its summary. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Cli, runCommand } from '../support/cli.js';
import type { CliEvent } from '../support/cli.js';

const run = promisify(execFile);

/** Codec and number of packets of each stream, and what the decoder complains about. */
async function probe(path: string): Promise<{ streams: Map<string, number>; complaints: string }> {
  const entries = 'stream=codec_name,nb_read_packets';
  const { stdout } = await run('ffprobe', [
    '-v',
    'error',
    '-count_packets',
    '-show_entries',
    entries,
    '-of',
    'json',
    path,
  ]);
  const { streams } = JSON.parse(stdout) as {
    streams: { codec_name: string; nb_read_packets: string }[];
  };
  const { stderr } = await run('ffmpeg', [
    ...['-v', 'error', '-i', path, '-fps_mode', 'passthrough'],
    // The null muxer would round the timestamps to frames, and complain about what comes of it.
    ...['-enc_time_base', '-1', '-f', 'null', '-'],
  ]);
  return {
    streams: new Map(
      streams.map(({ codec_name, nb_read_packets }) => [codec_name, Number(nb_read_packets)]),
    ),
    complaints: stderr,
  };
}

describe('demo', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kvsb-demo-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('records every frame that was sent, once, in sync, and sums up', async () => {
    const recording = join(folder, 'new', 'demo.mkv');
    // A machine that runs other tests as well is late like a bad network, and must not look like one.
    const patient = ['--jitter-buffer-ms', '1000'];
    const end = await runCommand(
      ['demo', '--duration', '8', '--json', '--recording', recording, ...patient],
      { TMPDIR: folder },
    );
    assert.equal(end.exitCode, 0, end.stderr);
    const summary = end.events.at(-1);
    assert.equal(summary?.event, 'summary');
    const number = (name: keyof CliEvent): number => {
      const value = summary[name];
      assert.ok(typeof value === 'number', `${name}: ${String(value)}`);
      return value;
    };
    assert.equal(summary['recording'], recording);
    // Of 240: a machine that is busy encodes fewer, in whole pictures left out before they are counted.
    assert.ok(number('framesSent') > 60, `${number('framesSent')} frames sent`);
    assert.equal(number('framesReceived'), number('framesSent'));
    assert.equal(number('framesStored'), number('framesReceived'));
    assert.equal(number('framesLost'), 0);
    assert.equal(number('framesInRecording'), number('framesStored'));
    assert.equal(number('countersMissing'), 0);
    assert.equal(number('countersRepeated'), 0);
    assert.ok(Math.abs(number('avSkewMs')) <= 40, `skew ${number('avSkewMs')} ms`);
    assert.ok(number('maxVideoGapMs') >= 33);
    assert.ok(number('firstPersistedMs') > 0);
    const persisted = end.events.filter(({ event }) => event === 'persisted');
    assert.equal(number('fragmentsPersisted'), persisted.length);

    const { streams, complaints } = await probe(recording);
    assert.deepEqual([...streams.keys()].sort(), ['aac', 'h264']);
    assert.equal(streams.get('h264'), number('framesStored'));
    assert.equal(complaints, '');
    // Its data was temporary.
    assert.deepEqual(await readdir(folder), ['new']);
  });

  it('stops in order before anything was recorded', async () => {
    const demo = new Cli(['demo', '--json'], { TMPDIR: folder });
    await demo.until('ready');
    demo.child.kill('SIGINT');
    const end = await demo.end();
    assert.equal(end.exitCode, 0, end.stderr);
    assert.equal(end.events.at(-1)?.event, 'summary');
  });
});
