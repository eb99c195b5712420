/** Chromium as a source. */
import { existsSync } from 'node:fs';
import { BrowserMaster } from '../support/browser-master.js';
import type { BrowserMasterOptions } from '../support/browser-master.js';
import type { LocalStack } from '../support/local-stack.js';
import type { RunningSource } from './row.js';

/** Why there can be no browser; undefined when there is one. */
export function missingBrowser(): string | undefined {
  const executable = process.env['KVSB_CHROMIUM'] ?? '/usr/bin/chromium';
  return existsSync(executable) ? undefined : 'there is no Chromium here';
}

/** What differs from one Chromium to another. */
export type BrowserSettings = Pick<BrowserMasterOptions, 'media' | 'muted' | 'videoCodec'>;

/** Chromium that sends its fake camera and microphone. */
export class BrowserSource implements RunningSource {
  readonly browser: BrowserMaster;

  private constructor(browser: BrowserMaster) {
    this.browser = browser;
  }

  static async start(stack: LocalStack, settings: BrowserSettings): Promise<BrowserSource> {
    return new BrowserSource(
      await BrowserMaster.start({
        channelArn: stack.channelArn,
        // AWS's SDK takes wss:// only.
        endpoint: `${stack.kvs.wssUrl}/m`,
        region: stack.region,
        credentials: stack.credentials,
        ...settings,
      }),
    );
  }

  async framesSent(): Promise<number> {
    return (await this.browser.stats()).framesSent;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser[Symbol.asyncDispose]();
  }
}
