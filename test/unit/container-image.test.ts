/** The Dockerfile and what it copies, as far as they can be read; container-root.mjs runs them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { envNamesOf } from '../../bin/cli/option-spec.js';
import { optionTable } from '../../bin/cli/option-table.js';
import { loadNative } from '../../lib/media/native.js';

const project = fileURLToPath(new URL('../../../', import.meta.url));

interface Instruction {
  readonly keyword: string;
  readonly text: string;
}
interface Stage {
  readonly image: string;
  readonly name: string;
  readonly instructions: readonly Instruction[];
}
interface ImageSettings {
  readonly user: string;
  readonly env: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly entrypoint: readonly string[];
  readonly healthcheck: readonly string[];
}
interface DockerfileReader {
  parseDockerfile(text: string, buildArgs?: Readonly<Record<string, string>>): Stage[];
  parseCopy(text: string): { from: string | undefined; sources: string[]; target: string };
  settingsOf(stages: readonly Stage[], stage: Stage): ImageSettings;
}

const reader = (await import(
  pathToFileURL(join(project, 'scripts/container/dockerfile.mjs')).href
)) as DockerfileReader;
const dockerfile = readFileSync(join(project, 'Dockerfile'), 'utf8');
const stages = reader.parseDockerfile(dockerfile);
const [final] = stages.slice(-1);
assert.ok(final !== undefined);

function copiesOf(stage: Stage): ReturnType<DockerfileReader['parseCopy']>[] {
  const copies = stage.instructions.filter(({ keyword }) => keyword === 'COPY');
  return copies.map(({ text }) => reader.parseCopy(text));
}

describe('the Dockerfile', () => {
  it('copies from earlier stages, and from the project what is there and not ignored', () => {
    const kept = readFileSync(join(project, '.dockerignore'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    for (const [index, stage] of stages.entries()) {
      const earlier = stages.slice(0, index).map(({ name }) => name);
      for (const { from, sources } of copiesOf(stage)) {
        if (from !== undefined)
          assert.ok(earlier.includes(from), `${stage.name} copies from ${from}`);
        else {
          for (const source of sources) {
            assert.ok(existsSync(join(project, source)), source);
            assert.ok(kept.includes(source.split('/')[0] ?? ''), `.dockerignore drops ${source}`);
          }
        }
      }
    }
  });

  it('starts from Debian, and takes kvssink of another image only when it is told to', () => {
    assert.deepEqual(
      stages.map(({ image }) => image),
      ['debian:trixie-slim', 'base', 'base', 'base', 'base'],
    );
    const withSink = reader.parseDockerfile(dockerfile, { KVSSINK_IMAGE: 'example.com/sink:1' });
    assert.deepEqual(withSink.map(({ image }) => image).slice(-2), ['example.com/sink:1', 'base']);
    assert.throws(() => reader.parseDockerfile(dockerfile, { KVSSINK: 'x' }), /no ARG KVSSINK/);
  });

  it('installs nothing in the final stage, and takes only what the others collected', () => {
    const runs = final.instructions.filter(({ keyword }) => keyword === 'RUN');
    assert.doesNotMatch(runs.map(({ text }) => text).join('\n'), /\b(apt-get|npm|g\+\+|cmake)\b/);
    const taken = copiesOf(final).flatMap(({ from, sources }) =>
      from === undefined ? [] : sources.map((source) => `${from}:${source}`),
    );
    assert.deepEqual(taken, ['system:/image/', 'kvssink:/collect/kvssink/', 'build:/app/']);
  });

  it('runs as somebody without rights, below tini, with a volume for the spool', () => {
    const settings = reader.settingsOf(stages, final);
    assert.equal(settings.user, 'kvs-bridge');
    assert.deepEqual(settings.entrypoint, ['tini', '--', 'kvs-bridge']);
    assert.deepEqual(settings.volumes, [settings.env['KVS_BRIDGE_SPOOL_DIR']]);
    const commands = copiesOf(final).map(({ target }) => target);
    for (const [program] of [settings.entrypoint.slice(2), settings.healthcheck]) {
      assert.ok(commands.includes(`/usr/local/bin/${program ?? ''}`), program);
    }
  });

  it('sets variables that kvs-bridge knows', () => {
    const known = Object.entries(optionTable).flatMap(([key, spec]) => envNamesOf(key, spec));
    const set = Object.keys(reader.settingsOf(stages, final).env);
    const own = set.filter((name) => name.startsWith('KVS_BRIDGE_'));
    assert.ok(own.length > 0);
    for (const name of own) assert.ok(known.includes(name), name);
  });

  it('names no processor architecture, nor do its scripts', () => {
    const folder = join(project, 'scripts', 'container');
    const scripts = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    const commands = stages.flatMap(({ instructions }) => instructions.map(({ text }) => text));
    for (const text of [...commands, ...scripts]) {
      assert.doesNotMatch(text, /x86_64-linux|aarch64|\/(amd64|arm64)\b/);
    }
  });
});

/** Elements that native/ prefers where they are, or that Debian does not package. */
const elsewhere = new Set([
  ...['avdec_aac', 'avdec_h264', 'avenc_aac', 'dav1ddec', 'openh264enc'],
  ...['av1enc', 'rtpav1pay', 'kvssink'],
]);

/** Words of native/ that happen to be elements, too. */
const chance = new Set(['burn', 'level', 'smpte', 'speed', 'stereo']);

describe('the list of elements', () => {
  it('has each GStreamer element that native/ names', () => {
    const listed = readFileSync(join(project, 'scripts/container/elements.txt'), 'utf8').split(
      '\n',
    );
    const native = loadNative();
    const folder = join(project, 'native', 'media');
    const sources = readdirSync(folder).filter((name) => name.endsWith('.cc'));
    const words = sources.flatMap((name) =>
      Array.from(
        readFileSync(join(folder, name), 'utf8').matchAll(/"((?:[^"\\\n]|\\.)*)"/g),
      ).flatMap(([, literal = '']) => literal.split(/[^\w]+/)),
    );
    const named = new Set(words.filter((word) => word !== '' && native.hasElement(word)));
    assert.ok(named.size > 30, `only ${named.size} elements were found in native/`);
    const accounted = new Set([...listed, ...elsewhere, ...chance]);
    assert.deepEqual(
      [...named].filter((name) => !accounted.has(name)),
      [],
    );
  });
});

describe('the health check', () => {
  const script = join(project, 'scripts', 'container', 'healthcheck.sh');

  async function check(port: number, ...args: string[]): Promise<number | null> {
    const env = { ...process.env, KVS_BRIDGE_HTTP_PORT: String(port) };
    const child = spawn('bash', [script, ...args], { env, stdio: 'ignore' });
    const [exitCode] = (await once(child, 'exit')) as [number | null];
    return exitCode;
  }

  it('succeeds only while the bridge answers with 200', async () => {
    const server = createServer(({ url }, response) => {
      response.writeHead(url === '/livez' ? 200 : 503).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    assert.equal(await check(port, '/livez'), 0);
    assert.equal(await check(port), 1);
    server.close();
    await once(server, 'close');
    assert.equal(await check(port, '/livez'), 1);
  });
});
