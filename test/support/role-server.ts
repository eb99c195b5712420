/** Hands out the credentials of a task's role, as the agent of a container service does. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Temporary keys. */
export interface RoleKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

const defaultLifetimeMs = 3_600_000;

/** A server for AWS_CONTAINER_CREDENTIALS_FULL_URI. */
export class RoleServer implements Disposable {
  readonly #server: Server;
  /** What it hands out; may change at any time. Without any it breaks connections off. */
  keys: RoleKeys | undefined;
  /** When they end, Unix epoch ms; undefined: an hour after they are handed out. */
  expiresAtMs: number | undefined;

  private constructor(server: Server, keys: RoleKeys) {
    this.#server = server;
    this.keys = keys;
  }

  static async start(keys: RoleKeys): Promise<RoleServer> {
    const server = createServer((_request, response) => {
      if (role.keys === undefined) {
        response.destroy();
        return;
      }
      const { accessKeyId, secretAccessKey, sessionToken } = role.keys;
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({
          AccessKeyId: accessKeyId,
          SecretAccessKey: secretAccessKey,
          Token: sessionToken,
          Expiration: new Date(role.expiresAtMs ?? Date.now() + defaultLifetimeMs).toISOString(),
        }),
      );
    });
    const role = new RoleServer(server, keys);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return role;
  }

  /** What a process needs to find it, and no other credentials. */
  get environment(): Readonly<Record<string, string>> {
    const { port } = this.#server.address() as AddressInfo;
    return { AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${String(port)}/keys` };
  }

  [Symbol.dispose](): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
