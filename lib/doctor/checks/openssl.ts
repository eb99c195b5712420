/**
 * That GStreamer's DTLS runs on the system's OpenSSL, and not on the one that Node's executable
 * exports: by the dynamic linker's own record of what it binds (`LD_DEBUG=bindings`, ld.so(8)).
 */
import { basename } from 'node:path';
import { finding, skipped } from '../catalog/catalog.js';
import type { Check } from '../check.js';
import { askMedia } from '../probes/media.js';
import { step } from '../probes/step.js';
import type { DoctorFinding } from '../report.js';

const bindingPattern = /binding file (\S+) \[\d+\] to (\S+) \[\d+\]: \w+ symbol `([^']+)'/;

/** Symbols of OpenSSL, as far as the DTLS plugin calls it. */
const symbolPattern = /^(?:SSL|TLS|DTLS|X509|EVP|BIO|CRYPTO|OPENSSL|ERR|PEM|RSA|BN|ASN1)_/;

/** Counts where the calls of the DTLS plugin go. */
export class DtlsBindings {
  readonly #calls = new Map<string, number>();

  /** @param line - one that the dynamic linker wrote; others count nothing */
  take(line: string): void {
    const [, from = '', to = '', symbol = ''] = bindingPattern.exec(line) ?? [];
    if (!basename(from).startsWith('libgstdtls.') || !symbolPattern.test(symbol)) return;
    this.#calls.set(to, (this.#calls.get(to) ?? 0) + 1);
  }

  /** What that means. */
  finding(): DoctorFinding {
    const all = [...this.#calls];
    const isSystem = (file: string): boolean => /^lib(?:ssl|crypto)\./.test(basename(file));
    const foreign = all.find(([file]) => !isSystem(file));
    if (foreign !== undefined) {
      const [program, calls] = foreign;
      return finding('openssl.mixed', { program, calls });
    }
    if (all.length === 0) {
      return skipped(
        'openssl',
        'the dynamic linker keeps no record here, or GStreamer has no DTLS',
      );
    }
    const library = all.map(([file]) => basename(file)).join(' and ');
    return finding('openssl.isolated', {
      library,
      calls: all.reduce((sum, [, calls]) => sum + calls, 0),
    });
  }
}

export const opensslCheck: Check = {
  topic: 'openssl',
  run: async ({ machine, media, bounds }) => {
    if (machine.sharesOpenSsl) return [finding('openssl.shared', {})];
    // Also makes GStreamer scan its plugins first, which would fill the record.
    const asked = await media.ask();
    if (!asked.ok || !('missing' in asked.value)) {
      return [skipped('openssl', 'the addon does not load')];
    }
    const bindings = new DtlsBindings();
    const done = await step(
      (signal) =>
        askMedia(
          machine,
          { elements: [] },
          {
            env: { LD_DEBUG: 'bindings' },
            onLine: (line, pid) => {
              if (line.trimStart().startsWith(`${pid}:`)) bindings.take(line);
            },
            signal,
          },
        ),
      { ...bounds, timeoutMs: media.timeoutMs },
    );
    return [done.ok ? bindings.finding() : skipped('openssl', done.error.message)];
  },
};
