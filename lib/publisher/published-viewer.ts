/** What the test master sends to one viewer. */
import { EventEmitter } from 'node:events';
import { dtlsIdentity } from '../media/dtls-identity.js';
import { nativeError } from '../media/native-error.js';
import { loadNative } from '../media/native.js';
import type { NativeEvent } from '../media/native-events.js';
import type { NativePublisher, NativePublisherOptions } from '../media/native.js';
import { deferred } from '../util/deferred.js';
import { ErrorCode, asKvsBridgeError } from '../util/errors.js';
import type { KvsBridgeError } from '../util/errors.js';

interface PublishedViewerEvents {
  answer: [sdp: string];
  candidate: [candidate: { readonly candidate: string; readonly sdpMLineIndex: number }];
  connected: [];
  framesSent: [frames: number];
  warning: [error: KvsBridgeError];
  /** Exactly once, the last event. */
  closed: [];
}

interface EarlyCandidate {
  readonly candidate: string;
  readonly sdpMLineIndex: number;
}

/** How long the last packets may take to leave, in ms. */
const stopDeadlineMs = 3_000;

/** One publishing session; candidates that come before it starts wait. */
export class PublishedViewer extends EventEmitter<PublishedViewerEvents> {
  /** SDP of the offer that it answers. */
  readonly offer: string;
  readonly #early: EarlyCandidate[] = [];
  readonly #closed = deferred<undefined>();
  #native: NativePublisher | undefined;
  #firstFrame = 0;
  #framesSent = 0;
  #keyframeRequests = 0;
  #stopped = false;

  constructor(offer: string) {
    super();
    this.offer = offer;
  }

  /** The number that its first picture shows. */
  get firstFrame(): number {
    return this.#firstFrame;
  }

  get framesSent(): number {
    return this.#framesSent;
  }

  /** PLI and FIR that came, as of the latest word, which comes about once a second. */
  get keyframeRequests(): number {
    return this.#keyframeRequests;
  }

  /** Applies live controls; nothing happens before it started and after it stopped. */
  control(apply: (publisher: NativePublisher) => void): void {
    if (!this.#stopped && this.#native !== undefined) apply(this.#native);
  }

  /** @throws {@link MediaError} when the addon or an option is not usable */
  start(options: NativePublisherOptions): void {
    if (this.#stopped) return;
    this.#firstFrame = options.shape?.firstFrame ?? 0;
    const native = new (loadNative().Publisher)(
      { ...options, dtlsIdentity: dtlsIdentity() },
      (events) => {
        for (const event of events) this.#onNative(event);
      },
    );
    this.#native = native;
    native.start();
    for (const { candidate, sdpMLineIndex } of this.#early.splice(0)) {
      this.addCandidate(candidate, sdpMLineIndex);
    }
  }

  addCandidate(candidate: string, sdpMLineIndex: number): void {
    if (this.#native === undefined) {
      if (this.#early.length < 256) this.#early.push({ candidate, sdpMLineIndex });
      return;
    }
    try {
      this.#native.addCandidate(sdpMLineIndex, candidate);
    } catch (error) {
      this.emit('warning', asKvsBridgeError(error, ErrorCode.badPeerInput));
    }
  }

  /** Ends the stream. Any number of times. */
  stop(): Promise<void> {
    if (!this.#stopped) {
      this.#stopped = true;
      if (this.#native === undefined) this.#close();
      else this.#native.stop(stopDeadlineMs);
    }
    return this.#closed.promise;
  }

  #onNative(event: NativeEvent): void {
    switch (event.type) {
      case 'localDescription':
        this.emit('answer', event.sdp);
        return;
      case 'localCandidate':
        this.emit('candidate', event);
        return;
      case 'connectionState':
        if (event.connection === 'connected') this.emit('connected');
        return;
      case 'senderStats':
        this.#framesSent = event.framesSent;
        this.#keyframeRequests = event.keyframeRequests;
        this.emit('framesSent', event.framesSent);
        return;
      case 'error':
        this.emit('warning', nativeError(event.kind, event.message, event.element, event.debug));
        return;
      case 'closed':
        this.#stopped = true;
        this.#close();
        return;
      default:
        // Everything else is told by receivers only.
        return;
    }
  }

  #close(): void {
    this.#native?.dispose();
    this.emit('closed');
    this.#closed.resolve(undefined);
  }
}
