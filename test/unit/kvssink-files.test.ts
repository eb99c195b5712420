import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { appendFileSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { credentialLine, writeCredentialFile } from '../../lib/kvssink/credential-file.js';
import { ElementLog, writeLogConfig } from '../../lib/kvssink/element-log.js';
import { kvsSinkEnvironment, withoutSteering } from '../../lib/kvssink/environment.js';
import { KvsSinkKeeper } from '../../lib/kvssink/keeper.js';
import {
  KvsSinkFolder,
  makePrivateFolder,
  privateFolderName,
  sweepPrivateFolders,
} from '../../lib/kvssink/private-folder.js';

const nowMs = Date.UTC(2030, 0, 1);
const keys = { accessKeyId: 'AKID', secretAccessKey: 'sec/ret+' };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kvsb-test-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('credential file of kvssink', () => {
  it('has the words in the order that the element reads', () => {
    assert.equal(credentialLine(keys, nowMs), 'CREDENTIALS AKID sec/ret+\n');
    const expiration = new Date(nowMs + 60_123);
    assert.equal(
      credentialLine({ ...keys, sessionToken: 'token', expiration }, nowMs),
      'CREDENTIALS AKID 2030-01-01T00:01:00Z sec/ret+ token\n',
    );
  });

  it('gives a token of unknown life an end, and refuses one that is about to end', () => {
    const temporary = { ...keys, sessionToken: 'token' };
    assert.match(credentialLine(temporary, nowMs), / 2030-01-01T01:00:00Z /);
    const expiration = new Date(nowMs + 29_000);
    assert.throws(() => credentialLine({ ...temporary, expiration }, nowMs), {
      code: 'KVSB_CREDENTIALS',
    });
  });

  it('refuses what the element would cut off or split, without telling it', () => {
    const longest = { ...keys, sessionToken: 't'.repeat(2_048) };
    assert.match(credentialLine(longest, nowMs), /t{2048}\n$/);
    for (const wrong of [
      { ...keys, sessionToken: 't'.repeat(2_049) },
      { ...keys, secretAccessKey: 'very secret' },
      { ...keys, accessKeyId: '' },
    ]) {
      assert.throws(
        () => credentialLine(wrong, nowMs),
        (error: Error) => !/tttt|very secret/.test(error.message),
      );
    }
  });

  it('is replaced in one step and readable for its owner only', () => {
    const path = join(folder, 'credentials');
    writeCredentialFile(path, keys);
    const before = statSync(path);
    assert.equal(before.mode & 0o777, 0o600);
    writeCredentialFile(path, { ...keys, accessKeyId: 'NEXT' });
    // Another file: a reader of the old one is not disturbed.
    assert.notEqual(statSync(path).ino, before.ino);
    assert.match(readFileSync(path, 'utf8'), /^CREDENTIALS NEXT /);
    assert.throws(() => {
      writeCredentialFile(path, { ...keys, accessKeyId: ' ' });
    });
    assert.match(readFileSync(path, 'utf8'), /^CREDENTIALS NEXT /);
  });
});

describe('private folder of a media process', () => {
  it('lets nobody else in, and goes when its process was killed', () => {
    const ours = privateFolderName(folder);
    makePrivateFolder(ours);
    assert.equal(statSync(ours).mode & 0o777, 0o700);
    const { pid } = spawnSync('true');
    const stale = join(folder, `kvs-bridge-kvssink-${String(pid)}-77-abc`);
    // As after a new start of a container, whose processes have the pids of those before.
    const namesake = join(folder, `kvs-bridge-kvssink-${String(process.pid)}-1-abc`);
    const foreign = join(folder, 'something-else');
    for (const name of [stale, namesake, foreign]) mkdirSync(name);
    assert.equal(sweepPrivateFolders(folder), 2);
    assert.deepEqual(
      [ours, stale, namesake, foreign].map((name) => existsSync(name)),
      [true, false, false, true],
    );
    assert.throws(
      () => {
        makePrivateFolder(ours);
      },
      { code: 'EEXIST' },
    );
  });

  it('is made by the process that needs it, with the authority where its environment says', () => {
    const planned = new KvsSinkFolder({ region: 'eu-west-1', ca: 'PEM' });
    assert.equal(existsSync(planned.path), false);
    new KvsSinkKeeper(planned.path, 'PEM');
    const file = planned.environment['KVSSINK_CA_CERT_PATH'] ?? '';
    assert.equal(readFileSync(file, 'utf8'), 'PEM');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    planned.remove();
    assert.equal(existsSync(planned.path), false);
  });
});

describe('log of kvssink', () => {
  it('is read back piece by piece without its secrets, also after it began anew', () => {
    const config = readFileSync(writeLogConfig(folder), 'utf8');
    const path = /^log4cplus\.appender\.FILE\.File=(.*)$/m.exec(config)?.[1] ?? '';
    assert.doesNotMatch(config, /Console/);
    const log = new ElementLog(folder);
    assert.deepEqual(log.read(), []);
    appendFileSync(path, 'WARN one\nWARN x-amz-security-token: abc');
    assert.deepEqual(log.read(), ['WARN one']);
    appendFileSync(path, 'def\n');
    assert.deepEqual(log.read(), ['WARN x-amz-security-token: [redacted]']);
    truncateSync(path);
    appendFileSync(path, 'WARN new\n');
    assert.deepEqual(log.read(), ['WARN new']);
  });
});

describe('environment of kvssink', () => {
  it('names region, endpoint and authority, and nothing that was there by chance', () => {
    assert.deepEqual(kvsSinkEnvironment({ region: 'eu-west-1' }), {
      AWS_DEFAULT_REGION: 'eu-west-1',
    });
    const place = { region: 'eu-west-1', endpoint: 'http://127.0.0.1:8181/' };
    assert.deepEqual(kvsSinkEnvironment(place, '/run/ca.pem'), {
      AWS_DEFAULT_REGION: 'eu-west-1',
      CONTROL_PLANE_URI: 'http://127.0.0.1:8181',
      KVSSINK_CA_CERT_PATH: '/run/ca.pem',
    });
    assert.deepEqual(
      withoutSteering({
        ...{ PATH: '/bin', AWS_SESSION_TOKEN: 'x', CONTROL_PLANE_URI: 'x' },
        ...{ KVSSINK_CA_CERT_PATH: 'x', KVS_DEBUG_DUMP_DATA_FILE_DIR: 'x' },
      }),
      { PATH: '/bin' },
    );
  });
});
