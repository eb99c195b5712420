/** What the native side tells of a kvssink element. */

/** An acknowledgement as the element passes it on. */
export interface ElementAck {
  readonly epoch: number;
  readonly ack: 'buffering' | 'received' | 'persisted' | 'error' | 'idle';
  readonly timecodeMs: number;
  readonly fragmentNumber: string;
  /** Of `error`. */
  readonly errorId: number;
}

/** What became of an epoch's element. */
export interface ElementState {
  readonly epoch: number;
  readonly state: 'opening' | 'open' | 'failed' | 'frameRefused' | 'closed' | 'abandoned';
  /** Of the SDK, 0 when it told none. */
  readonly status: number;
  readonly reason: string;
}
