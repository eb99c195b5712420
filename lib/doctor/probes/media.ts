/** Asks a process of its own what the addon and GStreamer can do. */
import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { abortable } from '../../util/abort.js';
import type { Machine } from '../machine.js';
import { parseMediaAnswer } from './media-protocol.js';
import type { MediaAnswer, MediaQuestion } from './media-protocol.js';

const program = fileURLToPath(new URL('./media-probe.js', import.meta.url));

/** The process ended without an answer. */
export interface ProbeCrash {
  /** Such as `signal SIGSEGV` or `exit code 1`. */
  readonly crashed: string;
}

/** Options of {@link askMedia}. */
export interface AskMediaOptions {
  /** More variables than the machine's. */
  readonly env?: Readonly<Record<string, string>>;
  /** Gets what the process writes to stderr, line by line. */
  readonly onLine?: (line: string, pid: number) => void;
  readonly signal: AbortSignal;
}

/** Starts the process, asks, and waits until it has ended. It is killed when `signal` aborts. */
export function askMedia(
  machine: Machine,
  question: MediaQuestion,
  { env = {}, onLine, signal }: AskMediaOptions,
): Promise<MediaAnswer | ProbeCrash> {
  const child = fork(program, [], {
    env: { ...machine.env, ...env },
    execArgv: [],
    stdio: ['ignore', 'ignore', onLine === undefined ? 'ignore' : 'pipe', 'ipc'],
  });
  return abortable<MediaAnswer | ProbeCrash>((resolve, reject) => {
    let answer: unknown;
    child.once('error', reject);
    child.once('message', (message) => {
      answer = message;
    });
    // `close` comes when its output has been read as well.
    child.once('close', (code, killedBy) => {
      if (answer === undefined) {
        resolve({ crashed: killedBy === null ? `exit code ${code ?? 0}` : `signal ${killedBy}` });
        return;
      }
      try {
        resolve(parseMediaAnswer(answer));
      } catch (error) {
        reject(error);
      }
    });
    const { stderr, pid } = child as { readonly stderr: Readable | null; readonly pid?: number };
    if (stderr !== null && onLine !== undefined) {
      createInterface(stderr).on('line', (line) => {
        onLine(line, pid ?? 0);
      });
    }
    child.send(question, () => undefined);
    return () => child.kill('SIGKILL');
  }, signal);
}
