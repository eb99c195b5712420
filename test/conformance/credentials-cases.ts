/** The command with the keys of a role that change under way. */
import assert from 'node:assert/strict';
import { TestMaster, localCredentials } from '../../lib/index.js';
import { Cli } from '../support/cli.js';
import { LocalStack } from '../support/local-stack.js';
import { RoleServer } from '../support/role-server.js';
import type { RoleKeys } from '../support/role-server.js';
import { sinkArguments } from '../support/sinks.js';
import { readStoredMedia, readTestPattern } from '../support/stored-media.js';
import { assertPlayable, sinkCase } from './sink-case.js';
import type { SinkCase } from './sink-case.js';

function roleKeys(name: string): RoleKeys {
  return {
    accessKeyId: `AKID${name}`,
    secretAccessKey: `secret-access-key-of-${name}`,
    sessionToken: `session-token-of-${name}`,
  };
}

export const credentialsCases: readonly SinkCase[] = [
  sinkCase(
    'goes on with new keys when KVS refuses the old ones, and tells no secret',
    async (sink) => {
      const first = roleKeys('FIRST');
      const second = roleKeys('SECOND');
      using role = await RoleServer.start(first);
      await using stack = await LocalStack.start({
        credentials: [localCredentials, first, second],
      });
      const { url, faults } = stack.kvs;
      await using master = new TestMaster({
        ...stack.connection,
        ...{ width: 640, height: 360, videoBitrateBps: 600_000 },
      });
      await master.start();
      const names = [
        '--channel',
        stack.channel,
        '--stream',
        stack.stream,
        '--region',
        stack.region,
      ];
      const where = ['--endpoint', url, '--stun-server', 'none', '--fragment-seconds', '1'];
      const output = ['--json', '--log-level', 'debug', '--spool-dir', stack.spoolDir];
      const cli = new Cli(
        ['start', ...names, ...where, ...output, ...sinkArguments(sink)],
        role.environment,
      );
      await cli.until('persisted');

      role.keys = second;
      faults.revokeKeys(first);
      const cutAtMs = Date.now();
      assert.equal(faults.cutPutMedia(), 1);
      await cli.until('persisted', ({ timecodeMs }) => Number(timecodeMs) > cutAtMs + 1_000);
      cli.child.kill('SIGTERM');
      const { exitCode, stdout, stderr } = await cli.end();
      assert.equal(exitCode, 0, stderr);

      const media = await readStoredMedia(stack);
      assertPlayable(media, ['video', 'audio']);
      if (sink === 'putmedia') {
        const { missing, repeated } = await readTestPattern(media);
        assert.deepEqual([missing, repeated, media.duplicates], [0, 0, 0]);
      }
      for (const { secretAccessKey, sessionToken } of [first, second]) {
        for (const secret of [secretAccessKey, sessionToken]) {
          assert.ok(!`${stdout}${stderr}`.includes(secret), `the output contains ${secret}`);
        }
      }
    },
    {
      kvssink: 'it is replaced, with its session: what the master sends meanwhile is not recorded',
    },
  ),
];
