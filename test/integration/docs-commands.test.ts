/**
 * Every command that the documents show: those of kvs-bridge are run as they stand there, against a
 * local KVS; of the others this says who runs them, and checks that.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { TestMaster } from '../../lib/index.js';
import { Cli } from '../support/cli.js';
import { documentedCommands, projectFile } from '../support/docs-commands.js';
import type { DocumentedCommand } from '../support/docs-commands.js';
import { LocalStack } from '../support/local-stack.js';

/** Who runs an npm script that the documents name: a file, and what stands in it. */
const scriptRunners: Readonly<Record<string, { readonly file: string; readonly line: RegExp }>> = {
  demo: { file: '.ci/run', line: /^npm run --silent demo /m },
  test: { file: '.ci/run', line: /^npm run --silent test$/m },
};

/** What cannot be run where these tests run, and the words by which the document says so. */
const elsewhere: readonly { readonly command: RegExp; readonly admission: RegExp }[] = [
  {
    command: /^(?:aws|cd infra$|cp config|npm ci$|npx cdk) ?/,
    admission: /It has never been deployed to AWS/,
  },
  { command: /^docker /, admission: /`docker build` itself, arm64, and ECS have not\s+been run/ },
];

const commands = await documentedCommands();

describe('the commands in the documents', () => {
  let stack: LocalStack;
  let master: TestMaster;
  before(async () => {
    stack = await LocalStack.start();
    master = new TestMaster({ ...stack.connection, width: 480, height: 270, audio: false });
    await master.start();
  });
  after(async () => {
    await master[Symbol.asyncDispose]();
    await stack[Symbol.asyncDispose]();
  });

  const own = commands.filter(({ words }) => words[0] === 'kvs-bridge');
  for (const command of unique(own)) {
    it(`${command.document}: ${command.text}`, () => runOwn(command));
  }

  for (const { document, text, words } of unique(commands)) {
    const script = scriptOf(words);
    if (script === undefined) continue;
    it(`${document}: ${text} is run by others`, async () => {
      const runner = scriptRunners[script];
      assert.ok(runner !== undefined, `nobody is known to run "npm run ${script}"`);
      assert.match(await projectFile(runner.file), runner.line);
    });
  }

  it('that cannot be run here are called so where they stand', async () => {
    const rest = commands.filter(
      ({ words }) => words[0] !== 'kvs-bridge' && scriptOf(words) === undefined,
    );
    for (const { document, text } of rest) {
      const place = elsewhere.find(({ command }) => command.test(text));
      assert.ok(place !== undefined, `${document}: "${text}" is run by no test`);
      assert.match(await projectFile(document), place.admission, `${document}: ${text}`);
    }
  });

  async function runOwn({ words }: DocumentedCommand): Promise<void> {
    const [, name, ...rest] = words;
    assert.ok(name !== undefined);
    const isLong = name === 'start';
    using cli = new Cli([name, ...rest, ...(isLong ? ['--json'] : [])], {
      KVS_BRIDGE_LOCAL: stack.kvs.url,
      STATE_DIRECTORY: `${stack.folder}/state`,
    });
    if (isLong) {
      await cli.until('persisted');
      cli.child.kill('SIGTERM');
    }
    const end = await cli.end();
    // What doctor may warn of is the machine that this runs on.
    const isWarning = name === 'doctor' && end.exitCode === 60;
    assert.ok(isWarning || end.exitCode === 0, `${end.stdout}${end.stderr}`);
  }
});

function scriptOf([first, second, third]: readonly string[]): string | undefined {
  if (first !== 'npm' || second === 'ci') return undefined;
  return second === 'run' ? third : second;
}

function unique(all: readonly DocumentedCommand[]): readonly DocumentedCommand[] {
  return [...new Map(all.map((command) => [command.text, command])).values()];
}
