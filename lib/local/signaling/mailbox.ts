/** Messages for a peer that is not connected. */
import type { MessageKind } from './messages.js';

/** A message that waits. */
export interface WaitingMessage {
  readonly kind: MessageKind;
  /** Text to deliver. */
  readonly text: string;
  /** undefined for the master */
  readonly sender: string | undefined;
  readonly expiresAtMs: number;
}

/** More than a viewer and a master have to say to each other. */
const maxMessages = 1000;

/**
 * Keeps messages in order until they expire. A newer offer or answer of the same sender takes the
 * place of the older one (AWS WebRTC dev guide, SendSdpOffer), so that candidates stay behind it.
 */
export class Mailbox {
  #messages: WaitingMessage[] = [];

  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  put(message: WaitingMessage): void {
    if (message.kind !== 'ICE_CANDIDATE') {
      const older = this.#messages.findIndex(
        ({ kind, sender }) => kind === message.kind && sender === message.sender,
      );
      if (older !== -1) {
        this.#messages[older] = message;
        return;
      }
    }
    this.#messages.push(message);
    if (this.#messages.length > maxMessages) this.#messages.shift();
  }

  /** Drops what is past its time. */
  expire(nowMs: number): void {
    this.#messages = this.#messages.filter(({ expiresAtMs }) => expiresAtMs > nowMs);
  }

  /** Takes out all that may still be delivered. */
  takeAll(nowMs: number): WaitingMessage[] {
    this.expire(nowMs);
    const messages = this.#messages;
    this.#messages = [];
    return messages;
  }
}
