/** Headless Chromium as the master, through AWS's own unmodified JavaScript SDK. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { BrowserContext, Page } from 'playwright-core';
import type { AwsCredentials } from '../../lib/aws/credentials.js';
import { pageScript } from './browser-page.js';
import type { MasterPage, OutboundRtpStats, SharedPicture } from './browser-page.js';
import { unpackPackage } from './npm-package.js';

const sdkVersion = 'amazon-kinesis-video-streams-webrtc@2.9.0';

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--ignore-certificate-errors',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
];

/** Where and how the browser joins. */
export interface BrowserMasterOptions {
  readonly channelArn: string;
  /** WSS endpoint of the master role: the SDK takes no other. */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: AwsCredentials;
  /** Constraints of getUserMedia; `fakeCamera` is the usual video. */
  readonly media: MediaStreamConstraintsLike;
  /**
   * The only video codec that it answers with, by setCodecPreferences. A browser that cannot send
   * it refuses to start. @defaultValue what the offer prefers
   */
  readonly videoCodec?: 'H264' | 'H265' | 'VP8' | 'VP9' | 'AV1';
  /** Begin with the microphone muted (`track.enabled = false`). @defaultValue false */
  readonly muted?: boolean;
}

/** What Chromium's fake camera shows best: its pattern at 720p30. */
export const fakeCamera = { width: 1280, height: 720, frameRate: 30 } as const;

/** The part of the DOM's MediaStreamConstraints that tests use. */
export interface MediaStreamConstraintsLike {
  readonly audio: boolean;
  readonly video:
    boolean | { readonly width: number; readonly height: number; readonly frameRate: number };
}

/** What the page counted, over all viewers, from RTCPeerConnection.getStats. */
export interface BrowserMasterStats {
  readonly framesSent: number;
  readonly framesEncoded: number;
  readonly keyFramesEncoded: number;
  readonly nackCount: number;
  readonly pliCount: number;
  readonly firCount: number;
  /** Of the stream read last. */
  readonly frameWidth: number;
  readonly frameHeight: number;
  readonly codec: string;
}

interface BrowserMasterParts {
  readonly join: () => Promise<void>;
  readonly cleanUp: () => Promise<void>;
}

/** A browser that is the master of a channel. */
export class BrowserMaster implements AsyncDisposable {
  readonly #context: BrowserContext;
  readonly #page: Page;
  readonly #cleanUp: () => Promise<void>;

  readonly #join: () => Promise<void>;

  private constructor(context: BrowserContext, page: Page, parts: BrowserMasterParts) {
    this.#context = context;
    this.#page = page;
    this.#cleanUp = parts.cleanUp;
    this.#join = parts.join;
  }

  /** Starts Chromium and joins the channel. */
  static async start(options: BrowserMasterOptions): Promise<BrowserMaster> {
    const sdk = join(await unpackPackage(sdkVersion), 'dist', 'kvs-webrtc.min.js');
    const sdkText = await readFile(sdk, 'utf8');
    const server = createServer((request, response) => {
      const isSdk = request.url === '/sdk.js';
      response.setHeader('content-type', isSdk ? 'text/javascript' : 'text/html');
      response.end(
        isSdk
          ? sdkText
          : `<!doctype html><script src="/sdk.js"></script><script>${pageScript()}</script>`,
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const profile = await mkdtemp(join(tmpdir(), 'kvs-bridge-chromium-'));
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: process.env['KVSB_CHROMIUM'] ?? '/usr/bin/chromium',
      headless: true,
      ignoreHTTPSErrors: true,
      args: flags,
    });
    const cleanUp = async (): Promise<void> => {
      await context.close();
      server.closeAllConnections();
      server.close();
      await rm(profile, { recursive: true, force: true });
    };
    try {
      const page = await context.newPage();
      await page.goto(`http://127.0.0.1:${String(port)}/`);
      const join = (): Promise<void> =>
        page.evaluate(
          (value) => (globalThis as unknown as MasterPage).startMaster(value),
          options as unknown as Record<string, unknown>,
        );
      await join();
      return new BrowserMaster(context, page, { join, cleanUp });
    } catch (error) {
      await cleanUp();
      throw error;
    }
  }

  /** Reloads the page in mid-stream and joins again. */
  async reload(): Promise<void> {
    await this.#page.reload();
    await this.#join();
  }

  /** The video counts so far, over all viewers. */
  async stats(): Promise<BrowserMasterStats> {
    const video = (await this.outbound()).filter(({ kind }) => kind === 'video');
    const sum = (read: (stream: OutboundRtpStats) => number): number =>
      video.reduce((total, stream) => total + read(stream), 0);
    const last = video.at(-1);
    return {
      framesSent: sum((stream) => stream.framesSent),
      framesEncoded: sum((stream) => stream.framesEncoded),
      keyFramesEncoded: sum((stream) => stream.keyFramesEncoded),
      nackCount: sum((stream) => stream.nackCount),
      pliCount: sum((stream) => stream.pliCount),
      firCount: sum((stream) => stream.firCount),
      frameWidth: last?.frameWidth ?? 0,
      frameHeight: last?.frameHeight ?? 0,
      codec: last?.codec ?? '',
    };
  }

  /** Each stream that is or was sent, audio too. */
  outbound(): Promise<readonly OutboundRtpStats[]> {
    return this.#page.evaluate(() => (globalThis as unknown as MasterPage).readOutbound());
  }

  /** MIME types that this browser can send, such as `video/VP8`. */
  videoCodecs(): Promise<readonly string[]> {
    return this.#page.evaluate(() => (globalThis as unknown as MasterPage).videoCodecs());
  }

  /** Mutes the microphone or lets it be heard (`track.enabled`): silence is sent on. */
  setMuted(muted: boolean): Promise<void> {
    return this.#page.evaluate((on) => {
      (globalThis as unknown as MasterPage).setEnabled('audio', on);
    }, !muted);
  }

  /**
   * The camera: `on`, `black` (`track.enabled = false`: black frames are sent on) or `off`
   * (`replaceTrack(null)`: not a packet).
   */
  async setCamera(state: 'on' | 'black' | 'off'): Promise<void> {
    await this.#page.evaluate(async (wanted) => {
      const page = globalThis as unknown as MasterPage;
      page.setEnabled('video', wanted !== 'black');
      await page.setSending('video', wanted !== 'off');
    }, state);
  }

  /** The microphone's track: sent, or `replaceTrack(null)`, not a packet. */
  setMicrophone(on: boolean): Promise<void> {
    return this.#page.evaluate(
      (sending) => (globalThis as unknown as MasterPage).setSending('audio', sending),
      on,
    );
  }

  /** Replaces the camera's track by a drawn picture, on the same sender; null: the camera again. */
  share(picture: SharedPicture | null): Promise<void> {
    return this.#page.evaluate(
      (value) => (globalThis as unknown as MasterPage).share(value),
      picture,
    );
  }

  /** Sends nothing more; the connections stay. */
  async stopSending(): Promise<void> {
    await this.setCamera('off');
    await this.setMicrophone(false);
  }

  /** The page itself, for tests that do more with it. */
  get page(): Page {
    return this.#page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanUp();
  }

  /** The browser's context, to open further pages. */
  get context(): BrowserContext {
    return this.#context;
  }
}
