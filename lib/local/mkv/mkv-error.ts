/** The bytes are not Matroska, or not Matroska that this server takes. */
export class MkvError extends Error {
  override readonly name = 'MkvError';
}

/** An element is larger than the reader may hold. */
export class ElementTooLargeError extends MkvError {
  /** Whether it is media (a block), which makes the whole fragment too large. */
  readonly isMedia: boolean;

  constructor(message: string, isMedia: boolean) {
    super(message);
    this.isMedia = isMedia;
  }
}
