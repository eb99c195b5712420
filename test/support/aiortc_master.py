"""A master made of aiortc, Python's own WebRTC: numbered pictures and a tone.

Takes the presigned signaling URL as JSON on stdin ({"url", "codec", "width", "height",
"frameRate", "audio"}), joins, answers every offer, and writes JSON lines to stdout: {"event":
"ready"}, then {"event": "stats", ...} about once a second. Ends with its stdin.
"""

import asyncio
import base64
import fractions
import json
import sys
import time

import numpy
import websockets
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.rtcdtlstransport import RTCCertificate
from aiortc.sdp import candidate_from_sdp
from av import AudioFrame, VideoFrame

# As native/media/publisher/test_picture.h: squares from the top left corner, most significant bit first,
# then one that is white on the first frame of each second, when the tone ticks too.
COUNTER_BITS = 24
SQUARE = 16
WHITE, BLACK = 235, 16
CLOCK_RATE = 90_000
SAMPLE_RATE = 48_000
SAMPLES = 960
TICK_SAMPLES = SAMPLE_RATE // 20


# What aiortc 1.11 takes; here every version is so strict, to hold its peers to it.
ECDSA_ONLY = b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA"
create_ssl_context = RTCCertificate._create_ssl_context


def create_strict_ssl_context(self, *arguments, **named):
    context = create_ssl_context(self, *arguments, **named)
    context.set_cipher_list(ECDSA_ONLY)
    return context


RTCCertificate._create_ssl_context = create_strict_ssl_context


def say(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


class Pacer:
    """Gives each frame its time, on one clock for all tracks."""

    def __init__(self):
        self.start = None

    async def wait_until(self, seconds):
        if self.start is None:
            self.start = time.monotonic()
        delay = self.start + seconds - time.monotonic()
        if delay > 0:
            await asyncio.sleep(delay)


class NumberedVideo(VideoStreamTrack):
    def __init__(self, pacer, width, height, frame_rate):
        super().__init__()
        self.pacer = pacer
        self.size = (width, height)
        self.frame_rate = frame_rate
        self.frames = 0

    async def recv(self):
        number = self.frames
        await self.pacer.wait_until(number / self.frame_rate)
        self.frames += 1
        width, height = self.size
        planes = numpy.full((height * 3 // 2, width), 128, dtype=numpy.uint8)
        # A moving ramp: an encoder that is given a still picture sends next to nothing.
        planes[:height, :] = ((numpy.arange(width) + 4 * number) % 180 + 30).astype(numpy.uint8)
        for bit in range(COUNTER_BITS):
            one = number >> (COUNTER_BITS - 1 - bit) & 1
            planes[:SQUARE, bit * SQUARE : (bit + 1) * SQUARE] = WHITE if one else BLACK
        flash = number > 0 and number % self.frame_rate == 0
        planes[:SQUARE, COUNTER_BITS * SQUARE : (COUNTER_BITS + 1) * SQUARE] = (
            WHITE if flash else BLACK
        )
        frame = VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = number * CLOCK_RATE // self.frame_rate
        frame.time_base = fractions.Fraction(1, CLOCK_RATE)
        return frame


class TickingAudio(MediaStreamTrack):
    kind = "audio"

    def __init__(self, pacer):
        super().__init__()
        self.pacer = pacer
        self.samples = 0

    async def recv(self):
        first = self.samples
        await self.pacer.wait_until(first / SAMPLE_RATE)
        self.samples += SAMPLES
        times = numpy.arange(first, first + SAMPLES)
        tone = 26_000 * numpy.sin(2 * numpy.pi * 1_000 * times / SAMPLE_RATE)
        mono = numpy.where(times % SAMPLE_RATE < TICK_SAMPLES, tone, 0).astype(numpy.int16)
        stereo = numpy.repeat(mono, 2).reshape(1, -1)
        frame = AudioFrame.from_ndarray(stereo, format="s16", layout="stereo")
        frame.sample_rate = SAMPLE_RATE
        frame.pts = first
        frame.time_base = fractions.Fraction(1, SAMPLE_RATE)
        return frame


class Viewer:
    """One peer connection, as the answering side."""

    def __init__(self, options):
        self.options = options
        # No STUN server: its own default is one of the internet's.
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.video = None

    async def answer(self, offer):
        pacer = Pacer()
        options = self.options
        self.video = NumberedVideo(pacer, options["width"], options["height"], options["frameRate"])
        self.pc.addTrack(self.video)
        if options["audio"] and "m=audio" in offer["sdp"]:
            self.pc.addTrack(TickingAudio(pacer))
        # Before the offer is set: it is then that aiortc settles on its codecs.
        wanted = ("video/" + options["codec"], "video/rtx")
        for transceiver in self.pc.getTransceivers():
            if transceiver.kind == "video":
                codecs = RTCRtpSender.getCapabilities("video").codecs
                transceiver.setCodecPreferences([c for c in codecs if c.mimeType in wanted])
        await self.pc.setRemoteDescription(RTCSessionDescription(offer["sdp"], offer["type"]))
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        return {"type": self.pc.localDescription.type, "sdp": self.pc.localDescription.sdp}

    async def add_candidate(self, message):
        text = message.get("candidate", "")
        if not text:
            return
        candidate = candidate_from_sdp(text.split(":", 1)[1])
        candidate.sdpMid = message.get("sdpMid")
        candidate.sdpMLineIndex = message.get("sdpMLineIndex")
        await self.pc.addIceCandidate(candidate)


async def serve(socket, options, viewers):
    async for raw in socket:
        if not raw:
            continue
        message = json.loads(raw)
        client = message.get("senderClientId")
        payload = message.get("messagePayload")
        kind = message.get("messageType")
        if client is None or payload is None:
            continue
        body = json.loads(base64.b64decode(payload))
        if kind == "SDP_OFFER":
            if client in viewers:
                # The same offer again, or the viewer's next try: the first answer stands.
                continue
            viewer = viewers[client] = Viewer(options)
            answer = await viewer.answer(body)
            await socket.send(
                json.dumps(
                    {
                        "action": "SDP_ANSWER",
                        "recipientClientId": client,
                        "messagePayload": base64.b64encode(json.dumps(answer).encode()).decode(),
                    }
                )
            )
        elif kind == "ICE_CANDIDATE" and client in viewers:
            await viewers[client].add_candidate(body)


async def tell(viewers):
    while True:
        await asyncio.sleep(0.5)
        frames = sum(viewer.video.frames for viewer in viewers.values() if viewer.video)
        say("stats", framesSent=frames, states=[v.pc.connectionState for v in viewers.values()])


async def main():
    options = json.loads(sys.stdin.readline())
    viewers = {}
    loop = asyncio.get_running_loop()
    ended = loop.run_in_executor(None, sys.stdin.read)
    async with websockets.connect(options["url"]) as socket:
        say("ready")
        tasks = [
            asyncio.ensure_future(serve(socket, options, viewers)),
            asyncio.ensure_future(tell(viewers)),
            asyncio.ensure_future(ended),
        ]
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        for viewer in viewers.values():
            await viewer.pc.close()
        for task in done:
            task.result()


asyncio.run(main())
