/** Every metric of a Bridge but its histograms: name, meaning, and where the values come from. */
import { BridgeState } from '../../bridge/events.js';
import type { BridgeView } from './bridge-view.js';

/** A value and the labels that set it apart. */
export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** One metric. Each has the labels `channel` and `stream` besides its own. */
export interface MetricSpec {
  /** Without the prefix that all share. */
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly labels: readonly string[];
  /** As of now; no sample where there is nothing to tell. */
  readonly read: (view: BridgeView) => readonly Sample[];
}

const kinds = ['video', 'audio'] as const;

/** States in which media arrives. */
const receivingStates: ReadonlySet<BridgeState> = new Set([
  BridgeState.receiving,
  BridgeState.recording,
  BridgeState.degraded,
]);

type Part = Pick<MetricSpec, 'name' | 'help'>;

/** One value, or none. */
function one(
  type: MetricSpec['type'],
  part: Part,
  read: (view: BridgeView) => number | undefined,
): MetricSpec {
  return {
    ...part,
    type,
    labels: [],
    read: (view) => {
      const value = read(view);
      return value === undefined ? [] : [[{}, value]];
    },
  };
}

/** One value for the pictures and one for the sound. */
function byKind(
  type: MetricSpec['type'],
  part: Part,
  read: (view: BridgeView, kind: (typeof kinds)[number]) => number,
): MetricSpec {
  return {
    ...part,
    type,
    labels: ['kind'],
    read: (view) => kinds.map((kind) => [{ kind }, read(view, kind)]),
  };
}

/** One value for each of some words. */
function byWord(
  type: MetricSpec['type'],
  label: string,
  part: Part,
  read: (view: BridgeView) => Iterable<readonly [word: string, value: number]>,
): MetricSpec {
  return {
    ...part,
    type,
    labels: [label],
    read: (view) => Array.from(read(view), ([word, value]) => [{ [label]: word }, value] as const),
  };
}

/** One for each of the words that may be: 1 for the one that is, 0 for the others. */
function oneHot(words: readonly string[], present: string): readonly (readonly [string, number])[] {
  return words.map((word) => [word, word === present ? 1 : 0]);
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1_000;
}

const megabyte = 1_000_000;

/** In the order in which docs/metrics.md has them. */
export const bridgeMetrics: readonly MetricSpec[] = [
  byWord(
    'gauge',
    'state',
    {
      name: 'state',
      help: '1 for the state that the bridge is in, 0 for all others. Only recording means that media is being kept',
    },
    ({ bridge }) => oneHot(Object.values(BridgeState), bridge.state),
  ),
  one(
    'gauge',
    { name: 'ready', help: '1 while /readyz says yes: KVS said PERSISTED within the timeout' },
    ({ bridge }) => (bridge.state === BridgeState.recording ? 1 : 0),
  ),
  byWord(
    'counter',
    'state',
    { name: 'state_changes_total', help: 'Changes to each state' },
    ({ stateChanges }) => stateChanges,
  ),
  one(
    'counter',
    { name: 'sessions_total', help: 'Sessions that a master answered' },
    ({ bridge }) => bridge.totals.sessions,
  ),
  byWord(
    'counter',
    'cause',
    {
      name: 'reconnects_total',
      help: 'Sessions, or attempts at one, that ended by themselves; cause is the code of the error, or none',
    },
    ({ reconnects }) => reconnects,
  ),
  {
    name: 'ice_candidate_pair',
    type: 'gauge',
    labels: ['local', 'remote', 'protocol'],
    help: '1 for the pair of ICE candidate types (host, srflx, prflx, relay) that media flows between. A relay on either side is a TURN server, and AWS charges for its minutes',
    read: ({ bridge: { stats } }) => (stats.path === undefined ? [] : [[{ ...stats.path }, 1]]),
  },
  one(
    'counter',
    {
      name: 'ice_relayed_seconds_total',
      help: 'Time that media went through a TURN relay, which costs money, of either side',
    },
    ({ relayedMs }) => seconds(relayedMs),
  ),
  one(
    'gauge',
    {
      name: 'round_trip_seconds',
      help: 'Round trip to the master by STUN; absent through a relay and over TCP',
    },
    ({ bridge }) => seconds(bridge.stats.roundTripMs),
  ),
  byKind(
    'counter',
    { name: 'rtp_packets_received_total', help: 'RTP packets received' },
    ({ bridge }, kind) => bridge.stats[kind].packetsReceived,
  ),
  byKind(
    'counter',
    {
      name: 'rtp_packets_lost_total',
      help: 'RTP packets lost on the way (RFC 3550), those included that were sent again',
    },
    ({ bridge }, kind) => bridge.stats[kind].packetsLost,
  ),
  byKind(
    'counter',
    { name: 'rtp_bytes_received_total', help: 'RTP payload received' },
    ({ bridge }, kind) => bridge.stats[kind].bytesReceived,
  ),
  byKind(
    'gauge',
    { name: 'rtp_jitter_seconds', help: 'Interarrival jitter (RFC 3550)' },
    ({ bridge }, kind) => bridge.stats[kind].jitterMs / 1_000,
  ),
  one(
    'counter',
    {
      name: 'rtcp_nack_sent_total',
      help: 'Requests to send lost packets of the video again; those of sound would come too late',
    },
    ({ bridge }) => bridge.stats.video.nacksSent,
  ),
  one(
    'counter',
    { name: 'rtcp_pli_sent_total', help: 'Requests for a keyframe by PLI' },
    ({ bridge }) => bridge.stats.video.plisSent,
  ),
  one(
    'counter',
    { name: 'rtcp_fir_sent_total', help: 'Requests for a keyframe by FIR' },
    ({ bridge }) => bridge.stats.video.firsSent,
  ),
  byKind(
    'counter',
    { name: 'frames_received_total', help: 'Frames received; of sound, after it is encoded again' },
    ({ bridge: { totals } }, kind) =>
      kind === 'video' ? totals.videoFramesReceived : totals.audioFramesReceived,
  ),
  byKind(
    'counter',
    {
      name: 'frames_stored_total',
      help: 'Frames in fragments that KVS persisted, what earlier sessions had left included; of sound with the silence that was filled in',
    },
    ({ stored }, kind) => stored[kind],
  ),
  one(
    'counter',
    { name: 'video_frames_lost_total', help: 'Video frames received that can never be stored' },
    ({ bridge }) => bridge.totals.videoFramesLost,
  ),
  one(
    'gauge',
    { name: 'video_frames_pending', help: 'Video frames received, neither stored nor lost so far' },
    ({ bridge }) => bridge.totals.videoFramesPending,
  ),
  one(
    'counter',
    {
      name: 'video_frames_recovered_total',
      help: 'Of the video frames stored, those that earlier sessions had left in the spool',
    },
    ({ bridge }) => bridge.totals.videoFramesRecovered,
  ),
  one(
    'counter',
    { name: 'video_bytes_received_total', help: 'Size of the video frames received' },
    ({ bridge }) => bridge.totals.videoBytesReceived,
  ),
  one(
    'counter',
    { name: 'bytes_stored_total', help: 'Size of the fragments that KVS persisted' },
    ({ stored }) => stored.bytes,
  ),
  {
    name: 'fragment_acks_total',
    type: 'counter',
    labels: ['type', 'error_id'],
    help: 'What KVS said of fragments: buffering, received, persisted or error, the last with its ErrorId such as 4004',
    read: ({ bridge, stored }: BridgeView): readonly Sample[] => {
      const { errors, buffering, received } = bridge.stats.acks;
      // Told one by one: they are not short of what a media process counted before it was killed.
      const types = { buffering, received, persisted: stored.fragments };
      return [
        ...Object.entries(types).map(([type, n]) => [{ type, error_id: '' }, n] as const),
        ...Object.entries(errors).map(([id, n]) => [{ type: 'error', error_id: id }, n] as const),
      ];
    },
  },
  one(
    'gauge',
    {
      name: 'last_persisted_timestamp_seconds',
      help: 'When the last PERSISTED came, Unix time; absent before the first',
    },
    ({ lastPersistedAtMs }) => (lastPersistedAtMs === 0 ? undefined : lastPersistedAtMs / 1_000),
  ),
  one(
    'gauge',
    {
      name: 'behind_live_seconds',
      help: 'How far what is stored ends behind now; absent while no media arrives',
    },
    ({ bridge }) => {
      const { newestPersistedMs } = bridge.totals;
      if (newestPersistedMs === 0 || !receivingStates.has(bridge.state)) return undefined;
      return Math.max(0, Date.now() - newestPersistedMs) / 1_000;
    },
  ),
  one(
    'gauge',
    {
      name: 'av_skew_seconds',
      help: 'How far the newest sound received is ahead of the newest picture by their timestamps; below zero: behind. Both are stored by these, so it means waiting, not bad lip sync',
    },
    ({ bridge }) => seconds(bridge.stats.audioLeadMs),
  ),
  one(
    'counter',
    { name: 'epochs_total', help: 'Stretches of constant codec configuration that began' },
    ({ epochs }) => epochs,
  ),
  byWord(
    'counter',
    'cause',
    { name: 'gaps_total', help: 'Gaps in what is stored; docs/gaps.md has the causes' },
    ({ gaps }) => Array.from(gaps, ([cause, { count }]) => [cause, count] as const),
  ),
  byWord(
    'counter',
    'cause',
    { name: 'gap_seconds_total', help: 'Length of the gaps in what is stored' },
    ({ gaps }) => Array.from(gaps, ([cause, { ms }]) => [cause, ms / 1_000] as const),
  ),
  one(
    'gauge',
    { name: 'spool_bytes', help: 'Media that waits on disk to be stored' },
    ({ spool }) => spool?.bytes,
  ),
  one(
    'gauge',
    { name: 'spool_fragments', help: 'Fragments that wait on disk to be stored' },
    ({ spool }) => spool?.fragments,
  ),
  one(
    'gauge',
    { name: 'spool_limit_bytes', help: 'Most media that may wait on disk (--spool-mb)' },
    ({ bridge }) => bridge.settings.spoolMb * megabyte,
  ),
  byWord(
    'gauge',
    'state',
    {
      name: 'spool_state',
      help: '1 for where media waits to be stored: disk, or memory when the disk cannot be used; absent before a session began',
    },
    ({ spool }) => (spool === undefined ? [] : oneHot(['disk', 'memory'], spool.state)),
  ),
  byWord(
    'counter',
    'mode',
    {
      name: 'media_process_cpu_seconds_total',
      help: 'CPU time of all media processes so far; 0 with --isolation none',
    },
    ({ bridge: { stats } }) => [
      ['user', stats.mediaProcesses.cpuUserMs / 1_000],
      ['system', stats.mediaProcesses.cpuSystemMs / 1_000],
    ],
  ),
  one(
    'gauge',
    {
      name: 'media_process_resident_memory_bytes',
      help: 'Resident memory of the media processes, those included that still drain; absent without any',
    },
    ({ bridge }) => {
      const { residentBytes } = bridge.stats.mediaProcesses;
      return residentBytes === 0 ? undefined : residentBytes;
    },
  ),
  one(
    'gauge',
    {
      name: 'media_process_memory_limit_bytes',
      help: 'What a media process may use before it is replaced (--media-memory-mb and --buffer-mb)',
    },
    ({ bridge: { settings } }) =>
      settings.mediaMemoryMb === 0
        ? undefined
        : (settings.mediaMemoryMb + settings.bufferMb) * megabyte,
  ),
];
