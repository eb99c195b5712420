/** Events of the local KVS. */
import type { Role } from './endpoints.js';

/** An upload begins or ends. */
export interface PutMediaEvent {
  readonly kind: 'closed' | 'opened';
  readonly streamName: string;
  /** Counts the uploads of this server. */
  readonly connectionId: number;
  /** Why it ended; undefined when it opens. */
  readonly cause?: string;
}

/** A fragment is on disk. */
export interface FragmentEvent {
  readonly streamName: string;
  readonly connectionId: number;
  /** 47 decimal digits. */
  readonly fragmentNumber: string;
  /** Time of its cluster by the producer's clock, epoch ms. */
  readonly producerTimestampMs: number;
  readonly durationMs: number;
  readonly bytes: number;
  /** The tags that the producer put before it. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** A peer joins or leaves a channel. */
export interface SignalingEvent {
  readonly kind: 'connected' | 'disconnected';
  readonly channelName: string;
  readonly role: Role;
  /** undefined for the master */
  readonly clientId: string | undefined;
}

/** A call was answered. */
export interface RequestEvent {
  /** As AWS names it; the path when it is none of ours. */
  readonly operation: string;
  readonly status: number;
  /** Name of the exception, when there was one. */
  readonly errorType?: string;
}

/** Events of `LocalKvs`. */
export interface LocalKvsEvents {
  putMedia: [event: PutMediaEvent];
  fragment: [event: FragmentEvent];
  signaling: [event: SignalingEvent];
  request: [event: RequestEvent];
}

/** Hands an event to whoever listens. */
export type EmitLocalKvsEvent = <TName extends keyof LocalKvsEvents>(
  name: TName,
  event: LocalKvsEvents[TName][0],
) => void;
