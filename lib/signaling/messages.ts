/**
 * The wire format of KVS signaling: the only place where its messages are read and written
 * (AWS WebRTC developer guide, "Asynchronous message reception" and "SendSdpOffer" to
 * "SendIceCandidate"; key spelling as in the WebRTC JS SDK 2.9.0).
 *
 * Whatever a peer or the service sends, {@link parseMessage} returns: a message that cannot be used
 * becomes `ignored`, with the reason.
 */
import * as v from 'valibot';
import { OptionsError, SignalingError, ErrorCode } from '../util/errors.js';
import { redact } from '../util/redact.js';

/** An ICE candidate, in the form of WebRTC's RTCIceCandidateInit. */
export interface IceCandidate {
  /** The candidate attribute; empty at the end of candidates. */
  readonly candidate: string;
  readonly sdpMid?: string;
  readonly sdpMLineIndex?: number;
  readonly usernameFragment?: string;
}

/** An SDP from the other side. */
export interface SdpMessage {
  readonly sdp: string;
  /** The viewer it came from; absent when it came from the master. */
  readonly senderClientId?: string;
}

/** An ICE candidate from the other side. */
export interface CandidateMessage {
  readonly candidate: IceCandidate;
  /** The viewer it came from; absent when it came from the master. */
  readonly senderClientId?: string;
}

/** The service's complaint about a message that was sent. */
export interface StatusResponse {
  /** Which message; the value that the send method returned. */
  readonly correlationId?: string;
  /** AWS exception name, for example `InvalidArgumentException`. */
  readonly errorType?: string;
  /** HTTP-like status, for example `400`. */
  readonly statusCode?: string;
  readonly description?: string;
}

/** A message that was not understood, and is not passed on. */
export interface IgnoredMessage {
  /** Why; holds nothing of the message's content. */
  readonly reason: string;
  /** Its declared type, if it had a readable one. */
  readonly messageType?: string;
}

/** What {@link parseMessage} makes of a frame. */
export type InboundMessage =
  | { readonly type: 'answer' | 'offer'; readonly body: SdpMessage }
  | { readonly type: 'candidate'; readonly body: CandidateMessage }
  | { readonly type: 'goAway' }
  | { readonly type: 'ignored'; readonly body: IgnoredMessage }
  | { readonly type: 'reconnectIceServer' }
  | { readonly type: 'status'; readonly body: StatusResponse };

/** What a client can send. */
export type OutboundAction = 'ICE_CANDIDATE' | 'SDP_ANSWER' | 'SDP_OFFER';

/** The service's limit for `messagePayload`, in characters (KVS WebRTC quotas: 10k). */
export const maxPayloadLength = 10_000;

/** Frames longer than this are not even parsed, in bytes; far above what the service lets pass. */
export const maxFrameBytes = 128 * 1024;

const text = (maxLength: number) => v.pipe(v.string(), v.maxLength(maxLength));
/** Line breaks in these would smuggle lines into an SDP; none of them may hold control characters. */
const line = (maxLength: number) => v.pipe(text(maxLength), v.regex(/^[^\p{Cc}]*$/u));
const clientIdSchema = v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,256}$/));

const envelopeSchema = v.object({
  messageType: v.pipe(v.string(), v.regex(/^[\x20-\x7e]{1,64}$/)),
  messagePayload: v.nullish(v.string()),
  senderClientId: v.nullish(v.union([v.literal(''), clientIdSchema])),
  statusResponse: v.nullish(v.unknown()),
});

const sdpSchema = v.object({
  type: v.nullish(v.string()),
  sdp: v.pipe(text(64 * 1024), v.startsWith('v=0'), v.excludes('\0')),
});

const candidateSchema = v.object({
  candidate: line(2048),
  sdpMid: v.nullish(line(256)),
  sdpMLineIndex: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255))),
  usernameFragment: v.nullish(line(256)),
});

const statusSchema = v.object({
  correlationId: v.nullish(v.string()),
  errorType: v.nullish(v.string()),
  // A string in all that was seen; a number would be no reason to lose an error.
  statusCode: v.nullish(v.union([v.string(), v.number()])),
  description: v.nullish(v.string()),
});

const outboundIdPattern = /^[a-zA-Z0-9_.-]{1,256}$/;
const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/** Reads one WebSocket frame. Never throws. */
export function parseMessage(data: Buffer, isBinary: boolean): InboundMessage {
  if (isBinary) return ignored('a binary frame');
  if (data.length === 0) return ignored('an empty message');
  if (data.length > maxFrameBytes) return ignored(`longer than ${String(maxFrameBytes)} bytes`);
  const envelope = v.safeParse(envelopeSchema, parseJson(data));
  if (!envelope.success) return ignored('not a signaling message');
  const { messageType, messagePayload, statusResponse } = envelope.output;
  const sender = envelope.output.senderClientId ?? '';
  switch (messageType) {
    case 'SDP_OFFER':
      return parseSdp('offer', messageType, messagePayload, sender);
    case 'SDP_ANSWER':
      return parseSdp('answer', messageType, messagePayload, sender);
    case 'ICE_CANDIDATE':
      return parseCandidate(messageType, messagePayload, sender);
    case 'STATUS_RESPONSE':
      return parseStatus(messageType, statusResponse);
    case 'GO_AWAY':
      return { type: 'goAway' };
    case 'RECONNECT_ICE_SERVER':
      return { type: 'reconnectIceServer' };
    default:
      return ignored('an unknown message type', messageType);
  }
}

function parseSdp(
  type: 'answer' | 'offer',
  messageType: string,
  payload: string | null | undefined,
  sender: string,
): InboundMessage {
  const parsed = v.safeParse(sdpSchema, decodePayload(payload));
  if (!parsed.success) return ignored('its payload is not an SDP', messageType);
  const { type: declared, sdp } = parsed.output;
  if (typeof declared === 'string' && declared !== type) {
    return ignored('its payload is an SDP of another type', messageType);
  }
  return { type, body: { sdp, ...senderOf(sender) } };
}

function parseCandidate(
  messageType: string,
  payload: string | null | undefined,
  sender: string,
): InboundMessage {
  const parsed = v.safeParse(candidateSchema, decodePayload(payload));
  if (!parsed.success) return ignored('its payload is not an ICE candidate', messageType);
  const { candidate, sdpMid, sdpMLineIndex, usernameFragment } = parsed.output;
  return {
    type: 'candidate',
    body: {
      candidate: {
        candidate,
        ...(typeof sdpMid === 'string' ? { sdpMid } : {}),
        ...(typeof sdpMLineIndex === 'number' ? { sdpMLineIndex } : {}),
        ...(typeof usernameFragment === 'string' ? { usernameFragment } : {}),
      },
      ...senderOf(sender),
    },
  };
}

function parseStatus(messageType: string, statusResponse: unknown): InboundMessage {
  const parsed = v.safeParse(statusSchema, statusResponse);
  if (!parsed.success) return ignored('it has no status', messageType);
  const { correlationId, errorType, statusCode, description } = parsed.output;
  return {
    type: 'status',
    body: {
      ...(typeof correlationId === 'string' ? { correlationId: printable(correlationId) } : {}),
      ...(typeof errorType === 'string' ? { errorType: printable(errorType) } : {}),
      ...(statusCode === null || statusCode === undefined
        ? {}
        : { statusCode: printable(String(statusCode)) }),
      ...(typeof description === 'string' ? { description: printable(description) } : {}),
    },
  };
}

function senderOf(senderClientId: string): { senderClientId?: string } {
  return senderClientId === '' ? {} : { senderClientId };
}

function ignored(reason: string, messageType?: string): InboundMessage {
  return {
    type: 'ignored',
    body: { reason, ...(messageType === undefined ? {} : { messageType }) },
  };
}

/** Undefined for whatever is not JSON in UTF-8; nesting that overflows the stack included. */
function parseJson(data: Buffer): unknown {
  try {
    return JSON.parse(strictUtf8.decode(data));
  } catch {
    return undefined;
  }
}

function decodePayload(payload: string | null | undefined): unknown {
  if (typeof payload !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(payload)) return undefined;
  return parseJson(Buffer.from(payload, 'base64'));
}

/** Text from outside, fit for a log line. */
function printable(text: string): string {
  return redact(text.slice(0, 1024))
    .replaceAll(/\p{Cc}+/gu, ' ')
    .slice(0, 512);
}

/** A message to be written by {@link buildMessage}. */
export interface OutboundMessage {
  readonly action: OutboundAction;
  /** What travels as base64 of its JSON. */
  readonly payload: { readonly type: 'answer' | 'offer'; readonly sdp: string } | IceCandidate;
  /** Which viewer, when the master sends; a viewer's messages always go to the master. */
  readonly recipientClientId?: string | undefined;
  /** Comes back in a status response; without one the service drops bad messages silently. */
  readonly correlationId: string;
}

/**
 * Writes one message.
 *
 * @throws {@link SignalingError} when the payload is longer than the service takes;
 * {@link OptionsError} for a correlation id that the service would refuse
 */
export function buildMessage(message: OutboundMessage): string {
  const { action, recipientClientId, correlationId } = message;
  if (!outboundIdPattern.test(correlationId)) {
    throw new OptionsError('correlationId', 'The correlation id is not one that KVS accepts', {
      fix: 'Use 1 to 256 letters, digits and "_", "." or "-".',
    });
  }
  const messagePayload = Buffer.from(JSON.stringify(message.payload)).toString('base64');
  if (messagePayload.length > maxPayloadLength) {
    throw new SignalingError(
      ErrorCode.signaling,
      `The ${action} is too long for KVS signaling: ${String(messagePayload.length)} characters ` +
        `in base64, at most ${String(maxPayloadLength)}`,
      { fix: 'Offer fewer codecs, header extensions or media sections.' },
    );
  }
  // JSON.stringify leaves an undefined recipient out.
  return JSON.stringify({ action, messagePayload, recipientClientId, correlationId });
}

/**
 * Checks a viewer's client id.
 *
 * @throws {@link OptionsError} for `clientId`
 */
export function checkClientId(clientId: string): string {
  if (outboundIdPattern.test(clientId) && !/^AWS_/i.test(clientId)) return clientId;
  throw new OptionsError('clientId', 'The client id is not one that KVS accepts', {
    fix: 'Use 1 to 256 letters, digits and "_", "." or "-", not starting with AWS_.',
  });
}
