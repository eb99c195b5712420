/** Writes acknowledgements as the producer SDK can read them. */
import type { ServerResponse } from 'node:http';
import { ackErrorCodeOf } from './ingest-error.js';

/** The fragment that an acknowledgement is about. */
export interface AckFragment {
  /** As sent: raw ticks, in either timecode type. */
  readonly timecode: number;
  /** 47 decimal digits; empty before the first fragment. */
  readonly number: string;
}

/**
 * Flat JSON objects, one to a write: the documented nested form is not what the service sends, and
 * the producer SDK drops what reaches it in pieces above 1024 bytes (PIC, AckParser.c).
 */
export class AckWriter {
  readonly #response: ServerResponse;
  readonly #isEnabled: boolean;

  /** @param isEnabled - false when the producer asked for no acknowledgements */
  constructor(response: ServerResponse, isEnabled: boolean) {
    this.#response = response;
    this.#isEnabled = isEnabled;
  }

  fragment(type: 'BUFFERING' | 'PERSISTED' | 'RECEIVED', { timecode, number }: AckFragment): void {
    this.#write({ EventType: type, FragmentTimecode: timecode, FragmentNumber: number });
  }

  idle(): void {
    this.#write({ EventType: 'IDLE' });
  }

  error(errorId: number, { timecode, number }: AckFragment): void {
    this.#write({
      EventType: 'ERROR',
      FragmentTimecode: timecode,
      FragmentNumber: number,
      ErrorCode: ackErrorCodeOf(errorId),
      ErrorId: errorId,
    });
  }

  #write(ack: object): void {
    if (!this.#isEnabled || this.#response.writableEnded || this.#response.destroyed) return;
    this.#response.write(`${JSON.stringify(ack)}\n`);
  }
}
