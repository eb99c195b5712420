/** Chromium sends each codec that it has, and a bridge that asks for that one stores every frame. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { KvsBridge } from '../../lib/index.js';
import type { MediaTrack, PersistedFragment, VideoCodecName } from '../../lib/index.js';
import { BrowserMaster } from '../support/browser-master.js';
import { decodeErrors, probe } from '../support/decode.js';
import { eventThat } from '../support/events.js';
import { LocalStack } from '../support/local-stack.js';

const framesToStore = 100;
const limitMs = 40_000;

describe('Chromium as the master', () => {
  let stack: LocalStack;
  let browser: BrowserMaster;
  before(async () => {
    stack = await LocalStack.start({ tls: 'self-signed' });
    browser = await BrowserMaster.start({
      channelArn: stack.channelArn,
      endpoint: `${stack.kvs.wssUrl}/m`,
      region: stack.region,
      credentials: stack.credentials,
      media: { audio: true, video: { width: 640, height: 360, frameRate: 30 } },
    });
  });
  after(async () => {
    await browser[Symbol.asyncDispose]();
    await stack[Symbol.asyncDispose]();
  });

  const codecs: readonly (readonly [VideoCodecName, boolean])[] = [
    ['h264', false],
    ['vp8', true],
    ['vp9', true],
    ['av1', true],
  ];
  for (const [codec, transcoded] of codecs) {
    it(`has every frame of ${codec} stored as H.264 that decodes without an error`, async () => {
      const earlier = await stack.listFragments();
      const bridge = new KvsBridge({
        ...stack.connection,
        stream: stack.stream,
        videoCodecs: [codec],
      });
      const tracks: MediaTrack[] = [];
      const persisted: PersistedFragment[] = [];
      const lost: object[] = [];
      bridge.on('track', (track) => tracks.push(track));
      bridge.on('persisted', (fragment) => persisted.push(fragment));
      bridge.on('lost', (loss) => lost.push(loss));
      const enough = eventThat(
        bridge,
        'totals',
        ({ videoFramesReceived }) => videoFramesReceived >= framesToStore,
        limitMs,
      );
      await bridge.start();
      await enough;
      const { totals, error } = await bridge.stop();

      assert.equal(error, undefined);
      assert.deepEqual(lost, []);
      assert.equal(totals.videoFramesStored, totals.videoFramesReceived);
      assert.deepEqual(
        tracks.find(({ kind }) => kind === 'video'),
        { kind: 'video', codec: codec.toUpperCase(), storedAs: 'H264', transcoded },
      );
      const stored = (await stack.listFragments()).slice(earlier.length);
      assert.equal(stored.length, persisted.length);
      for (const [index, file] of (await stack.readFragments(stored)).entries()) {
        assert.equal(await decodeErrors(file), '', file);
        const [video, audio] = await probe(file);
        assert.equal(video?.codec, 'h264');
        assert.equal(video.packets, persisted[index]?.videoFrames);
        assert.equal(audio?.codec, 'aac');
      }
    });
  }
});
