/** Messages of signaling connections (AWS WebRTC dev guide, "WebSocket APIs"). */

/** What a peer may ask for. */
const actions = ['SDP_OFFER', 'SDP_ANSWER', 'ICE_CANDIDATE'] as const;

/** Kind of a message, both ways. */
export type MessageKind = (typeof actions)[number];

/** A message that obeys the rules. */
export interface PeerMessage {
  readonly kind: MessageKind;
  /** Only masters address their messages. */
  readonly recipientClientId: string | undefined;
  /** Base64; passed on unchanged and unread. */
  readonly payload: string;
  readonly correlationId: string | undefined;
}

/** What is answered to a message that does not. */
export interface Refusal {
  readonly correlationId: string | undefined;
  readonly errorType: string;
  readonly statusCode: number;
  readonly description: string;
}

/** What {@link parseMessage} finds. */
export type ParsedMessage =
  { readonly message: PeerMessage } | { readonly refusal: Refusal | undefined };

const idPattern = /^[a-zA-Z0-9_.-]{1,256}$/;

/**
 * Reads a text frame. The SDKs for JavaScript and C spell the members differently, so case does
 * not count; unknown members do not either. Text that is no object cannot be answered.
 */
export function parseMessage(text: string, maxPayloadLength: number): ParsedMessage {
  const members = readMembers(text);
  if (members === undefined) return { refusal: undefined };
  const correlationId = nonEmpty(members.get('correlationid'));
  const refuse = (description: string): ParsedMessage => ({
    refusal: {
      correlationId:
        correlationId !== undefined && idPattern.test(correlationId) ? correlationId : undefined,
      errorType: 'InvalidArgumentException',
      statusCode: 400,
      description,
    },
  });
  if (correlationId !== undefined && !idPattern.test(correlationId)) {
    return refuse('correlationId is not valid');
  }
  const kind = actions.find((action) => action === members.get('action'));
  if (kind === undefined) return refuse('action is not one of the supported ones');
  const payload = nonEmpty(members.get('messagepayload'));
  if (payload === undefined) return refuse('messagePayload is missing');
  if (payload.length > maxPayloadLength) {
    return refuse(`messagePayload is longer than ${maxPayloadLength} characters`);
  }
  const recipientClientId = nonEmpty(members.get('recipientclientid'));
  return { message: { kind, recipientClientId, payload, correlationId } };
}

/** A message as the recipient gets it. Only masters are told who sent it. */
export function deliveryText(
  kind: MessageKind,
  payload: string,
  senderClientId: string | undefined,
): string {
  return JSON.stringify({ messagePayload: payload, messageType: kind, senderClientId });
}

/** The answer to a refused message; the status is a string on the wire. */
export function statusText({ correlationId, errorType, statusCode, description }: Refusal): string {
  return JSON.stringify({
    messageType: 'STATUS_RESPONSE',
    statusResponse: { correlationId, errorType, statusCode: String(statusCode), description },
  });
}

/** A message that has nothing but a type. */
export function noticeText(messageType: 'GO_AWAY' | 'RECONNECT_ICE_SERVER'): string {
  return JSON.stringify({ messageType });
}

function readMembers(text: string): Map<string, unknown> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return new Map(Object.entries(value).map(([name, member]) => [name.toLowerCase(), member]));
}

function nonEmpty(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
