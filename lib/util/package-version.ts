/** The version of this package. */
import { readFileSync } from 'node:fs';

let known: string | undefined;

/** As package.json has it. */
export function packageVersion(): string {
  if (known !== undefined) return known;
  const file = new URL('../../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string };
  known = version;
  return version;
}
