/** Headless Chromium as the master, through AWS's own unmodified JavaScript SDK. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { BrowserContext, Page } from 'playwright-core';
import type { AwsCredentials } from '../../lib/aws/credentials.js';
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
  /** Constraints of getUserMedia. */
  readonly media: MediaStreamConstraintsLike;
}

/** The part of the DOM's MediaStreamConstraints that tests use. */
export interface MediaStreamConstraintsLike {
  readonly audio: boolean;
  readonly video:
    boolean | { readonly width: number; readonly height: number; readonly frameRate: number };
}

/** What the page counted, from RTCPeerConnection.getStats. */
export interface BrowserMasterStats {
  readonly framesSent: number;
  readonly keyFramesEncoded: number;
  readonly frameWidth: number;
  readonly frameHeight: number;
  readonly codec: string;
}

/** The page's script: the sample master of the SDK's README, reduced. */
function pageScript(): string {
  return `
    window.startMaster = async (options) => {
      const stream = await navigator.mediaDevices.getUserMedia(options.media);
      const signaling = new KVSWebRTC.SignalingClient({
        role: KVSWebRTC.Role.MASTER,
        channelARN: options.channelArn,
        channelEndpoint: options.endpoint,
        region: options.region,
        credentials: options.credentials,
      });
      window.peers = new Map();
      signaling.on('sdpOffer', async (offer, clientId) => {
        const peer = new RTCPeerConnection({ iceServers: [] });
        window.peers.set(clientId, peer);
        peer.addEventListener('icecandidate', ({ candidate }) => {
          if (candidate) signaling.sendIceCandidate(candidate, clientId);
        });
        await peer.setRemoteDescription(offer);
        stream.getTracks().forEach((track) => peer.addTrack(track, stream));
        await peer.setLocalDescription(await peer.createAnswer());
        signaling.sendSdpAnswer(peer.localDescription, clientId);
      });
      signaling.on('iceCandidate', (candidate, clientId) => {
        const peer = window.peers.get(clientId);
        if (peer) peer.addIceCandidate(candidate);
      });
      await new Promise((resolve, reject) => {
        signaling.on('open', resolve);
        signaling.on('error', reject);
        signaling.open();
      });
    };
    window.readStats = async () => {
      const result = { framesSent: 0, keyFramesEncoded: 0, frameWidth: 0, frameHeight: 0, codec: '' };
      for (const peer of window.peers.values()) {
        const reports = await peer.getStats();
        reports.forEach((report) => {
          if (report.type !== 'outbound-rtp' || report.kind !== 'video') return;
          result.framesSent += report.framesSent;
          result.keyFramesEncoded += report.keyFramesEncoded;
          result.frameWidth = report.frameWidth;
          result.frameHeight = report.frameHeight;
          result.codec = reports.get(report.codecId)?.mimeType ?? '';
        });
      }
      return result;
    };
    window.stopSending = async () => {
      for (const peer of window.peers.values()) {
        for (const sender of peer.getSenders()) await sender.replaceTrack(null);
      }
    };
  `;
}

/** A browser that is the master of a channel. */
export class BrowserMaster implements AsyncDisposable {
  readonly #context: BrowserContext;
  readonly #page: Page;
  readonly #cleanUp: () => Promise<void>;

  private constructor(context: BrowserContext, page: Page, cleanUp: () => Promise<void>) {
    this.#context = context;
    this.#page = page;
    this.#cleanUp = cleanUp;
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
      await page.evaluate(
        (value) =>
          (globalThis as unknown as { startMaster(o: unknown): Promise<void> }).startMaster(value),
        options as unknown as Record<string, unknown>,
      );
      return new BrowserMaster(context, page, cleanUp);
    } catch (error) {
      await cleanUp();
      throw error;
    }
  }

  /** Counts so far, over all viewers. */
  stats(): Promise<BrowserMasterStats> {
    return this.#page.evaluate(() =>
      (globalThis as unknown as { readStats(): Promise<BrowserMasterStats> }).readStats(),
    );
  }

  /** Sends nothing more; the connections stay. */
  stopSending(): Promise<void> {
    return this.#page.evaluate(() =>
      (globalThis as unknown as { stopSending(): Promise<void> }).stopSending(),
    );
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
