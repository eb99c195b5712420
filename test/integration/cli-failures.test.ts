/** Each cause of failure: one line on stderr with cause and fix, the error event, its exit code. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { LocalKvs, TestMaster, localCredentials } from '../../lib/index.js';
import { runCommand } from '../support/cli.js';

describe('failures of the command line', () => {
  let folder = '';
  let kvs: LocalKvs;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kvsb-cli-'));
    kvs = await LocalKvs.start({ dataDir: join(folder, 'kvs') });
    // A channel without a master.
    await using master = new TestMaster({
      channel: 'idle',
      createChannel: true,
      endpoint: kvs.url,
      region: kvs.region,
      credentials: localCredentials,
      stunUri: null,
    });
    await master.start();
  });
  after(async () => {
    await kvs.close();
    await rm(folder, { recursive: true });
  });

  interface Expected {
    readonly exitCode: number;
    readonly code: string;
    readonly message: RegExp;
    readonly fix: RegExp;
  }

  async function fails(
    args: readonly string[],
    { exitCode, code, message, fix }: Expected,
    env: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const end = await runCommand([...args, '--json'], env);
    assert.equal(end.exitCode, exitCode, end.stderr);
    const lines = end.stderr.trimEnd().split('\n');
    assert.equal(lines.length, 1, end.stderr);
    const [line = ''] = lines;
    assert.match(line, message);
    assert.match(line, fix);
    assert.ok(line.endsWith(`[${code}]`), line);
    const error = end.events.at(-1);
    assert.equal(error?.event, 'error');
    assert.equal(error['code'], code);
    assert.equal(error['exitCode'], exitCode);
    assert.match(String(error['message']), message);
    assert.match(String(error['fix']), fix);
  }

  const start = (...args: readonly string[]): readonly string[] => [
    ...['start', '--local', kvs.url, '--channel', 'idle', '--stream', 'kept'],
    ...args,
  ];

  it('options', async () => {
    const options = { exitCode: 2, code: 'KVSB_OPTIONS' };
    await fails(['start'], { ...options, message: /No channel is given/, fix: /--channel/ });
    await fails(['start', '--nope'], { ...options, message: /'--nope'/, fix: /--help/ });
    await fails(['bogus'], { ...options, message: /unknown command 'bogus'/i, fix: /--help/ });
    await fails(start('--fragment-seconds', '60'), {
      ...options,
      message: /--fragment-seconds must be a number of seconds from 1 to 18, not "60"/,
      fix: /Correct --fragment-seconds/,
    });
    await fails(start('--endpoint', 'http://127.0.0.1:9'), {
      ...options,
      message: /Both --local and --endpoint/,
      fix: /Leave one of them out/,
    });
    const config = join(folder, 'config.json');
    await writeFile(config, JSON.stringify({ chanel: 'a' }));
    const inFile = { ...options, message: /"chanel" in .* is not an option/, fix: /known are/ };
    await fails(['start', '--config', config], inFile);
    await fails(['start'], inFile, { KVS_BRIDGE_CONFIG: config });
  });

  it('an unknown channel', () =>
    fails(['start', '--local', kvs.url, '--channel', 'absent', '--stream', 'kept'], {
      exitCode: 12,
      code: 'KVSB_CHANNEL_NOT_FOUND',
      message: /no signaling channel "absent"/,
      fix: /--create-channel/,
    }));

  it('an unknown stream', () =>
    fails(start(), {
      exitCode: 13,
      code: 'KVSB_STREAM_NOT_FOUND',
      message: /no video stream "kept"/,
      fix: /--create-stream/,
    }));

  it('wrong credentials', () =>
    fails(
      ['start', '--endpoint', kvs.url, '--channel', 'idle', '--stream', 'kept'],
      {
        exitCode: 10,
        code: 'KVSB_CREDENTIALS',
        message: /does not accept the credentials/,
        fix: /Check AWS_ACCESS_KEY_ID/,
      },
      { AWS_REGION: kvs.region, AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'wrong' },
    ));

  it('no master', () =>
    fails(start('--create-stream', '--master-timeout', '1'), {
      exitCode: 21,
      code: 'KVSB_NO_MASTER',
      message: /No master answered on channel idle within 1 s/,
      fix: /Start the master/,
    }));

  it('a missing plugin', () =>
    fails(
      start('--create-stream'),
      {
        exitCode: 32,
        code: 'KVSB_MISSING_PLUGIN',
        message: /GStreamer has no element "\w+"/,
        fix: /[Ii]nstall/,
      },
      { GST_PLUGIN_SYSTEM_PATH_1_0: folder, GST_REGISTRY_1_0: join(folder, 'registry.bin') },
    ));

  it('a KVS that is not there', () =>
    fails(['publish', '--local', 'http://127.0.0.1:9', '--channel', 'idle'], {
      exitCode: 16,
      code: 'KVSB_AWS',
      message: /Cannot reach 127\.0\.0\.1:9/,
      fix: /kvs-bridge local/,
    }));

  it('a port that is taken', () =>
    fails(['local', '--port', new URL(kvs.url).port, '--data-dir', join(folder, 'other')], {
      exitCode: 50,
      code: 'KVSB_PORT_UNAVAILABLE',
      message: /is taken/,
      fix: /another port/,
    }));

  it('a data folder that cannot be used, or is in use', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    const code = { exitCode: 51, code: 'KVSB_DATA_FOLDER' };
    const local = ['local', '--port', '0', '--data-dir'];
    await fails([...local, join(file, 'below')], {
      ...code,
      message: /cannot be read and written/,
      fix: /another folder/,
    });
    await fails([...local, join(folder, 'kvs')], { ...code, message: /in use/, fix: /\w/ });
  });
});
