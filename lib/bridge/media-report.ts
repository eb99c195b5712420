/** Tells what a media session does as what the Bridge does. */
import type { MediaSession } from '../media/media-session.js';
import type { BridgeParts } from './bridge-parts.js';
import { BridgeState } from './events.js';

/** Reports everything about `media` but how its uploads fail, until it is closed. */
export function reportMedia(media: MediaSession, parts: BridgeParts): void {
  const { events, machine, monitor, steps, tags, totals } = parts;
  media.on('sink', (choice) => events.emit('sink', choice));
  media.on('track', (track) => {
    steps.made('media');
    if (machine.state === BridgeState.connecting) machine.enter(BridgeState.receiving);
    monitor.expect();
    events.emit('track', track);
  });
  media.on('epoch', (epoch) => {
    tags.beginFragments();
    events.emit('epoch', epoch);
  });
  media.on('upload', ({ state }) => {
    if (state === 'open') steps.made('uploading');
  });
  media.on('persisted', (fragment) => {
    steps.made('persisted');
    monitor.onPersisted();
    const lagMs = Math.max(0, Date.now() - fragment.timecodeMs - fragment.durationMs);
    events.emit('persisted', { ...fragment, lagMs });
  });
  media.on('lost', (loss) => events.emit('lost', loss));
  media.on('gap', (gap) => events.emit('gap', gap));
  media.on('keyframeOverdue', (overdue) => events.emit('keyframeOverdue', overdue));
  media.on('totals', (counts) => {
    totals.update(counts);
    events.emit('totals', totals.read());
  });
  media.on('warning', (error) => events.emit('warning', error));
  media.once('closed', (end) => {
    totals.update(end.totals);
  });
}
