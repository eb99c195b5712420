/** What is to be taken back, the last first: for Node versions without AsyncDisposableStack. */
export class Disposers implements AsyncDisposable {
  readonly #steps: (() => unknown)[] = [];

  /** Takes it over. */
  use<T extends AsyncDisposable>(resource: T): T {
    this.#steps.push(async () => resource[Symbol.asyncDispose]());
    return resource;
  }

  defer(step: () => unknown): void {
    this.#steps.push(step);
  }

  /** Every step is taken, whatever those before it did. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const step of this.#steps.splice(0).toReversed()) {
      await Promise.resolve()
        .then(step)
        .catch(() => undefined);
    }
  }
}
