/** Limits of the container or the service: memory, CPU, open files, time to stop. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { finding } from '../catalog/catalog.js';
import type { Check } from '../check.js';
import { readText } from '../machine.js';
import type { Machine } from '../machine.js';
import type { ResolvedDoctorOptions } from '../options.js';
import { readCgroup } from '../probes/cgroup.js';
import type { Cgroup } from '../probes/cgroup.js';
import type { DoctorFinding } from '../report.js';

const bytesPerMb = 1_000_000;
/** The bridge's own process, and a media process that transcodes 1080p. */
const processesMb = 90 + 170;
/** Packets, ICE, DTLS and TLS of one stream, with room for an old session that still drains. */
const neededCpus = 0.25;
const neededFiles = 1_024;
/** What is left to do after the drain. */
const exitSeconds = 2;

/** Whoever stops a process, and for how long it waits before it kills. */
interface Platform {
  readonly platform: string;
  readonly stopSeconds: number;
  /** How to make it wait longer. */
  readonly remedy: (seconds: number) => string;
}

export const limitsCheck: Check = {
  topic: 'limits',
  run: async ({ machine, options }) => {
    const [cgroup, files] = await Promise.all([readCgroup(machine), openFiles(machine)]);
    const findings = [
      ...memoryFindings(cgroup, options),
      ...cpuFindings(cgroup),
      ...(files < neededFiles ? [finding('limits.files', { limit: files })] : []),
      ...stopFindings(machine, options),
    ];
    if (findings.length > 0) return findings;
    const { memoryBytes, cpus } = cgroup;
    const limitMb = memoryBytes === undefined ? undefined : Math.floor(memoryBytes / bytesPerMb);
    return [
      finding('limits.ok', {
        memory: limitMb === undefined ? 'no memory limit' : `${limitMb} MB of memory`,
        cpu: cpus === undefined ? 'no CPU limit' : `${cpus} CPU`,
        files: files === Infinity ? 'any number of' : files,
      }),
    ];
  },
};

function memoryFindings(
  { memoryBytes }: Cgroup,
  { bufferMb, mediaMemoryMb: guardMb }: ResolvedDoctorOptions,
): readonly DoctorFinding[] {
  if (memoryBytes === undefined) return [];
  const limitMb = Math.floor(memoryBytes / bytesPerMb);
  const neededMb = processesMb + bufferMb;
  if (limitMb < neededMb) {
    return [finding('limits.memory', { limitMb, bufferMb, neededMb })];
  }
  const possibleMb = Math.max(64, limitMb - processesMb - bufferMb);
  const isGuarded = guardMb > 0 && guardMb + bufferMb <= limitMb;
  return isGuarded
    ? []
    : [finding('limits.memory-guard', { guardMb, bufferMb, limitMb, possibleMb })];
}

function cpuFindings({ cpus }: Cgroup): readonly DoctorFinding[] {
  return cpus === undefined || cpus >= neededCpus
    ? []
    : [finding('limits.cpu', { cpus: Number(cpus.toFixed(2)), needed: neededCpus })];
}

function stopFindings(
  machine: Machine,
  { drainTimeoutMs }: ResolvedDoctorOptions,
): readonly DoctorFinding[] {
  const found = platformOf(machine);
  const drainSeconds = Math.ceil(drainTimeoutMs / 1_000);
  if (found === undefined || drainSeconds + exitSeconds <= found.stopSeconds) return [];
  const { platform, stopSeconds, remedy } = found;
  const wanted = remedy(drainSeconds + 2 * exitSeconds + 1);
  return [finding('limits.stop-timeout', { platform, stopSeconds, drainSeconds, remedy: wanted })];
}

/** By the variables that they set; their defaults are from their manuals. */
function platformOf({ env, root }: Machine): Platform | undefined {
  const has = (name: string): boolean => (env[name] ?? '') !== '';
  if (has('ECS_CONTAINER_METADATA_URI_V4')) {
    return {
      platform: 'ECS',
      stopSeconds: 30,
      remedy: (seconds) =>
        seconds <= 120
          ? `Set stopTimeout of the container definition to ${seconds}`
          : 'Set stopTimeout of the container definition to 120, the most on Fargate',
    };
  }
  if (has('KUBERNETES_SERVICE_HOST')) {
    return {
      platform: 'Kubernetes',
      stopSeconds: 30,
      remedy: (seconds) => `Set terminationGracePeriodSeconds of the pod to ${seconds}`,
    };
  }
  if (existsSync(join(root, '.dockerenv'))) {
    return {
      platform: 'Docker',
      stopSeconds: 10,
      remedy: (seconds) => `docker run --stop-timeout ${seconds} (stop_grace_period in compose)`,
    };
  }
  if (has('INVOCATION_ID')) {
    return {
      platform: 'systemd',
      stopSeconds: 90,
      remedy: (seconds) => `Set TimeoutStopSec=${seconds} in the unit`,
    };
  }
  return undefined;
}

/** The hard limit: Node raises the soft one to it at its start. */
async function openFiles(machine: Machine): Promise<number> {
  const text = await readText(machine, 'proc/self/limits');
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(text ?? '')?.[1];
  return hard === undefined || hard === 'unlimited' ? Infinity : Number(hard);
}
