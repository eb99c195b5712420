/** The command while keys and clocks are wrong: it waits, says so, and loses nothing. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TestMaster, localCredentials } from '../../lib/index.js';
import { Cli } from '../support/cli.js';
import { LocalStack } from '../support/local-stack.js';
import { RoleServer } from '../support/role-server.js';
import type { RoleKeys } from '../support/role-server.js';
import { readStoredMedia, readTestPattern } from '../support/stored-media.js';

const hourMs = 3_600_000;

function roleKeys(name: string): RoleKeys {
  return {
    accessKeyId: `AKID${name}`,
    secretAccessKey: `secret-access-key-of-${name}`,
    sessionToken: `session-token-of-${name}`,
  };
}

describe('kvs-bridge start, with keys and clocks that are wrong for a while', () => {
  it('stores every frame of one session, whatever happens to its keys and to the clock', async () => {
    const first = roleKeys('FIRST');
    const second = roleKeys('SECOND');
    using role = await RoleServer.start(first);
    await using stack = await LocalStack.start({ credentials: [localCredentials, first, second] });
    const { url, faults } = stack.kvs;
    const picture = { width: 640, height: 360, videoBitrateBps: 600_000 };
    await using master = new TestMaster({ ...stack.connection, ...picture });
    await master.start();

    // After a reboot the role's endpoint may come later than the bridge, and the clock may be off.
    role.keys = undefined;
    let shift = faults.shiftClock({ byMs: 3 * hourMs });
    using cli = new Cli(
      [
        ...['start', '--channel', stack.channel, '--stream', stack.stream],
        ...['--region', stack.region, '--endpoint', url, '--stun-server', 'none'],
        ...['--sink', 'putmedia', '--fragment-seconds', '1', '--json'],
      ],
      role.environment,
    );
    const waiting = await cli.until('state', ({ state }) => state === 'reconnecting');
    assert.match(String(waiting['reason']), /AWS_CONTAINER_CREDENTIALS_FULL_URI/);
    role.keys = first;
    await cli.until('persisted');

    // The machine's clock is set under way: two hours the other way.
    shift.remove();
    shift = faults.shiftClock({ byMs: -2 * hourMs });
    let cutAtMs = Date.now();
    assert.equal(faults.cutPutMedia(), 1);
    await cli.until('persisted', ({ timecodeMs }) => Number(timecodeMs) > cutAtMs);
    shift.remove();

    // The keys end while nobody can give out others.
    role.keys = undefined;
    faults.revokeKeys(first);
    cutAtMs = Date.now();
    assert.equal(faults.cutPutMedia(), 1);
    await cli.until(
      'warning',
      ({ time, message }) =>
        Date.parse(String(time)) >= cutAtMs && String(message).includes('could not be loaded'),
    );
    // The endpoint comes back with the old ones before it has others.
    role.keys = first;
    const isDegraded = await cli.until('state', ({ state }) => state === 'degraded');
    assert.match(String(isDegraded['reason']), /does not accept the credentials/);
    role.keys = second;
    await cli.until('persisted', ({ timecodeMs }) => Number(timecodeMs) > cutAtMs + 1_000);

    cli.child.kill('SIGTERM');
    const { exitCode, events, stderr } = await cli.end();
    assert.equal(exitCode, 0, stderr);
    const stopped = events.findLast(({ event }) => event === 'stopped');
    assert.equal(stopped?.['sessions'], 1);
    assert.equal(stopped['framesStored'], stopped['framesReceived']);
    assert.equal(events.findLast(({ event }) => event === 'state')?.['previous'], 'stopping');
    const media = await readStoredMedia(stack);
    const { missing, repeated } = await readTestPattern(media);
    assert.deepEqual([missing, repeated, media.duplicates], [0, 0, 0]);
  });
});
