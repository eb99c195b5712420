import type { Output } from './output.js';

/** What a command runs with besides its options. */
export interface CommandContext {
  readonly output: Output;
  /** Aborts when the command has to stop in order. */
  readonly signal: AbortSignal;
  /** Has something done at the last moment when a second signal ends the command at once. */
  readonly beforeLeaving: (action: () => void) => void;
  /** Ends the command with this exit code, when it does not fail. @defaultValue 0 */
  readonly endWith: (exitCode: number) => void;
}
