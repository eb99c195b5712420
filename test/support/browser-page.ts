/** The script of the page that is a master: the sample master of the SDK's README, with controls. */

/** One outbound RTP stream, from RTCPeerConnection.getStats. */
export interface OutboundRtpStats {
  readonly kind: 'audio' | 'video';
  readonly ssrc: number;
  /** MIME type of what is sent, such as `video/VP8`. */
  readonly codec: string;
  readonly packetsSent: number;
  readonly retransmittedPacketsSent: number;
  readonly nackCount: number;
  /** Video alone has what follows; audio shows zeros. */
  readonly pliCount: number;
  readonly firCount: number;
  readonly framesSent: number;
  readonly framesEncoded: number;
  readonly keyFramesEncoded: number;
  readonly frameWidth: number;
  readonly frameHeight: number;
}

/** A picture drawn by the page, sent in place of the camera's as a screen share is. */
export interface SharedPicture {
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
}

/** What the page offers to the test. */
export interface MasterPage {
  startMaster(options: unknown): Promise<void>;
  readOutbound(): Promise<OutboundRtpStats[]>;
  videoCodecs(): string[];
  /** `track.enabled`: silence or black frames. */
  setEnabled(kind: 'audio' | 'video', enabled: boolean): void;
  /** `replaceTrack(null)` and back: no RTP. */
  setSending(kind: 'audio' | 'video', sending: boolean): Promise<void>;
  share(picture: SharedPicture | null): Promise<void>;
}

/** The script; it makes the page a {@link MasterPage}. */
export function pageScript(): string {
  return `
    const peers = new Map();
    // What each new viewer gets; null: the kind is not sent now.
    const tracks = { audio: null, video: null };
    const own = { audio: null, video: null };
    let shared = null;
    let preferred;

    const prefer = (peer) => {
      if (preferred === undefined) return;
      const { codecs } = RTCRtpSender.getCapabilities('video');
      const wanted = codecs.filter((codec) => codec.mimeType.toLowerCase() === preferred);
      const repair = codecs.filter((codec) => codec.mimeType.toLowerCase() === 'video/rtx');
      for (const transceiver of peer.getTransceivers()) {
        if (transceiver.receiver.track.kind !== 'video') continue;
        transceiver.setCodecPreferences([...wanted, ...repair]);
      }
    };
    // Chromium answers as preferred, yet sends what the offer names first unless the sender is told.
    const insist = async (peer) => {
      if (preferred === undefined) return;
      const sender = peer.getSenders().find(({ track }) => track?.kind === 'video');
      if (sender === undefined) return;
      const parameters = sender.getParameters();
      const codec = parameters.codecs.find(({ mimeType }) => mimeType.toLowerCase() === preferred);
      if (codec === undefined) return;
      const { mimeType, clockRate, sdpFmtpLine } = codec;
      for (const encoding of parameters.encodings) {
        encoding.codec = sdpFmtpLine ? { mimeType, clockRate, sdpFmtpLine } : { mimeType, clockRate };
      }
      await sender.setParameters(parameters);
    };
    const sendersOf = (kind) =>
      [...peers.values()].flatMap((peer) =>
        peer.getTransceivers()
          .filter((transceiver) => transceiver.receiver.track.kind === kind)
          .map((transceiver) => transceiver.sender));
    const put = async (kind, track) => {
      tracks[kind] = track;
      for (const sender of sendersOf(kind)) await sender.replaceTrack(track);
    };

    window.videoCodecs = () =>
      RTCRtpSender.getCapabilities('video').codecs.map(({ mimeType }) => mimeType);

    window.startMaster = async (options) => {
      preferred = options.videoCodec && 'video/' + options.videoCodec.toLowerCase();
      if (preferred && !videoCodecs().some((name) => name.toLowerCase() === preferred)) {
        throw new Error('this browser cannot send ' + preferred);
      }
      const stream = await navigator.mediaDevices.getUserMedia(options.media);
      for (const track of stream.getTracks()) own[track.kind] = tracks[track.kind] = track;
      if (options.muted && own.audio) own.audio.enabled = false;
      const signaling = new KVSWebRTC.SignalingClient({
        role: KVSWebRTC.Role.MASTER,
        channelARN: options.channelArn,
        channelEndpoint: options.endpoint,
        region: options.region,
        credentials: options.credentials,
      });
      signaling.on('sdpOffer', async (offer, clientId) => {
        peers.get(clientId)?.close();
        const peer = new RTCPeerConnection({ iceServers: [] });
        peers.set(clientId, peer);
        peer.addEventListener('icecandidate', ({ candidate }) => {
          if (candidate) signaling.sendIceCandidate(candidate, clientId);
        });
        await peer.setRemoteDescription(offer);
        for (const kind of ['audio', 'video']) {
          if (own[kind] === null) continue;
          // A sender without a track now may get one later.
          const sender = peer.addTrack(own[kind], stream);
          if (tracks[kind] !== own[kind]) await sender.replaceTrack(tracks[kind]);
        }
        prefer(peer);
        await peer.setLocalDescription(await peer.createAnswer());
        await insist(peer);
        signaling.sendSdpAnswer(peer.localDescription, clientId);
      });
      signaling.on('iceCandidate', (candidate, clientId) => {
        peers.get(clientId)?.addIceCandidate(candidate);
      });
      await new Promise((resolve, reject) => {
        signaling.on('open', resolve);
        signaling.on('error', reject);
        signaling.open();
      });
    };

    window.readOutbound = async () => {
      const result = [];
      for (const peer of peers.values()) {
        const reports = await peer.getStats();
        reports.forEach((report) => {
          if (report.type !== 'outbound-rtp') return;
          const { kind, ssrc } = report;
          const stream = { kind, ssrc, codec: reports.get(report.codecId)?.mimeType ?? '' };
          for (const name of ['packetsSent', 'retransmittedPacketsSent', 'nackCount', 'pliCount',
            'firCount', 'framesSent', 'framesEncoded', 'keyFramesEncoded', 'frameWidth',
            'frameHeight']) {
            stream[name] = report[name] ?? 0;
          }
          result.push(stream);
        });
      }
      return result;
    };

    window.setEnabled = (kind, enabled) => {
      if (own[kind]) own[kind].enabled = enabled;
    };
    window.setSending = (kind, sending) =>
      put(kind, sending ? (kind === 'video' && shared ? shared.track : own[kind]) : null);

    window.share = async (picture) => {
      if (shared) {
        clearInterval(shared.timer);
        shared.track.stop();
        shared = null;
      }
      if (picture === null) return put('video', own.video);
      const canvas = Object.assign(document.createElement('canvas'), picture);
      const context = canvas.getContext('2d');
      let frame = 0;
      const draw = () => {
        context.fillStyle = '#204060';
        context.fillRect(0, 0, canvas.width, canvas.height);
        context.fillStyle = '#ffffff';
        context.font = '48px sans-serif';
        context.fillText('shared ' + frame, 20 + (frame * 7) % (canvas.width / 2), 80);
        frame += 1;
      };
      draw();
      const [track] = canvas.captureStream(picture.frameRate).getVideoTracks();
      track.contentHint = 'detail';
      shared = { track, timer: setInterval(draw, 1000 / picture.frameRate) };
      await put('video', track);
    };
  `;
}
