/** Looks at everything that a bridge needs, and explains what is wrong. */
import { channelCheck } from './checks/channel.js';
import { clockCheck } from './checks/clock.js';
import { credentialsCheck } from './checks/credentials.js';
import { endpointsCheck } from './checks/endpoints.js';
import { gstreamerCheck } from './checks/gstreamer.js';
import { addonCheck } from './checks/addon.js';
import { iceCheck } from './checks/ice.js';
import { kvssinkCheck } from './checks/kvssink.js';
import { limitsCheck } from './checks/limits.js';
import { nodeCheck } from './checks/node.js';
import { opensslCheck } from './checks/openssl.js';
import { permissionsCheck } from './checks/permissions.js';
import { regionCheck } from './checks/region.js';
import { spoolCheck } from './checks/spool.js';
import { streamCheck } from './checks/stream.js';
import { timedOut } from './catalog/catalog.js';
import type { Check, CheckContext } from './check.js';
import { thisMachine } from './machine.js';
import type { Machine } from './machine.js';
import { resolveDoctorOptions } from './options.js';
import type { DoctorOptions } from './options.js';
import { AwsProbes } from './probes/aws.js';
import { MediaProbes } from './probes/media-facts.js';
import { StepTimeout, step } from './probes/step.js';
import { reportOf } from './report.js';
import type { DoctorFinding, DoctorReport } from './report.js';

const checks: readonly Check[] = [
  ...[nodeCheck, addonCheck, gstreamerCheck, opensslCheck, kvssinkCheck],
  ...[regionCheck, endpointsCheck, clockCheck, credentialsCheck, permissionsCheck],
  ...[channelCheck, streamCheck, iceCheck, spoolCheck, limitsCheck],
];

/** A check waits for up to so many steps, one after the other. */
const maxSteps = 16;

/**
 * Looks at everything that a bridge with these options needs: Node, GStreamer, AWS, channel and
 * stream, the network, the disk, limits. Nothing is changed or made; each IAM action is tried in a
 * way that changes nothing, which takes one of the channel's ten viewer places for a moment.
 *
 * What is wrong is in the report, with its fix; it rejects only for options that cannot be.
 *
 * @throws {@link OptionsError} for an option that is not valid; the reason of `signal`
 *
 * @example
 * ```ts
 * const { worst, findings } = await runDoctor({ channel: 'front-door', stream: 'front-door' });
 * for (const { severity, found, fix } of findings) console.log(severity, found, fix ?? '');
 * ```
 */
export function runDoctor(options: DoctorOptions = {}): Promise<DoctorReport> {
  return diagnose(options, thisMachine());
}

/** The same for another machine. */
export async function diagnose(options: DoctorOptions, machine: Machine): Promise<DoctorReport> {
  const { signal = new AbortController().signal, ...rest } = options;
  const resolved = resolveDoctorOptions(rest);
  const bounds = { timeoutMs: resolved.stepTimeoutMs, signal };
  await using aws = new AwsProbes(resolved, machine, bounds);
  const context: CheckContext = {
    ...{ options: resolved, machine, bounds, aws },
    media: new MediaProbes(machine, resolved, signal),
  };
  const wanted = checks.filter(({ topic }) => resolved.only.includes(topic));
  const findings = await Promise.all(wanted.map((check) => runCheck(check, context)));
  return reportOf(findings.flat());
}

async function runCheck(
  { topic, run }: Check,
  context: CheckContext,
): Promise<readonly DoctorFinding[]> {
  const timeoutMs = maxSteps * context.bounds.timeoutMs;
  const outcome = await step(() => run(context), { ...context.bounds, timeoutMs });
  if (outcome.ok) return outcome.value;
  if (outcome.error instanceof StepTimeout) return [timedOut(topic, timeoutMs / 1_000)];
  throw outcome.error;
}
