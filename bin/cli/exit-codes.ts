/** The exit code of each cause of failure. docs/exit-codes.md is made from this. */
import { ErrorCode } from '../../lib/index.js';

interface ExitCode {
  readonly exitCode: number;
  /** What happened, as a short phrase. */
  readonly meaning: string;
}

const exitCodes: Readonly<Record<ErrorCode, ExitCode>> = {
  [ErrorCode.internal]: { exitCode: 1, meaning: 'a bug in kvs-bridge' },
  [ErrorCode.state]: { exitCode: 1, meaning: 'a bug in kvs-bridge' },
  [ErrorCode.options]: { exitCode: 2, meaning: 'a flag, variable or config entry is not valid' },
  [ErrorCode.credentials]: { exitCode: 10, meaning: 'no credentials, or AWS refuses them' },
  [ErrorCode.accessDenied]: { exitCode: 11, meaning: 'the credentials lack a permission' },
  [ErrorCode.channelNotFound]: { exitCode: 12, meaning: 'the channel does not exist' },
  [ErrorCode.streamNotFound]: { exitCode: 13, meaning: 'the stream does not exist' },
  [ErrorCode.storageEnabled]: { exitCode: 14, meaning: 'media storage is enabled on the channel' },
  [ErrorCode.noRetention]: { exitCode: 15, meaning: 'the stream keeps nothing (retention 0)' },
  [ErrorCode.aws]: { exitCode: 16, meaning: 'another AWS call failed, or AWS is out of reach' },
  [ErrorCode.signaling]: { exitCode: 20, meaning: 'signaling failed' },
  [ErrorCode.noMaster]: { exitCode: 21, meaning: 'no master answered in time' },
  [ErrorCode.media]: { exitCode: 30, meaning: 'the media pipeline failed' },
  [ErrorCode.addon]: { exitCode: 31, meaning: 'the native addon is not built or does not load' },
  [ErrorCode.missingPlugin]: { exitCode: 32, meaning: 'a GStreamer element is not installed' },
  [ErrorCode.mediaProcess]: { exitCode: 33, meaning: 'the media process died or hung' },
  [ErrorCode.badPeerInput]: { exitCode: 34, meaning: 'the peer sent what cannot be used' },
  [ErrorCode.noKeyframe]: { exitCode: 35, meaning: 'the master sends video without keyframes' },
  [ErrorCode.peerLost]: { exitCode: 36, meaning: 'the connection to the master was lost' },
  [ErrorCode.noMedia]: { exitCode: 37, meaning: 'the master is there, but sends no media' },
  [ErrorCode.putMedia]: { exitCode: 40, meaning: 'PutMedia failed' },
  [ErrorCode.notPersisted]: {
    exitCode: 41,
    meaning: 'the end left frames neither persisted nor in the spool',
  },
  [ErrorCode.streamInUse]: {
    exitCode: 42,
    meaning: 'another process on this machine uploads to the stream',
  },
  [ErrorCode.eventsDropped]: { exitCode: 43, meaning: 'events were read too slowly (library)' },
  [ErrorCode.listener]: { exitCode: 44, meaning: 'a listener or hook threw (library)' },
  [ErrorCode.portUnavailable]: { exitCode: 50, meaning: 'the port is taken or not allowed' },
  [ErrorCode.dataFolder]: { exitCode: 51, meaning: 'a folder or file cannot be read or written' },
};

/** Signals that end a command, with the exit code that a second one of them gives. */
export const signalExitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** What `kvs-bridge doctor` ends with, by its worst finding. */
export const doctorExitCodes = { ok: 0, warning: 60, error: 61 } as const;

/** The exit code of an error. */
export function exitCodeOf(code: ErrorCode): number {
  return exitCodes[code].exitCode;
}

interface Row {
  readonly exitCode: number;
  readonly code: string;
  readonly meaning: string;
}

function rows(): readonly Row[] {
  const failures = Object.entries(exitCodes).map(([code, entry]) => ({ code, ...entry }));
  const signals = Object.entries(signalExitCodes).map(([signal, exitCode]) => ({
    exitCode,
    code: signal,
    meaning: 'a second signal: left at once, without draining; the spool keeps what was received',
  }));
  const success = {
    exitCode: 0,
    code: '',
    meaning: 'done, or stopped with all that was received persisted or in the spool',
  };
  const doctor = [
    {
      exitCode: doctorExitCodes.warning,
      code: '',
      meaning: '`doctor` has warnings: it records, but not as well as it could',
    },
    {
      exitCode: doctorExitCodes.error,
      code: '',
      meaning: '`doctor` has errors: it does not record, or may lose what it received',
    },
  ];
  return [success, ...failures, ...doctor, ...signals].sort((a, b) => a.exitCode - b.exitCode);
}

/** The table for `--help`. */
export function exitCodesHelp(): string {
  const lines = rows().map(
    ({ exitCode, meaning }) => `  ${String(exitCode).padStart(3)}  ${meaning}`,
  );
  return ['Exit codes:', ...new Set(lines)].join('\n');
}

/** The document docs/exit-codes.md. */
export function exitCodesDocument(): string {
  const lines = rows().map(
    ({ exitCode, code, meaning }) =>
      `| ${exitCode} | ${code === '' ? '' : `\`${code}\``} | ${meaning} |`,
  );
  return `# Exit codes

What \`kvs-bridge\` ends with. The code of the error is also in the \`error\` event of \`--json\` and
at the end of the line on stderr, which names the cause and what to do about it.

| Exit code | Error or signal | Meaning |
| --------- | --------------- | ------- |
${lines.join('\n')}

Ctrl-C (SIGINT), SIGTERM and SIGHUP stop a command in order: what was received is stored, within
the drain timeout, or stays in the spool for the next start, and the exit code is 0. Frames that the
network lost on the way, and gaps, are in the totals and in \`kvs-bridge gaps\`; they change no exit
code. The same for a reader of stdout that goes away. A second signal kills the media process and
leaves at once.

What only a person can mend (10 to 15, 31, 32) ends \`kvs-bridge start\` before its first offer: a
mistake shows at once. After that it says so (state \`degraded\`) and tries again, after seconds for
credentials and after minutes for the rest; with \`--exit-on-fatal\` it ends then too. Everything else,
such as a network, a KVS or a role endpoint that cannot be reached, it waits for from the start on.

\`kvs-bridge doctor\` ends with 0 when nothing is wrong, whatever it could not look at, with 60 or 61
by its worst finding, and with 2 for options that cannot be.
`;
}
