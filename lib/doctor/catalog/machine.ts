/** Findings about the machine or container: the disk of the spool, limits. */
import { Severity } from '../report.js';
import type { CatalogPart } from './entry.js';

const inMemory = 'A warning at start that media waits in memory';

export const machineCatalog = {
  'spool.ok': {
    severity: Severity.ok,
    found: '{folder} is writable, with {freeMb} MB free on {filesystem} for {wantedMb} MB',
  },
  'spool.off': {
    severity: Severity.ok,
    found: '--spool-mb 0: what is not stored yet waits in memory only',
  },
  'spool.unwritable': {
    severity: Severity.error,
    symptom: `${inMemory}; what was not stored is gone after a restart`,
    found: 'The spool folder {folder} cannot be written: {reason}',
    fix: 'Give the user of kvs-bridge a folder of its own with --spool-dir (KVS_BRIDGE_SPOOL_DIR), in a container a volume',
  },
  'spool.small': {
    severity: Severity.warning,
    symptom: 'In an outage a warning that the disk is full, and `lost` with `spoolFull`',
    found: '{folder} has {freeMb} MB free, less than the {wantedMb} MB of --spool-mb',
    fix: 'Free space, mount a larger disk, or pass --spool-mb {possibleMb}',
  },
  'spool.volatile': {
    severity: Severity.warning,
    symptom: 'After a reboot or a new container, what an outage left to store is gone',
    found: '{folder} is on {filesystem}, which does not outlive {life}',
    fix: 'Point --spool-dir to a disk, in a container to a volume',
  },
  'spool.network': {
    severity: Severity.warning,
    symptom: 'Warnings that the disk is slow; two bridges upload to one stream',
    found: '{folder} is on {filesystem}, a network file system: slow, and its locks may not hold',
    fix: 'Point --spool-dir to a local disk',
  },
  'spool.slow': {
    severity: Severity.warning,
    symptom: inMemory,
    found: 'Writing 1 MB to {folder} took {seconds} s; above 2 s the bridge does not wait',
    fix: 'Point --spool-dir to a faster disk',
  },
  'limits.ok': {
    severity: Severity.ok,
    found: '{memory}, {cpu}, {files} open files',
  },
  'limits.memory': {
    severity: Severity.warning,
    symptom: 'The container is killed for its memory (exit code 137)',
    found:
      'The container may use {limitMb} MB; with --buffer-mb {bufferMb} up to {neededMb} MB are needed',
    fix: 'Raise the memory limit to {neededMb} MB, or lower --buffer-mb',
  },
  'limits.memory-guard': {
    severity: Severity.warning,
    symptom: 'The whole container is killed for its memory, instead of one leaking media process',
    found:
      '--media-memory-mb {guardMb} and --buffer-mb {bufferMb} allow more than the {limitMb} MB of the container',
    fix: 'Pass --media-memory-mb {possibleMb}: a media process that leaks is then replaced in time',
  },
  'limits.cpu': {
    severity: Severity.warning,
    symptom: '`transcoder-too-slow` losses, late fragments, heartbeats that are missed',
    found: 'The container may use {cpus} of a CPU',
    fix: 'Give it at least {needed} CPU (a transcoded 720p30 stream takes about a quarter of a core)',
  },
  'limits.files': {
    severity: Severity.warning,
    symptom: '`EMFILE: too many open files`',
    found: 'A process may have {limit} open files',
    fix: 'Raise the limit to 1024 (ulimit -n, LimitNOFILE= of systemd, ulimits of the container)',
  },
  'limits.stop-timeout': {
    severity: Severity.warning,
    symptom:
      'After a deploy or a stop, the last seconds are stored only by the next start, or not at all',
    found:
      '{platform} kills a process {stopSeconds} s after SIGTERM by default; --drain-timeout is {drainSeconds} s',
    fix: '{remedy}, or lower --drain-timeout',
  },
} as const satisfies CatalogPart;
