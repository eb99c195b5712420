/** Reads when frames were sent, which bench/sender writes into them, out of a stream of bytes. */

/** UUID of the SEI that carries the time; bench/sender/media.c has the other half. */
const uuid = Buffer.from('kvs-bridge-bench', 'latin1');
const timeDigits = 16;
const stampBytes = uuid.length + timeDigits;

/** Finds the stamps, however the bytes are cut. */
export class FrameStamps {
  #tail: Buffer = Buffer.alloc(0);

  /** @returns when the frames that begin here were sent: monotonic clock of the machine, ms */
  *push(chunk: Buffer): Generator<number, void> {
    const bytes = this.#tail.length === 0 ? chunk : Buffer.concat([this.#tail, chunk]);
    let read = 0;
    for (;;) {
      const at = bytes.indexOf(uuid, read);
      if (at < 0 || at + stampBytes > bytes.length) {
        const begin = at < 0 ? Math.max(read, bytes.length - uuid.length + 1) : at;
        this.#tail = Buffer.from(bytes.subarray(begin));
        return;
      }
      read = at + stampBytes;
      const digits = bytes.toString('latin1', at + uuid.length, read);
      yield Number.parseInt(digits, 16) / 1e6;
    }
  }
}
