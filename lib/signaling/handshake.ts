/** Opens the WebSocket, and turns each way in which that fails into an error with a fix. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { awsErrorOf, certificateFix, describeFailure, failureOfError } from '../aws/aws-errors.js';
import type { AwsCall, AwsFailure } from '../aws/aws-errors.js';
import { awsClock } from '../aws/clock.js';
import { failureOfHttpAnswer } from '../aws/http-answer.js';
import { abortable } from '../util/abort.js';
import { ErrorCode, SignalingError } from '../util/errors.js';
import type { KvsBridgeError } from '../util/errors.js';
import { maxFrameBytes } from './messages.js';

/** Options of {@link openWebSocket}. */
export interface OpenWebSocketOptions {
  /** Signed URL. It stays out of every error. */
  readonly url: URL;
  /** For error messages. */
  readonly call: AwsCall;
  /** PEM of the authority to trust, for a self-signed certificate. */
  readonly ca?: string | undefined;
  /** How long a closing handshake may take, in ms, whoever began it. */
  readonly closeTimeoutMs: number;
  /** Called with the socket before it can receive anything, to listen from the first frame on. */
  readonly attach: (socket: WebSocket) => void;
  readonly signal: AbortSignal;
}

const maxAnswerBytes = 8192;

/** A handshake that AWS refused, before it is made an error. */
export class HandshakeFailure extends Error {
  readonly failure: AwsFailure;

  constructor(failure: AwsFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

/**
 * Resolves when the connection is open.
 *
 * @throws {@link HandshakeFailure}; the abort reason when aborted
 */
export function openWebSocket(options: OpenWebSocketOptions): Promise<WebSocket> {
  const { url, ca, attach, closeTimeoutMs, signal } = options;
  // Documented by ws, but missing in its type declarations. Its own default is 30 s.
  const untyped = { closeTimeout: closeTimeoutMs };
  return abortable<WebSocket>((resolve, reject) => {
    const socket = new WebSocket(url, {
      perMessageDeflate: false,
      maxPayload: maxFrameBytes,
      followRedirects: false,
      ...untyped,
      ...(ca === undefined ? {} : { ca }),
    });
    // Stays for the socket's whole life: an error without a listener would end the process.
    socket.on('error', (error) => {
      reject(new HandshakeFailure(failureOfError(error)));
    });
    socket.once('upgrade', (answer) => {
      awsClock.observe(answer.headers.date);
    });
    socket.once('open', () => {
      resolve(socket);
    });
    socket.once('unexpected-response', (request: ClientRequest, answer: IncomingMessage) => {
      awsClock.observe(answer.headers.date);
      readBody(answer, (body) => {
        const errorType = answer.headers['x-amzn-errortype'];
        reject(
          new HandshakeFailure(
            failureOfHttpAnswer(
              answer.statusCode ?? 0,
              Array.isArray(errorType) ? errorType[0] : errorType,
              body,
            ),
          ),
        );
        request.destroy();
      });
    });
    attach(socket);
    return () => {
      if (socket.readyState === WebSocket.CONNECTING) socket.terminate();
    };
  }, signal);
}

/** Reads what fits; a server that sends more, or breaks off, has said enough. */
function readBody(answer: IncomingMessage, done: (body: string) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  const finish = (): void => {
    answer.removeAllListeners('data');
    done(Buffer.concat(chunks).subarray(0, maxAnswerBytes).toString('utf8'));
  };
  answer.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= maxAnswerBytes) answer.destroy();
  });
  // 'close' follows the end, a break and our own destroy alike.
  answer.once('close', finish);
  answer.on('error', () => undefined);
}

/** The error to show for a refused handshake. */
export function handshakeError({ failure }: HandshakeFailure, call: AwsCall): KvsBridgeError {
  switch (failure.kind) {
    case 'accessDenied':
    case 'clockSkew':
    case 'credentials':
    case 'notFound':
      return awsErrorOf(failure, call);
    case 'network':
      return new SignalingError(
        ErrorCode.signaling,
        `Cannot reach the signaling endpoint ${call.host} (${failure.name}: ${failure.message})`,
        {
          fix:
            certificateFix(failure) ??
            'Check DNS, proxy and firewall: outbound TCP 443 with WebSocket must pass.',
        },
      );
    case 'exists':
    case 'other':
    case 'serverFault':
    case 'throttled':
      return new SignalingError(
        ErrorCode.signaling,
        `The signaling endpoint refused ${call.action} (${describeFailure(failure)})`,
        failure.kind === 'other'
          ? {}
          : { fix: 'Try again later: a channel takes 3 connects a second and 10 viewers.' },
      );
  }
}
