/**
 * Writes docs/kvs-bridge.api.md: every name that `import … from 'kvs-bridge'` gives, with its types.
 * With `--check` it only says whether the report is as it would be written. Needs the built TypeScript.
 */
import { mkdirSync } from 'node:fs';
import { inProject } from './setup/paths.mjs';
import { ensureTypeScript } from './setup/project.mjs';
import { runScript } from './setup/setup-error.mjs';

const report = 'docs/kvs-bridge.api.md';

/**
 * @param {boolean} fix writes the report when it differs
 * @returns {Promise<string>} what is wrong
 */
export async function apiReport(fix) {
  const { Extractor, ExtractorConfig, ExtractorLogLevel } =
    await import('@microsoft/api-extractor');
  const config = ExtractorConfig.loadFileAndPrepare(inProject('scripts', 'api-extractor.json'));
  mkdirSync(config.reportTempFolder, { recursive: true });
  const findings = [];
  const { apiReportChanged } = Extractor.invoke(config, {
    // Also means: copies the report to where it is committed.
    localBuild: fix,
    messageCallback: (message) => {
      // A stale report is told below, with our own fix.
      const isFinding =
        message.category !== 'console' && message.logLevel === ExtractorLogLevel.Error;
      if (isFinding) findings.push(message.formatMessageWithLocation(config.projectFolder));
      message.logLevel = ExtractorLogLevel.None;
    },
  });
  if (apiReportChanged && !fix) {
    findings.push(
      `${report} is not what lib/index.ts exports: run node scripts/api-report.mjs and read its ` +
        'difference; CONTRIBUTING.md says what is breaking',
    );
  }
  return findings.join('\n');
}

if (process.argv[1] === inProject('scripts', 'api-report.mjs')) {
  await runScript(async () => {
    await ensureTypeScript();
    const findings = await apiReport(!process.argv.includes('--check'));
    if (findings === '') return;
    process.stdout.write(`${findings}\n`);
    process.exitCode = 1;
  });
}
