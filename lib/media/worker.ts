/**
 * Entry of the media process: one session, driven over IPC. Notices when its parent is gone, drains
 * and exits.
 */
import { OrphanLedger } from '../ledger/orphan-ledger.js';
import type { FragmentOwner } from '../putmedia/media-sink.js';
import { asKvsBridgeError, ErrorCode, serializeError } from '../util/errors.js';
import { InProcessMediaSession } from './in-process-session.js';
import type { MediaSession, MediaSessionOptions, StoredFragment } from './media-session.js';
import { ProcessMeter } from '../util/process-meter.js';
import { MemoryGuard } from './memory-guard.js';
import { loadNative } from './native.js';
import { heartbeatIntervalMs, parseToWorker, protocolVersion } from './protocol.js';
import type { ToHost, ToWorker } from './protocol.js';
import { noTotals } from './media-session.js';

/** How long an orphan drains: KVS may still take what was received. */
const orphanDrainTimeoutMs = 10_000;

/** The same where all of it is on disk, and the next process waits for its turn to upload it. */
const spooledDrainTimeoutMs = 2_000;

/** Sends and resolves when the message left; a parent that is gone is no error. */
function send(message: ToHost): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) {
      resolve();
      return;
    }
    process.send(message, () => {
      resolve();
    });
  });
}

function forwardEvents(session: MediaSession): void {
  const forward = (message: ToHost): void => void send(message);
  session.on('offer', (sdp) => {
    forward({ type: 'offer', sdp });
  });
  session.on('candidate', ({ candidate, sdpMLineIndex }) => {
    forward({ type: 'candidate', candidate, sdpMLineIndex });
  });
  session.on('connectionState', (state) => {
    forward({ type: 'connectionState', ...state });
  });
  session.on('track', (track) => {
    forward({ type: 'track', ...track });
  });
  session.on('epoch', (epoch) => {
    forward({ type: 'epoch', ...epoch });
  });
  session.on('fragment', (fragment) => {
    forward({ type: 'fragment', ...fragment });
  });
  session.on('sink', (choice) => {
    forward({ type: 'sink', ...choice });
  });
  session.on('upload', (upload) => {
    forward({ type: 'upload', ...upload });
  });
  session.on('persisted', (fragment) => {
    forward({ type: 'persisted', ...fragment });
  });
  session.on('lost', (loss) => {
    forward({ type: 'lost', ...loss });
  });
  session.on('spool', (status) => {
    forward({ type: 'spool', ...status });
  });
  session.on('gap', (gap) => {
    forward({ type: 'gap', ...gap });
  });
  session.on('keyframeOverdue', (overdue) => {
    forward({ type: 'keyframeOverdue', ...overdue });
  });
  session.on('credentialsRefused', () => {
    forward({ type: 'credentialsRefused' });
  });
  session.on('uploadError', ({ error, fatal }) => {
    forward({ type: 'uploadError', error: serializeError(error), fatal });
  });
  session.on('totals', (totals) => {
    forward({ type: 'totals', totals });
  });
  session.on('stats', (stats) => {
    forward({ type: 'stats', stats: { ...stats, process: meter.read() } });
  });
  session.on('gstLog', (batch) => {
    forward({ type: 'gstLog', ...batch });
  });
  session.on('warning', (error) => {
    forward({ type: 'warning', error: serializeError(error) });
  });
  session.on('ending', ({ error, mayOverlap }) => {
    forward({
      type: 'ending',
      mayOverlap,
      ...(error === undefined ? {} : { error: serializeError(error) }),
    });
  });
  session.on('closed', ({ totals, error }) => {
    void finish({
      type: 'closed',
      totals,
      ...(error === undefined ? {} : { error: serializeError(error) }),
    });
  });
}

/** Replaces a process that leaks, before the machine ends it: in order, with its media stored. */
function guardMemory(
  guarded: InProcessMediaSession,
  { memoryLimitBytes = 0, upload }: MediaSessionOptions,
): () => void {
  const guard = new MemoryGuard(memoryLimitBytes);
  return () => {
    const error = guard.check();
    if (error !== undefined) guarded.retire(error, upload.kvssink);
  };
}

/** What the Bridge writes down while it lives. */
function keepLedger(
  media: MediaSession,
  page: MediaSessionOptions['ledger'],
): OrphanLedger | undefined {
  if (page === undefined) return undefined;
  const orphan = new OrphanLedger(page);
  media.on('persisted', ({ timecodeMs, durationMs, videoFrames: frames, recovered, owner }) => {
    const interval = { fromMs: timecodeMs, toMs: timecodeMs + durationMs };
    orphan.onStored({ ...interval, frames, ...originOf(recovered, owner) });
  });
  media.on('totals', ({ videoFramesReceived, newestReceivedMs }) => {
    orphan.onReceived(videoFramesReceived, newestReceivedMs);
  });
  media.on('lost', ({ videoFrames: frames, reason, fromMs, toMs, recovered, owner }) => {
    if (fromMs === undefined || toMs === undefined) return;
    orphan.onLost({ fromMs, toMs, frames, ...originOf(recovered, owner) }, reason);
  });
  return orphan;
}

function originOf(
  recovered: true | undefined,
  owner: FragmentOwner | undefined,
): Pick<StoredFragment, 'owner' | 'recovered'> {
  if (recovered === undefined) return {};
  return { recovered, ...(owner === undefined ? {} : { owner }) };
}

/** Says the last word and leaves: what GStreamer leaks goes with the process. */
async function finish(message: Extract<ToHost, { type: 'closed' }>): Promise<never> {
  await send(message);
  await ledger?.close();
  process.exit(message.error === undefined ? 0 : 1);
}

const meter = new ProcessMeter();
let session: InProcessMediaSession | undefined;
/** Looked at with each heartbeat. */
let checkMemory = (): void => undefined;
let isSpooled = false;
let ledger: OrphanLedger | undefined;

function onMessage(message: ToWorker): void {
  switch (message.type) {
    case 'start':
      session = new InProcessMediaSession();
      forwardEvents(session);
      session.on('spool', ({ state }) => {
        isSpooled = state === 'disk';
      });
      ledger = keepLedger(session, message.options.ledger);
      session.start(message.options);
      checkMemory = guardMemory(session, message.options);
      return;
    case 'credentials': {
      const { expirationMs, sessionToken, ...keys } = message.credentials;
      session?.setCredentials({
        ...keys,
        ...(sessionToken === undefined ? {} : { sessionToken }),
        ...(expirationMs === undefined ? {} : { expiration: new Date(expirationMs) }),
      });
      return;
    }
    case 'answer':
      session?.setAnswer(message.sdp);
      return;
    case 'candidate':
      session?.addCandidate(message.candidate, message.sdpMLineIndex);
      return;
    case 'metadata':
      session?.putMetadata(message.tag, { persistent: message.persistent });
      return;
    case 'stop':
      if (session === undefined) void finish({ type: 'closed', totals: noTotals });
      else void session.stop({ drainTimeoutMs: message.drainTimeoutMs });
      return;
  }
}

/** A bug or a version mix-up: say so and end, for the Bridge to start afresh. */
function fail(error: unknown): void {
  void finish({
    type: 'closed',
    totals: noTotals,
    error: serializeError(asKvsBridgeError(error, ErrorCode.mediaProcess)),
  });
}

process.on('message', (message) => {
  try {
    onMessage(parseToWorker(message));
  } catch (error) {
    fail(error);
  }
});

/** The Bridge's process is gone. */
function onOrphaned(): void {
  if (session === undefined) process.exit(0);
  ledger?.adopt();
  const drainTimeoutMs = isSpooled ? spooledDrainTimeoutMs : orphanDrainTimeoutMs;
  void session.stop({ drainTimeoutMs });
  // Nobody watches it any more: also when it hangs, or was already draining for longer.
  setTimeout(() => process.exit(1), 2 * drainTimeoutMs);
}

process.on('disconnect', onOrphaned);

// A terminal sends Ctrl-C, and its own end, to the whole process group: the Bridge decides when this
// process ends. Without a Bridge it ends by itself.
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
process.on('uncaughtException', fail);

/** GStreamer starts while the Bridge still looks things up. What fails here fails at `start` again. */
function warmUp(): void {
  try {
    loadNative();
  } catch {
    return;
  }
}

setInterval(() => {
  void send({ type: 'heartbeat' });
  checkMemory();
}, heartbeatIntervalMs);
void send({ type: 'ready', version: protocolVersion });
// Of a Bridge that died while this module was still loaded, no event tells.
if (process.connected) warmUp();
else onOrphaned();
