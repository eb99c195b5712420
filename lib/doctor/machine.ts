/** What doctor takes from the machine that it runs on; tests make other machines. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A machine, or a container on one. */
export interface Machine {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where `/proc`, `/sys` and `/.dockerenv` are. */
  readonly root: string;
  /** Of Node, without the `v`. */
  readonly nodeVersion: string;
  /** Of Node-API. */
  readonly napiVersion: number;
  /** Node calls the OpenSSL of the system, instead of one of its own. */
  readonly sharesOpenSsl: boolean;
}

/** The machine of this process, as it is now. */
export function thisMachine(): Machine {
  return {
    env: { ...process.env },
    root: '/',
    nodeVersion: process.versions.node,
    napiVersion: Number(process.versions['napi'] ?? 0),
    sharesOpenSsl: Boolean(Reflect.get(process.config.variables, 'node_shared_openssl') as unknown),
  };
}

/** A small file below the root, trimmed; undefined when it cannot be read. */
export async function readText(machine: Machine, path: string): Promise<string | undefined> {
  try {
    return (await readFile(join(machine.root, path), 'utf8')).trim();
  } catch {
    return undefined;
  }
}
