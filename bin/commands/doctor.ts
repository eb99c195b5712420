/** `kvs-bridge doctor` */
import { Severity, runDoctor } from '../../lib/index.js';
import type { DoctorFinding } from '../../lib/index.js';
import { bridgeOptionsOf } from '../cli/bridge-options.js';
import type { commandOptions } from '../cli/command-options.js';
import { doctorExitCodes } from '../cli/exit-codes.js';
import type { Values } from '../cli/option-table.js';
import type { CommandContext } from '../cli/command-context.js';

type DoctorSettings = Values<(typeof commandOptions.doctor)[number]>;

const looks: Readonly<Record<Severity, { readonly mark: string; readonly color: number }>> = {
  [Severity.ok]: { mark: '✓', color: 32 },
  [Severity.skipped]: { mark: '-', color: 2 },
  [Severity.warning]: { mark: '!', color: 33 },
  [Severity.error]: { mark: '✗', color: 31 },
};

/** As wide as the longest topic. */
const topicWidth = 11;

/** Looks at everything that `start` with the same options needs; the worst finding ends it. */
export async function runDoctorCommand(
  settings: DoctorSettings,
  { output, signal, endWith }: CommandContext,
): Promise<void> {
  const { only } = settings;
  const { findings, worst } = await runDoctor({
    ...bridgeOptionsOf(settings),
    ...(only === undefined ? {} : { only }),
    signal,
  });
  const exitCode = doctorExitCodes[worst];
  const count = (severity: Severity): number =>
    findings.filter((finding) => finding.severity === severity).length;
  const [errors, warnings, skipped] = [
    count(Severity.error),
    count(Severity.warning),
    count(Severity.skipped),
  ];
  if (output.json) {
    for (const finding of findings) output.event('finding', finding, finding.found);
    output.event('summary', { worst, exitCode, errors, warnings, skipped }, worst);
  } else {
    const color = output.color && process.stdout.isTTY;
    for (const finding of findings) output.print(lineOf(finding, color));
    output.print('');
    output.print(summaryText(errors, warnings, skipped));
  }
  endWith(exitCode);
}

/** Such as `✗ stream  … Fix: aws kinesisvideo …`. */
function lineOf({ severity, topic, found, fix }: DoctorFinding, color: boolean): string {
  const { mark, color: code } = looks[severity];
  const shown = color ? `\u001B[${code}m${mark}\u001B[0m` : mark;
  return `${shown} ${topic.padEnd(topicWidth)}  ${found}${fix === undefined ? '' : `. Fix: ${fix}`}`;
}

function summaryText(errors: number, warnings: number, skipped: number): string {
  const parts = [
    errors === 0 ? '' : countText(errors, 'error'),
    warnings === 0 ? '' : countText(warnings, 'warning'),
  ].filter((part) => part !== '');
  const verdict = parts.length === 0 ? 'Nothing is wrong' : parts.join(', ');
  return skipped === 0 ? `${verdict}.` : `${verdict}; ${skipped} not checked.`;
}

function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
