/** A set-up step failed for a reason that the person at the terminal can act on. */
export class SetupError extends Error {
  name = 'SetupError';

  /**
   * @param {string} message what is wrong, one line
   * @param {string} fix what to do about it, one line
   * @param {{ output?: string }} [details] `output`: further lines to show, such as a compiler's
   */
  constructor(message, fix, details = {}) {
    super(message);
    this.fix = fix;
    this.output = details.output;
  }
}

/**
 * Runs a script's main function. A {@link SetupError} is printed as one line with its fix, anything
 * else is a bug and keeps its stack. Either way the exit code is 1.
 *
 * @param {() => Promise<void>} main
 */
export async function runScript(main) {
  try {
    await main();
  } catch (error) {
    process.exitCode = 1;
    if (!(error instanceof SetupError)) throw error;
    if (error.output) process.stderr.write(`${error.output.trimEnd()}\n`);
    process.stderr.write(`error: ${error.message}\n  fix: ${error.fix}\n`);
  }
}
