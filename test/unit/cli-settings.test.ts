/** Flags, environment, config file and defaults: which one counts, and what is wrong with it. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { envNamesOf, flagOf } from '../../bin/cli/option-spec.js';
import { commandOptions } from '../../bin/cli/command-options.js';
import { optionTable } from '../../bin/cli/option-table.js';
import { required, resolveSettings } from '../../bin/cli/settings.js';
import type { Sources } from '../../bin/cli/settings.js';
import { OptionsError } from '../../lib/index.js';

describe('settings', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kvsb-settings-'));
  });
  after(() => rm(folder, { recursive: true }));

  async function config(name: string, content: unknown): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  }

  function refusal(sources: Partial<Sources>): OptionsError {
    try {
      resolveSettings(['jitterBufferMs', 'sound', 'local', 'videoCodecs'], {
        flags: {},
        env: {},
        ...sources,
      });
    } catch (error) {
      assert.ok(error instanceof OptionsError);
      assert.ok(error.fix !== undefined && error.fix !== '');
      return error;
    }
    return assert.fail('nothing was refused');
  }

  it('prefers flag to environment to file to default', async () => {
    const configPath = await config('order.json', { jitterBufferMs: 30 });
    const flags = { jitterBufferMs: '10' };
    const env = { KVS_BRIDGE_JITTER_BUFFER_MS: '20' };
    const read = (sources: Sources): number =>
      resolveSettings(['jitterBufferMs'], sources).jitterBufferMs;
    assert.equal(read({ flags, env, configPath }), 10);
    assert.equal(read({ flags: {}, env, configPath }), 20);
    assert.equal(read({ flags: {}, env: {}, configPath }), 30);
    assert.equal(read({ flags: {}, env: { KVS_BRIDGE_CONFIG: configPath } }), 30);
    assert.equal(read({ flags: {}, env: {} }), 300);
  });

  it('reads pairs from flags, environment and file alike', async () => {
    const read = (sources: Partial<Sources>): unknown =>
      resolveSettings(['tags'], { flags: {}, env: {}, ...sources }).tags;
    const tags = { site: 'oslo', door: 'a=b' };
    const configPath = await config('tags.json', { tags });
    assert.deepEqual(read({ flags: { tags: 'site=oslo\ndoor=a=b' } }), tags);
    assert.deepEqual(read({ env: { KVS_BRIDGE_TAGS: 'site=oslo,door=a=b' } }), tags);
    assert.deepEqual(read({ configPath }), tags);
    assert.equal(read({}), undefined);
    assert.equal(flagOf('tags', optionTable.tags), '--tag');
    assert.throws(() => read({ flags: { tags: 'oslo' } }), /--tag must be of the form name=value/);
    const wrong = await config('tags-wrong.json', { tags: { site: 7 } });
    assert.throws(() => read({ configPath: wrong }), /"tags" in .* must be an object with texts/);
  });

  it('takes an empty variable for an unset one', () => {
    const env = { KVS_BRIDGE_JITTER_BUFFER_MS: '', KVS_BRIDGE_REGION: '', AWS_REGION: 'eu-west-1' };
    const settings = resolveSettings(['jitterBufferMs', 'region'], { flags: {}, env });
    assert.deepEqual(settings, { jitterBufferMs: 300, region: 'eu-west-1' });
  });

  it('prefers our own region variable to those of AWS', () => {
    const env = { AWS_REGION: 'a', AWS_DEFAULT_REGION: 'b', KVS_BRIDGE_REGION: 'c' };
    assert.equal(resolveSettings(['region'], { flags: {}, env }).region, 'c');
  });

  it('turns off what is on by default, everywhere', async () => {
    const configPath = await config('off.json', { sound: false });
    const read = (sources: Partial<Sources>): boolean =>
      resolveSettings(['sound'], { flags: {}, env: {}, ...sources }).sound;
    assert.equal(read({}), true);
    assert.equal(read({ flags: { sound: 'false' } }), false);
    assert.equal(read({ env: { KVS_BRIDGE_SOUND: 'no' } }), false);
    assert.equal(read({ configPath }), false);
  });

  it('reads a list in its order, and refuses what is unknown, repeated or missing', () => {
    const read = (text: string): readonly string[] =>
      resolveSettings(['videoCodecs'], { flags: { videoCodecs: text }, env: {} }).videoCodecs;
    assert.deepEqual(read('vp8, h264'), ['vp8', 'h264']);
    for (const text of ['h264,vp7', 'vp8,vp8', 'vp8,', '']) {
      assert.match(
        refusal({ flags: { videoCodecs: text } }).message,
        /^--video-codecs must be a list of some of h264, h265, vp8, vp9, av1, each once, not/,
      );
    }
    // What is wrong in it is named, however long the list is.
    const long = { flags: { videoCodecs: 'vp8,vp9,h264,h265,theora' } };
    assert.match(refusal(long).message, /each once, not "theora"$/);
  });

  it('reads --local with and without a URL', () => {
    const read = (text: string): string | undefined =>
      resolveSettings(['local'], { flags: { local: text }, env: {} }).local;
    assert.equal(read('true'), 'http://127.0.0.1:8181');
    assert.equal(read('http://127.0.0.1:9'), 'http://127.0.0.1:9');
    assert.equal(read('false'), undefined);
    assert.match(refusal({ flags: { local: 'nonsense' } }).message, /^--local must be a URL/);
  });

  it('repeats no value that may be a secret in the wrong place', async () => {
    const secrets = [
      'AKIAIOSFODNN7EXAMPLE',
      'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      'IQoJb3JpZ2luX2VjEK',
      'https://h/?X-Amz-Signature=d0d0',
      'correct7horse',
      'hunter2',
      'abcdefghijklmnop',
    ];
    for (const [index, secret] of secrets.entries()) {
      const places = [
        { flags: { jitterBufferMs: secret } },
        { flags: { videoCodecs: `vp8,${secret}` } },
        { env: { KVS_BRIDGE_JITTER_BUFFER_MS: secret } },
        { configPath: await config(`value-${index}.json`, { jitterBufferMs: secret }) },
      ];
      for (const place of places) {
        const { message } = refusal(place);
        assert.match(message, / must be a /);
        assert.ok(!message.includes(secret), message);
      }
    }
    const [key = ''] = secrets;
    const { message } = refusal({ configPath: await config('key.json', { [key]: 'x' }) });
    assert.match(message, /^An entry of .*key\.json is not an option/);
  });

  it('names the place where a wrong value stands', async () => {
    const configPath = await config('wrong.json', { jitterBufferMs: 'soon' });
    assert.match(
      refusal({ flags: { jitterBufferMs: '-1' } }).message,
      /^--jitter-buffer-ms must be a whole number from 0 to 5000, not "-1"$/,
    );
    assert.match(
      refusal({ env: { KVS_BRIDGE_JITTER_BUFFER_MS: '2.5' } }).message,
      /^KVS_BRIDGE_JITTER_BUFFER_MS must be a whole number/,
    );
    assert.match(refusal({ configPath }).message, /^"jitterBufferMs" in .*wrong\.json must be/);
  });

  it('refuses a config file with an unknown entry, a wrong type, no object, no JSON, no file', async () => {
    const cases: readonly (readonly [unknown, RegExp])[] = [
      [{ jiterBufferMs: 1 }, /"jiterBufferMs" in .* is not an option/],
      [{ toString: 1 }, /"toString" in .* is not an option/],
      [{ sound: [] }, /"sound" in .* must be text, a number, true or false/],
      [[], /must hold a JSON object/],
      ['{', /is not JSON/],
    ];
    for (const [content, message] of cases) {
      assert.match(refusal({ configPath: await config('bad.json', content) }).message, message);
    }
    assert.match(refusal({ configPath: join(folder, 'absent.json') }).message, /cannot be read/);
  });

  it('says how to give what is required', () => {
    assert.throws(
      () => {
        required('channel', undefined);
      },
      (error) =>
        error instanceof OptionsError &&
        /--channel <name>.*KVS_BRIDGE_CHANNEL.*"channel"/.test(error.fix ?? ''),
    );
  });

  it('reads each default back as it is written', () => {
    for (const names of Object.values(commandOptions)) {
      resolveSettings(names, { flags: {}, env: {} });
    }
    for (const [name, spec] of Object.entries(optionTable)) {
      if (!('default' in spec) || 'defaultText' in spec) continue;
      assert.equal(spec.parse(String(spec.default)), spec.default, name);
    }
  });

  it('derives flag and variable from the name', () => {
    assert.equal(flagOf('sound', optionTable.sound), '--no-sound');
    assert.equal(flagOf('fragmentSeconds', optionTable.fragmentSeconds), '--fragment-seconds');
    assert.deepEqual(envNamesOf('bufferMb', optionTable.bufferMb), ['KVS_BRIDGE_BUFFER_MB']);
  });
});
