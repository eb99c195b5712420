/** Tells what a media session does as what the Bridge does. */
import { isDeepStrictEqual } from 'node:util';
import type { MediaSession } from '../media/media-session.js';
import type { MediaPath } from '../media/session-stats.js';
import { ErrorCode } from '../util/errors.js';
import type { Logs } from '../util/log.js';
import type { BridgeParts } from './bridge-parts.js';
import { BridgeState } from './events.js';
import { reasonOf } from './remedies.js';
import type { SessionTally } from './totals.js';

/**
 * Reports everything about `media` until it is closed. Once it begins to end, it says no more about
 * the Bridge's state: that is the next session's.
 */
export function reportMedia(media: MediaSession, tally: SessionTally, parts: BridgeParts): void {
  const { events, heard, hooks, machine, monitor, steps, tags, totals } = parts;
  let isPresent = true;
  logMedia(media, parts.logs);
  parts.ledger.follow(media);
  media.once('ending', () => (isPresent = false));
  media.on('sink', (choice) => events.emit('sink', choice));
  media.on('track', (track) => {
    steps.made('media');
    if (isPresent) {
      if (machine.state === BridgeState.connecting) machine.enter(BridgeState.receiving);
      monitor.expect();
    }
    events.emit('track', track);
  });
  media.on('epoch', (epoch) => {
    if (isPresent) tags.beginFragments();
    events.emit('epoch', epoch);
  });
  media.on('fragment', (fragment) => {
    for (const tag of hooks.fragmentTags(fragment)) media.putMetadata(tag, { persistent: false });
  });
  media.on('upload', ({ state }) => {
    if (state === 'open') steps.made('uploading');
  });
  media.on('persisted', (fragment) => {
    // What earlier sessions left says nothing of what is received now.
    if (fragment.recovered === true) {
      if (heard.has(fragment)) return;
      totals.recovered(fragment);
    } else {
      steps.made('persisted');
      if (isPresent) monitor.onPersisted();
    }
    heard.add(fragment);
    const lagMs = Math.max(0, Date.now() - fragment.timecodeMs - fragment.durationMs);
    events.emit('persisted', { ...withoutOwner(fragment), lagMs });
  });
  media.on('spool', (status) => events.emit('spool', status));
  media.on('lost', (loss) => events.emit('lost', withoutOwner(loss)));
  media.on('keyframeOverdue', (overdue) => {
    if (isPresent) {
      monitor.explain(`no keyframe for ${String(Math.round(overdue.waitedMs / 1000))} s`);
    }
    events.emit('keyframeOverdue', overdue);
  });
  media.on('totals', (counts) => {
    tally.update(counts);
    if (isPresent) monitor.onFrames(counts.videoFramesReceived);
    events.emit('totals', totals.read());
  });
  media.on('warning', (error) => {
    if (isPresent && error.code === ErrorCode.streamInUse) monitor.explain(reasonOf(error));
    events.emit('warning', error);
  });
  media.on('uploadError', ({ error, fatal }) => {
    if (isPresent) monitor.explain(fatal ? reasonOf(error) : error.message, fatal);
    events.emit('warning', error);
  });
  media.once('closed', (end) => {
    tally.update(end.totals);
    tally.end();
  });
}

/** Runs and sessions are the ledger's own affair. */
function withoutOwner<Told extends { owner?: unknown }>(told: Told): Omit<Told, 'owner'> {
  const copy = { ...told };
  delete copy.owner;
  return copy;
}

/** Reports what a session measures, until it is closed. */
export function reportStats(media: MediaSession, { events, stats }: BridgeParts): void {
  const tally = stats.begin();
  let path: MediaPath | undefined;
  media.once('ending', () => {
    tally.leave();
  });
  media.on('stats', (measured) => {
    tally.update(measured);
    if (!isDeepStrictEqual(measured.path, path)) {
      path = measured.path;
      if (path !== undefined) events.emit('path', path);
    }
    events.emit('stats', stats.read());
  });
  media.once('closed', () => {
    tally.end();
  });
}

/** What is no event of the Bridge, and still says what happened. */
function logMedia(media: MediaSession, { gstreamer, media: log, putmedia }: Logs): void {
  const session = media.pid === undefined ? {} : { mediaProcessId: media.pid };
  media.on('connectionState', (state) => {
    log.debug({ ...session, ...state }, `connection ${state.connection}, ICE ${state.ice}`);
  });
  media.on('upload', (upload) => {
    putmedia.debug(
      { ...session, ...upload },
      `upload of epoch ${String(upload.epoch)} ${upload.state}`,
    );
  });
  media.on('gstLog', ({ lines, dropped }) => {
    for (const { level, message, ...fields } of lines) {
      gstreamer[level]({ ...session, ...fields }, message);
    }
    if (dropped > 0) {
      gstreamer.warn(
        { ...session, dropped },
        `${String(dropped)} lines came too fast and are left out`,
      );
    }
  });
  media.on('stderr', (line) => {
    log.debug(session, `the media process wrote: ${line}`);
  });
  media.once('closed', ({ exitCause }) => {
    if (exitCause === undefined) return;
    log.debug({ ...session, exitCause }, `the media process ended with ${exitCause}`);
  });
}
