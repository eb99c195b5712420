/** The app as `cdk` runs it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { inInfra } from './support/paths.js';
import { smallest } from './support/synthesize.js';

const run = promisify(execFile);

describe('app', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kvsb-infra-'));
  });
  after(async () => {
    await rm(folder, { recursive: true });
  });

  /** Runs the app with the context and the output folder that `cdk` would tell it. */
  const synthesize = async (config: string): Promise<{ stderr: string }> =>
    run(process.execPath, [inInfra('dist/bin/app.js')], {
      env: {
        ...process.env,
        CDK_OUTDIR: join(folder, 'out'),
        CDK_CONTEXT_JSON: JSON.stringify({ config }),
        CDK_VALIDATION: 'true',
      },
    });

  it('synthesizes the example; CloudFormation and cdk-nag have nothing against it', async () => {
    const { stderr } = await synthesize(inInfra('config.example.json'));
    assert.equal(stderr, '');
    const files = await readdir(join(folder, 'out'));
    for (const stack of ['KvsBridge', 'KvsBridgeImages']) {
      assert.ok(files.includes(`${stack}.template.json`), stack);
    }
    const report = JSON.parse(
      await readFile(join(folder, 'out', 'validation-report.json'), 'utf8'),
    ) as { readonly pluginReports: readonly unknown[] };
    assert.deepEqual(report.pluginReports, []);
  });

  it('says in one line what is wrong with a config', async () => {
    const config = join(folder, 'config.json');
    await writeFile(config, JSON.stringify({ ...smallest, region: 'Ireland' }));
    await assert.rejects(synthesize(config), {
      code: 1,
      stderr: 'region: must be like eu-west-1\n',
    });
  });
});
