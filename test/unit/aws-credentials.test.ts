import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { chainCredentials, staticCredentials } from '../../lib/aws/credentials.js';
import { AwsError } from '../../lib/util/errors.js';

/** The chain reads the environment, so the tests own every variable it looks at. */
const savedEnvironment = { ...process.env };
let home = '';

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'kvs-bridge-credentials-'));
});
after(async () => {
  await rm(home, { recursive: true });
});
beforeEach(() => {
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('AWS_')) Reflect.deleteProperty(process.env, name);
  }
  Object.assign(process.env, {
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_SHARED_CREDENTIALS_FILE: join(home, 'credentials'),
    AWS_CONFIG_FILE: join(home, 'config'),
  });
});
afterEach(() => {
  for (const name of Object.keys(process.env)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, savedEnvironment);
});

const isMissing = (error: unknown): boolean =>
  error instanceof AwsError && error.code === 'KVSB_CREDENTIALS' && error.fix !== undefined;

describe('chainCredentials', () => {
  it('takes the environment', async () => {
    process.env['AWS_ACCESS_KEY_ID'] = 'AKIDENV';
    process.env['AWS_SECRET_ACCESS_KEY'] = 'secret';
    process.env['AWS_SESSION_TOKEN'] = 'token';
    assert.deepEqual(await chainCredentials().get(), {
      accessKeyId: 'AKIDENV',
      secretAccessKey: 'secret',
      sessionToken: 'token',
    });
  });

  it('says what to do when there are none', async () => {
    await assert.rejects(chainCredentials().get(), isMissing);
  });

  it('takes a profile, and its new keys once it is told that the old ones are refused', async () => {
    const write = (key: string): Promise<void> =>
      writeFile(
        join(home, 'credentials'),
        `[door]\naws_access_key_id=${key}\naws_secret_access_key=s\n`,
      );
    await write('AKIDONE');
    const source = chainCredentials({ profile: 'door' });
    assert.equal((await source.get()).accessKeyId, 'AKIDONE');
    await write('AKIDTWO');
    assert.equal((await source.get()).accessKeyId, 'AKIDONE');
    source.invalidate();
    assert.equal((await source.get()).accessKeyId, 'AKIDTWO');
  });

  it('stops waiting when aborted', async () => {
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    await assert.rejects(chainCredentials().get({ signal }), reason);
    await assert.rejects(
      staticCredentials({ accessKeyId: 'a', secretAccessKey: 'b' }).get({ signal }),
      reason,
    );
  });
});

describe('chainCredentials with a container role', () => {
  const startMs = Date.parse('2026-03-04T05:00:00Z');
  let nowMs = startMs;
  let requests = 0;
  let answer: (response: ServerResponse) => void;
  let server: Server;

  beforeEach(async () => {
    nowMs = startMs;
    requests = 0;
    server = createServer((_request, response) => {
      requests += 1;
      answer(response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] =
      `http://127.0.0.1:${String(address.port)}/role`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const keysThatExpire =
    (expiresAtMs: number) =>
    (response: ServerResponse): void => {
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({
          AccessKeyId: `ASIA${String(requests)}`,
          SecretAccessKey: 's',
          Token: 't',
          Expiration: new Date(expiresAtMs).toISOString(),
        }),
      );
    };

  it('asks once for all callers, and again in the background before they expire', async () => {
    answer = keysThatExpire(startMs + 3_600_000);
    const source = chainCredentials({ now: () => nowMs });
    const [first, second] = await Promise.all([source.get(), source.get()]);
    assert.equal(first, second);
    assert.equal(first.expiration?.getTime(), startMs + 3_600_000);
    nowMs = startMs + 3_299_000;
    assert.equal(await source.get(), first);
    assert.equal(requests, 1);
    nowMs = startMs + 3_301_000;
    const asked = once(server, 'request');
    assert.equal(await source.get(), first);
    await asked;
    nowMs = startMs + 3_541_000;
    assert.equal((await source.get()).accessKeyId, 'ASIA2');
    assert.equal(requests, 2);
  });

  it('goes on with keys that still work while the origin fails, but not for ever', async () => {
    answer = keysThatExpire(startMs + 600_000);
    const source = chainCredentials({ now: () => nowMs });
    const first = await source.get();
    const origin = process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'];
    Reflect.deleteProperty(process.env, 'AWS_CONTAINER_CREDENTIALS_FULL_URI');
    for (const elapsedMs of [400_000, 550_000, 599_000]) {
      nowMs = startMs + elapsedMs;
      assert.equal(await source.get(), first);
    }
    nowMs = startMs + 601_000;
    await assert.rejects(source.get(), isMissing);
    process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] = origin;
    answer = keysThatExpire(nowMs + 3_600_000);
    assert.equal((await source.get()).accessKeyId, 'ASIA2');
  });

  it('does not ask with every call when the keys live for a moment only', async () => {
    answer = keysThatExpire(startMs + 50_000);
    const source = chainCredentials({ now: () => nowMs });
    await source.get();
    await source.get();
    assert.equal(requests, 1);
    nowMs += 31_000;
    await source.get();
    assert.equal(requests, 2);
  });
});
