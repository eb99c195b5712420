/** Bytes in the order they came, taken out in other portions than they came in. */

/** Chunks below this are copied together, so that single bytes do not cost an object each. */
const smallChunkBytes = 4096;
const tailBytes = 64 * 1024;

export class ByteQueue {
  #chunks: Buffer[] = [];
  #length = 0;
  /** The buffer that the last chunk is a view of, when it is ours and may still grow. */
  #tail: { readonly buffer: Buffer; start: number; end: number } | undefined;

  /** Bytes held. */
  get length(): number {
    return this.#length;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#length += chunk.length;
    if (chunk.length >= smallChunkBytes) {
      this.#chunks.push(chunk);
      this.#tail = undefined;
      return;
    }
    this.#append(chunk);
  }

  /** The first `count` bytes, left in place. The caller has checked {@link length}. */
  peek(count: number): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && first.length >= count) return first.subarray(0, count);
    return Buffer.concat(this.#chunks, count);
  }

  /** Takes the first `count` bytes out. The caller has checked {@link length}. */
  take(count: number): Buffer {
    const bytes = this.peek(count);
    let left = count;
    let used = 0;
    for (const chunk of this.#chunks) {
      if (left < chunk.length) break;
      left -= chunk.length;
      used += 1;
    }
    if (used > 0) this.#chunks.splice(0, used);
    const [first] = this.#chunks;
    if (first === undefined) this.#tail = undefined;
    else if (left > 0) this.#trimFirst(first, left);
    this.#length -= count;
    return bytes;
  }

  #append(chunk: Buffer): void {
    const tail = this.#tail;
    if (tail !== undefined && tail.buffer.length - tail.end >= chunk.length) {
      chunk.copy(tail.buffer, tail.end);
      tail.end += chunk.length;
      this.#chunks[this.#chunks.length - 1] = tail.buffer.subarray(tail.start, tail.end);
      return;
    }
    const buffer = Buffer.allocUnsafe(tailBytes);
    chunk.copy(buffer);
    this.#tail = { buffer, start: 0, end: chunk.length };
    this.#chunks.push(buffer.subarray(0, chunk.length));
  }

  #trimFirst(first: Buffer, count: number): void {
    this.#chunks[0] = first.subarray(count);
    if (this.#chunks.length === 1 && this.#tail !== undefined) this.#tail.start += count;
  }
}
