/** Documents that are made from the code. */
import { readFileSync, writeFileSync } from 'node:fs';
import { inProject } from '../setup/paths.mjs';

/**
 * docs/metrics.md. The TypeScript is built by then.
 *
 * @param {boolean} fix writes it
 * @returns {Promise<string>} what is wrong
 */
export async function metricsDocument(fix) {
  const { default: prettier } = await import('prettier');
  const file = 'docs/metrics.md';
  const { metricsDocument: text } = await import(
    inProject('dist', 'lib', 'ops', 'metrics', 'metrics-document.js')
  );
  const options = (await prettier.resolveConfig(inProject(file))) ?? {};
  const expected = await prettier.format(text(), { ...options, parser: 'markdown' });
  if (fix) {
    writeFileSync(inProject(file), expected);
    return '';
  }
  const actual = readFileSync(inProject(file), 'utf8');
  return actual === expected
    ? ''
    : `${file} does not fit the metrics; npm run format makes it anew`;
}
