/** Whether a host can be reached: its name, TCP, TLS, and that it answers HTTP. */
import { lookup } from 'node:dns/promises';
import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { certificateFix, failureOfError } from '../../aws/aws-errors.js';

/** A host answered. */
export interface Reached {
  /** From the start to the answer, the look-up of the name included. */
  readonly ms: number;
  /** How far the host's clock is ahead of this machine's, in ms; undefined when it tells no date. */
  readonly clockAheadMs: number | undefined;
}

/** What kept a host from being reached. */
export type Obstacle = 'certificate' | 'name' | 'network';

/** A host could not be reached. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
  readonly obstacle: Obstacle;

  constructor(obstacle: Obstacle, reason: string) {
    super(reason);
    this.obstacle = obstacle;
  }
}

/** Of a Date header, which has whole seconds. */
const dateMiddleMs = 500;

/**
 * Asks the host of `url` for anything: each answer, an error too, means that it is there.
 *
 * @param url - `http:`, `https:`, `ws:` or `wss:`; its path is not used
 * @throws {@link Unreachable}
 */
export async function reach(
  url: URL,
  { ca, signal }: { readonly ca?: string | undefined; readonly signal: AbortSignal },
): Promise<Reached> {
  const startedAtMs = performance.now();
  const { hostname } = url;
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) === 0) {
    await lookup(host).catch((error: unknown) => {
      throw new Unreachable('name', failureOfError(error).name);
    });
  }
  signal.throwIfAborted();
  return new Promise<Reached>((resolve, reject) => {
    const isSecure = url.protocol === 'https:' || url.protocol === 'wss:';
    const target = new URL('/', url);
    target.protocol = isSecure ? 'https:' : 'http:';
    const options = { agent: false, signal, ...(ca === undefined ? {} : { ca }) };
    const sentAtMs = Date.now();
    const onAnswer = (answer: http.IncomingMessage): void => {
      answer.resume();
      const hereMs = (sentAtMs + Date.now()) / 2;
      const thereMs = Date.parse(answer.headers.date ?? '') + dateMiddleMs;
      resolve({
        ms: Math.round(performance.now() - startedAtMs),
        clockAheadMs: Number.isNaN(thereMs) ? undefined : Math.round(thereMs - hereMs),
      });
      request.destroy();
    };
    const request = isSecure
      ? https.get(target, options, onAnswer)
      : http.get(target, options, onAnswer);
    request.on('error', (error) => {
      const failure = failureOfError(error);
      const obstacle = certificateFix(failure) === undefined ? 'network' : 'certificate';
      reject(new Unreachable(obstacle, failure.name));
    });
  });
}
