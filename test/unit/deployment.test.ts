/** What infra/ deploys fits the command, the image and the README. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { commandOptions } from '../../bin/cli/command-options.js';
import { envNamesOf } from '../../bin/cli/option-spec.js';
import { optionTable } from '../../bin/cli/option-table.js';
import { resolveSettings } from '../../bin/cli/settings.js';
import { deployedActions, deployedContainer } from '../support/deployment.js';

const project = new URL('../../../', import.meta.url);
const dockerfile = await readFile(new URL('Dockerfile', project), 'utf8');
const readme = await readFile(new URL('README.md', project), 'utf8');
const container = await deployedContainer({
  channel: 'front-door',
  stream: 'front-door-archive',
  region: 'eu-west-1',
});
const environment = Object.fromEntries(
  container.environment.map(({ name, value }) => [name, value]),
);

describe('deployed task', () => {
  it('sets options that the command has, to values that it takes', () => {
    const known = commandOptions.start.flatMap((name) => envNamesOf(name, optionTable[name]));
    const own = Object.keys(environment).filter((name) => name.startsWith('KVS_BRIDGE_'));
    assert.ok(own.length > 5);
    for (const name of own) assert.ok(known.includes(name), name);
    assert.deepEqual(container.command, ['start']);
    const settings = resolveSettings([...commandOptions.start], { flags: {}, env: environment });
    assert.equal(settings.channel, 'front-door');
    assert.equal(settings.json, true);
    assert.ok(settings.drainTimeout + 10_000 <= container.stopTimeout * 1_000);
  });

  it('leaves the drain that is the default of the command its time', () => {
    assert.ok(optionTable.drainTimeout.default < container.stopTimeout * 1_000);
  });

  it('is an image of this Dockerfile: user, volume, init process, health', () => {
    assert.match(dockerfile, new RegExp(`useradd --uid ${container.user} `));
    const [place] = container.mountPoints;
    assert.ok(dockerfile.includes(`VOLUME ["${place?.containerPath ?? ''}"]`));
    assert.equal(environment['KVS_BRIDGE_SPOOL_DIR'], place?.containerPath);
    const hasTini = /^ENTRYPOINT \["tini", "--", "kvs-bridge"\]$/m.test(dockerfile);
    assert.equal(container.linuxParameters.initProcessEnabled, !hasTini);
    const [, program = ''] = container.healthCheck.command;
    assert.ok(dockerfile.includes(` /usr/local/bin/${program}\n`), program);
    assert.ok(dockerfile.includes(`EXPOSE ${environment['KVS_BRIDGE_HTTP_PORT'] ?? ''}\n`));
  });

  it('may do what the README says', async () => {
    const rows = [...readme.matchAll(/^\| (`kinesisvideo:.+?) +\| (the \w+) +\|$/gm)];
    const actions = await deployedActions();
    assert.equal(rows.length, actions.size);
    for (const [, listed = '', on] of rows) {
      // What is in brackets is for --create-stream, which the task does not use.
      const names = [...listed.replace(/\(.*\)/, '').matchAll(/`(?:kinesisvideo:)?(\w+)`/g)];
      const allowed = actions.get(on === 'the channel' ? '${channel_arn}' : '${stream_arn}');
      assert.deepEqual(names.map(([, name]) => name).sort(), [...(allowed ?? [])].sort());
    }
  });
});
