/** The project's own test master as a source. */
import { TestMaster } from '../../lib/index.js';
import type { TestMasterOptions } from '../../lib/index.js';
import type { LocalStack } from '../support/local-stack.js';
import type { RunningSource } from './row.js';

const picture = { width: 640, height: 360, videoBitrateBps: 800_000 } as const;

/** A test master that sends. */
export class PublisherSource implements RunningSource {
  readonly master: TestMaster;

  private constructor(master: TestMaster) {
    this.master = master;
  }

  static async start(
    stack: LocalStack,
    options: Partial<TestMasterOptions> = {},
  ): Promise<PublisherSource> {
    const master = new TestMaster({ ...stack.connection, ...picture, ...options });
    await master.start();
    return new PublisherSource(master);
  }

  framesSent(): Promise<number> {
    return Promise.resolve(this.master.framesSent);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.master.stop();
  }
}
