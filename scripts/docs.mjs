/**
 * `npm run docs`: the reference of the public API, with the README and docs/ beside it, as a website in
 * build/docs. A warning, such as a `{@link}` that leads nowhere, is an error.
 */
import { ensureNodeModules, ensureNodeVersion } from './setup/project.mjs';
import { inProject } from './setup/paths.mjs';
import { runScript } from './setup/setup-error.mjs';

/**
 * @param {boolean} write the website; without it, it is only tried
 * @returns {Promise<string>} what is wrong
 */
export async function apiReference(write) {
  const { Application, Logger, TypeDocReader } = await import('typedoc');

  /** Keeps what TypeDoc finds, instead of writing it to the terminal. */
  class Findings extends Logger {
    /** @type {string[]} */
    lines = [];

    log(message, level) {
      super.log(message, level);
      this.lines.push(message);
    }

    // Progress is of no interest.
    info() {}
    verbose() {}
  }

  const findings = new Findings();
  const options = inProject('scripts', 'typedoc.json');
  const application = await Application.bootstrapWithPlugins({ options }, [new TypeDocReader()]);
  application.logger = findings;
  const project = await application.convert();
  if (project !== undefined) {
    application.validate(project);
    if (write && findings.lines.length === 0) await application.generateOutputs(project);
  }
  return findings.lines.join('\n');
}

if (process.argv[1] === inProject('scripts', 'docs.mjs')) {
  await runScript(async () => {
    ensureNodeVersion();
    await ensureNodeModules();
    const findings = await apiReference(true);
    process.stdout.write(findings === '' ? 'build/docs/index.html\n' : `${findings}\n`);
    if (findings !== '') process.exitCode = 1;
  });
}
