/**
 * Official Node binaries export a static OpenSSL. GStreamer's DTLS must run on the system's own:
 * proved by the dynamic linker's word on every symbol that is bound while a session runs.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { nodeMajors, nodeOfMajor } from '../support/node-versions.js';

const run = promisify(execFile);
const fixture = new URL('../fixtures/loopback-session.js', import.meta.url).pathname;

/** Libraries whose calls must not land in the Node executable. */
const guarded =
  /^(libgstdtls|libgstsrtp|libgstnice|libgstwebrtc|libssl|libcrypto|libsrtp2|libnice)[.-]/;

interface Binding {
  readonly from: string;
  readonly to: string;
  readonly symbol: string;
}

/** Reads what LD_DEBUG=bindings wrote: one line for each symbol, its caller and its callee. */
function parseBindings(text: string): Binding[] {
  const pattern = /binding file (\S+) \[\d+\] to (\S+) \[\d+\]: \w+ symbol `([^']+)'/g;
  return [...text.matchAll(pattern)].map(([, from = '', to = '', symbol = '']) => ({
    from: basename(from),
    to: basename(to),
    symbol,
  }));
}

describe('OpenSSL isolation', () => {
  for (const major of nodeMajors) {
    it(`keeps DTLS on the system's OpenSSL under Node ${String(major)}`, async () => {
      const node = await nodeOfMajor(major);
      const folder = await mkdtemp(join(tmpdir(), 'kvs-bridge-bindings-'));
      try {
        const { stdout } = await run(node, [fixture], {
          env: { ...process.env, LD_DEBUG: 'bindings', LD_DEBUG_OUTPUT: join(folder, 'ld') },
          timeout: 60_000,
          maxBuffer: 64 * 1024 * 1024,
        });
        const result = JSON.parse(stdout) as {
          node: string;
          videoFrames: number;
          errors: unknown[];
        };
        assert.match(result.node, new RegExp(`^v${String(major)}\\.`));
        assert.ok(result.videoFrames >= 30, `only ${String(result.videoFrames)} frames`);
        assert.deepEqual(result.errors, []);

        const texts = await Promise.all(
          (await readdir(folder)).map((file) => readFile(join(folder, file), 'utf8')),
        );
        const bindings = texts.flatMap(parseBindings);
        const guardedCalls = bindings.filter(({ from }) => guarded.test(from));
        const intoDtls = guardedCalls.filter(
          ({ from, to }) => from.startsWith('libgstdtls') && /^lib(ssl|crypto)/.test(to),
        );
        assert.ok(intoDtls.length > 20, 'the DTLS plugin was not seen calling OpenSSL at all');
        assert.deepEqual(
          guardedCalls.filter(({ to }) => to === basename(node) || to.startsWith('libnode')),
          [],
        );
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  }
});
