/** What `doctor` says: findings, from the best to the worst. Pure. */
import { redact } from '../util/redact.js';

/** How bad a finding is. */
export const Severity = {
  ok: 'ok',
  /** Could not be looked at; the finding says why. */
  skipped: 'skipped',
  /** It records, but not as well as it could, or not for ever. */
  warning: 'warning',
  /** It does not record, or loses what it promises to keep. */
  error: 'error',
} as const;

/** One of {@link Severity}. */
export type Severity = (typeof Severity)[keyof typeof Severity];

/** What can be checked, in the order of the report. */
export const DoctorTopic = {
  node: 'node',
  addon: 'addon',
  gstreamer: 'gstreamer',
  openssl: 'openssl',
  kvssink: 'kvssink',
  region: 'region',
  endpoints: 'endpoints',
  clock: 'clock',
  credentials: 'credentials',
  permissions: 'permissions',
  channel: 'channel',
  stream: 'stream',
  ice: 'ice',
  spool: 'spool',
  limits: 'limits',
} as const;

/** One of {@link DoctorTopic}. */
export type DoctorTopic = (typeof DoctorTopic)[keyof typeof DoctorTopic];

/** One thing that was looked at. */
export interface DoctorFinding {
  /** Stable, such as `stream.no-retention`; begins with the topic. */
  readonly id: string;
  readonly topic: DoctorTopic;
  readonly severity: Severity;
  /** What was found, in one sentence without a full stop. Free of secrets. */
  readonly found: string;
  /** What to do about it: a command, or a sentence. Every warning and error has one. */
  readonly fix?: string;
}

/** Everything that was looked at. */
export interface DoctorReport {
  /** By topic, in the order of {@link DoctorTopic}. */
  readonly findings: readonly DoctorFinding[];
  /** The worst severity among them; `ok` when nothing is wrong, whatever was skipped. */
  readonly worst: 'ok' | 'warning' | 'error';
}

const topics = Object.values(DoctorTopic);

/** Puts findings in order and names the worst. */
export function reportOf(findings: readonly DoctorFinding[]): DoctorReport {
  const has = (severity: Severity): boolean =>
    findings.some((finding) => finding.severity === severity);
  return {
    findings: findings
      .map(withoutSecrets)
      .sort((a, b) => topics.indexOf(a.topic) - topics.indexOf(b.topic)),
    worst: has(Severity.error)
      ? Severity.error
      : has(Severity.warning)
        ? Severity.warning
        : Severity.ok,
  };
}

/** Texts of other programs and services are part of it. */
function withoutSecrets(finding: DoctorFinding): DoctorFinding {
  const { found, fix } = finding;
  return {
    ...finding,
    found: oneLine(found),
    ...(fix === undefined ? {} : { fix: oneLine(fix) }),
  };
}

function oneLine(text: string): string {
  return redact(text).replaceAll(/\s+/g, ' ').trim();
}
