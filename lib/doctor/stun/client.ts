/** Asks a STUN server for our address, and a TURN server for a relay. */
import {
  StunAttribute,
  StunType,
  longTermKey,
  newTransactionId,
  readError,
  readXorAddress,
  valueOf,
} from './message.js';
import type { Attribute, StunMessage } from './message.js';
import { openTransport } from './transport.js';
import type { StunServer, StunTransport } from './transport.js';

/** A TURN server answered, and made no allocation. */
export class TurnRefusal extends Error {
  override readonly name = 'TurnRefusal';
  /** STUN error code (RFC 8656, 19), such as 401 or 486. */
  readonly code: number;

  constructor(code: number, reason: string) {
    super(`${code} ${reason}`.trim());
    this.code = code;
  }
}

/** Credentials of a TURN server. Secret. */
export interface TurnCredentials {
  readonly username: string;
  readonly password: string;
}

/** Protocol number of UDP, what is relayed. */
const relayedProtocol = 17;
/** The server asks for credentials, or for them with a new nonce. */
const unauthorized = 401;
const staleNonce = 438;

/**
 * A binding (RFC 8489, 2).
 *
 * @returns this side's address, as the server sees it
 * @throws when the way to it breaks, or with the reason of `signal`
 */
export async function stunBinding(server: StunServer, signal: AbortSignal): Promise<string> {
  using transport = await openTransport(server, signal);
  const transactionId = newTransactionId();
  const request = { type: StunType.bindingRequest, transactionId, attributes: [] };
  const answer = await transport.ask(request, signal);
  const mapped = valueOf(answer, StunAttribute.xorMappedAddress);
  const address = mapped === undefined ? undefined : readXorAddress(mapped, transactionId);
  return address ?? 'an address that it does not tell';
}

/**
 * An allocation (RFC 8656, 7), which is given back at once.
 *
 * @throws {@link TurnRefusal}; else as {@link stunBinding}
 */
export async function turnAllocation(
  server: StunServer,
  credentials: TurnCredentials,
  signal: AbortSignal,
): Promise<void> {
  using transport = await openTransport(server, signal);
  let session: Session | undefined;
  // First without credentials, then with them, and once more when their nonce has become stale.
  for (let round = 0; round < 3; round++) {
    const challenge = await allocate(transport, session, signal);
    if (challenge === undefined) {
      if (session !== undefined) release(transport, session);
      return;
    }
    session = sessionOf(challenge, credentials);
  }
  throw new TurnRefusal(staleNonce, 'Stale Nonce, again and again');
}

/** What proves to a server who we are. */
interface Session {
  readonly key: Buffer;
  readonly attributes: readonly Attribute[];
}

/** @returns undefined when there is an allocation, else the server's wish for credentials */
async function allocate(
  transport: StunTransport,
  session: Session | undefined,
  signal: AbortSignal,
): Promise<StunMessage | undefined> {
  const answer = await transport.ask(
    {
      type: StunType.allocateRequest,
      transactionId: newTransactionId(),
      attributes: [
        { type: StunAttribute.requestedTransport, value: Buffer.from([relayedProtocol, 0, 0, 0]) },
        ...(session?.attributes ?? []),
      ],
      ...(session === undefined ? {} : { key: session.key }),
    },
    signal,
  );
  if (answer.type === StunType.allocateSuccess) return undefined;
  const { code, reason } = errorOf(answer);
  const mayAskAgain = session === undefined ? code === unauthorized : code === staleNonce;
  if (!mayAskAgain) throw new TurnRefusal(code, reason);
  return answer;
}

function sessionOf(challenge: StunMessage, { username, password }: TurnCredentials): Session {
  const realm = valueOf(challenge, StunAttribute.realm) ?? Buffer.alloc(0);
  const nonce = valueOf(challenge, StunAttribute.nonce) ?? Buffer.alloc(0);
  return {
    key: longTermKey(username, realm.toString('utf8'), password),
    attributes: [
      { type: StunAttribute.username, value: Buffer.from(username) },
      { type: StunAttribute.realm, value: realm },
      { type: StunAttribute.nonce, value: nonce },
    ],
  };
}

/** A refresh with no lifetime gives an allocation back (RFC 8656, 7.3). */
function release(transport: StunTransport, { key, attributes }: Session): void {
  transport.tell({
    type: StunType.refreshRequest,
    transactionId: newTransactionId(),
    attributes: [{ type: StunAttribute.lifetime, value: Buffer.alloc(4) }, ...attributes],
    key,
  });
}

function errorOf(answer: StunMessage): { readonly code: number; readonly reason: string } {
  const value = valueOf(answer, StunAttribute.errorCode);
  return value === undefined ? { code: 0, reason: 'no STUN error code' } : readError(value);
}
