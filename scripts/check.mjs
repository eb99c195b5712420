/**
 * `npm run check`: format, lint, types and the project's own rules, for both languages. With
 * `--fix` it formats and fixes what can be fixed. A tool's output is shown only when it fails.
 */
import { apiReport } from './api-report.mjs';
import { metricsDocument } from './checks/documents.mjs';
import { machineSpecifics, nativeLayers } from './checks/rules.mjs';
import { clangFormat, clangTidy, eslint, findClangTool, prettier } from './checks/tools.mjs';
import { apiReference } from './docs.mjs';
import { setUpTools } from './setup.mjs';
import { currentSystem } from './setup/packages.mjs';
import { ensureInfra, ensureTypeScript } from './setup/project.mjs';
import { runScript, SetupError } from './setup/setup-error.mjs';
import { troubleshootingPage } from './troubleshooting.mjs';

const fix = process.argv.includes('--fix');
let failures = 0;

await runScript(async () => {
  await setUpTools('check');
  await check('prettier', () => prettier(fix));
  await check('types', checkTypes);
  await check('troubleshooting page', () => troubleshootingPage(fix));
  await check('docs/metrics.md', () => metricsDocument(fix));
  await check('API report', () => apiReport(fix));
  await check('API reference', () => apiReference(false));
  await check('eslint', () => eslint(fix));
  await checkWithClang('clang-format', (program) => clangFormat(program, fix));
  await checkWithClang('clang-tidy', clangTidy);
  await check('native layers', nativeLayers);
  await check('nothing of this machine', machineSpecifics);
  if (failures > 0) {
    process.stdout.write(`${failures} of the checks failed\n`);
    process.exitCode = 1;
  }
});

/**
 * @param {string} name
 * @param {() => string | Promise<string>} work
 */
async function check(name, work) {
  const started = performance.now();
  const findings = (await work()).trim();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`${findings === '' ? 'ok    ' : 'FAILED'} ${name}, ${seconds} s\n`);
  if (findings === '') return;
  failures += 1;
  process.stdout.write(`${findings}\n`);
}

/**
 * @param {'clang-format' | 'clang-tidy'} tool
 * @param {(program: string) => Promise<string>} work
 */
async function checkWithClang(tool, work) {
  const program = await findClangTool(tool);
  if (program !== undefined) return check(tool, () => work(program));
  process.stdout.write(`not run ${tool}: ${currentSystem()} does not package its release 14\n`);
}

/** @returns {Promise<string>} what the compiler says */
async function checkTypes() {
  try {
    await ensureTypeScript();
    await ensureInfra();
    return '';
  } catch (error) {
    if (error instanceof SetupError) return error.output ?? error.message;
    throw error;
  }
}
