/** The plaintexts of the handshake's messages and of a session's two, and how each lies in its envelope. spec/protocol.md, "Messages". */

import {
  kem,
  openOnce,
  sealOnce,
  TAG_LENGTH,
  type HpkeSealed,
  type KemId,
  type Random,
} from '../crypto/index.ts';
import {
  decodeEnvelope,
  decodeSealed,
  encodeEnvelope,
  HANDLE_LENGTH,
  headerTuple,
  SignedEnvelope,
  type Header,
  type MessageType,
  type SealedEnvelope,
  type TimeWindow,
} from '../envelope/index.ts';
import { MunimentError } from '../errors.ts';
import { CREDENTIAL_LIMIT, readKemPublicKey, type KemPublicKey } from '../keys/index.ts';
import { concat, equalBytes, pad, tuple, TupleReader, unpad } from '../wire/index.ts';
import { CLOCK_WINDOW, DOCUMENTS_LIMIT, FIRST_BUCKET, HANDSHAKE_LIMIT, NONCE_LENGTH } from './constants.ts';

/** Message 1: who calls, a nonce, an ephemeral public key. */
export interface First {
  readonly credential: Uint8Array;
  readonly nonce: Uint8Array;
  readonly ephemeral: KemPublicKey;
}

/** `pt1`. */
export function encodeFirst(first: First): Uint8Array {
  const { kem: kemId, publicKey } = first.ephemeral;
  return pad(tuple('m1', first.credential, first.nonce, kemId, publicKey), FIRST_BUCKET);
}

/** Reads `pt1`. */
export function decodeFirst(plaintext: Uint8Array): First {
  const reader = TupleReader.labelled(unpad(plaintext, FIRST_BUCKET), 'm1');
  const credential = reader.bytes();
  if (credential.length > CREDENTIAL_LIMIT) throw new MunimentError('WIRE_LIMIT');
  const first = { credential, nonce: reader.bytes(NONCE_LENGTH), ephemeral: readKemPublicKey(reader) };
  reader.end();
  return first;
}

/** Message 2 without its confirmation: both nonces, who answers, and the ephemeral encapsulation. */
export interface Second {
  readonly userNonce: Uint8Array;
  readonly gatewayNonce: Uint8Array;
  readonly gatewayId: Uint8Array;
  readonly encapsulation: Uint8Array;
}

/** `core2`. */
export function encodeSecond(second: Second): Uint8Array {
  return tuple('m2', second.userNonce, second.gatewayNonce, second.gatewayId, second.encapsulation);
}

/** `pt2`. */
export function encodeConfirmed(core2: Uint8Array, confirmation: Uint8Array): Uint8Array {
  return tuple('m2 confirmed', core2, confirmation);
}

/** Reads `pt2`. */
export function decodeConfirmed(plaintext: Uint8Array): {
  second: Second;
  core2: Uint8Array;
  confirmation: Uint8Array;
} {
  const outer = TupleReader.labelled(plaintext, 'm2 confirmed');
  const [core2, confirmation] = [outer.bytes(), outer.bytes(32)];
  outer.end();
  const reader = TupleReader.labelled(core2, 'm2');
  const second = {
    userNonce: reader.bytes(NONCE_LENGTH),
    gatewayNonce: reader.bytes(NONCE_LENGTH),
    gatewayId: reader.bytes(32),
    encapsulation: reader.bytes(),
  };
  reader.end();
  return { second, core2, confirmation };
}

/** `pt3`. */
export function encodeThird(gatewayNonce: Uint8Array, confirmation: Uint8Array): Uint8Array {
  return tuple('m3', gatewayNonce, confirmation);
}

/** Reads `pt3`. */
export function decodeThird(plaintext: Uint8Array): { gatewayNonce: Uint8Array; confirmation: Uint8Array } {
  const reader = TupleReader.labelled(plaintext, 'm3');
  const third = { gatewayNonce: reader.bytes(NONCE_LENGTH), confirmation: reader.bytes(32) };
  reader.end();
  return third;
}

/** Writes a handshake envelope: its ciphertext is `enc ‖ c`. */
export function encodeHandshake(header: Header, sealed: HpkeSealed): Uint8Array {
  return encodeEnvelope({ header, ciphertext: concat(sealed.encapsulation, sealed.ciphertext) });
}

/** Lengths of the plaintexts; of the second one for the KEM of the ephemeral key. */
export const PLAINTEXT_LENGTHS = {
  first: FIRST_BUCKET,
  second: (ephemeral: KemId): number => {
    const zeros = new Uint8Array(NONCE_LENGTH);
    const encapsulation = new Uint8Array(kem(ephemeral).encapsulationLength);
    const core2 = encodeSecond({ userNonce: zeros, gatewayNonce: zeros, gatewayId: zeros, encapsulation });
    return encodeConfirmed(core2, zeros).length;
  },
  third: encodeThird(new Uint8Array(NONCE_LENGTH), new Uint8Array(32)).length,
};

/** The two halves of a handshake envelope's ciphertext, for a receiver's KEM and a plaintext of this length. */
export function splitHandshake(
  { ciphertext }: SealedEnvelope,
  receiver: KemId,
  plaintextLength: number,
): HpkeSealed {
  const length = kem(receiver).encapsulationLength;
  if (ciphertext.length !== length + plaintextLength + TAG_LENGTH) throw new MunimentError('SESSION_MESSAGE');
  return { encapsulation: ciphertext.slice(0, length), ciphertext: ciphertext.slice(length) };
}

/** A signed envelope and the documents beside it. */
export interface SessionMessage {
  readonly envelope: SignedEnvelope;
  readonly documents: readonly Uint8Array[];
}

/** Seals a signed envelope and its documents under a session key, bound to the outer header. */
export function sealMessage(
  key: Uint8Array,
  outer: Header,
  message: SessionMessage,
  random: Random,
): Uint8Array {
  const plaintext = tuple('message', encodeEnvelope(message.envelope), message.documents);
  return encodeEnvelope({ header: outer, ciphertext: sealOnce(key, headerTuple(outer), plaintext, random) });
}

/** Opens what {@link sealMessage} made: `dades` of message 4 or 5. */
export function openSealed(key: Uint8Array, outer: SealedEnvelope): Uint8Array {
  return openOnce(key, headerTuple(outer.header), outer.ciphertext);
}

/** Reads what was sealed; the inner header must equal the outer one but for the sender. */
export function readMessage(plaintext: Uint8Array, outer: Header, sender: Uint8Array): SessionMessage {
  const reader = TupleReader.labelled(plaintext, 'message');
  const envelope = decodeEnvelope(reader.bytes());
  const documents = reader.list(DOCUMENTS_LIMIT, (part) => part.bytes());
  reader.end();
  if (!(envelope instanceof SignedEnvelope) || !sameHeader(envelope.header, { ...outer, sender }))
    throw new MunimentError('SESSION_MESSAGE');
  return { envelope, documents };
}

/** The handles and their times that all messages of a session repeat. */
export type Context = Pick<Header, 'n1' | 'timestamp1' | 'n2' | 'timestamp2'>;

/**
 * Decodes an outer envelope and holds its header against what it must be: type, sender's handle, the session's
 * handles and times as far as they are known, and the clock window.
 */
export function receive(
  bytes: Uint8Array,
  now: number,
  expected: { readonly type: MessageType; readonly sender: 'n1' | 'n2'; readonly context: Partial<Context> },
): SealedEnvelope {
  if (expected.type.startsWith('nsl-') && bytes.length > HANDSHAKE_LIMIT)
    throw new MunimentError('WIRE_LIMIT');
  const envelope = decodeSealed(bytes);
  const { header } = envelope;
  const { n1, timestamp1, n2, timestamp2 } = { ...header, ...expected.context };
  const same: Header = {
    ...header,
    type: expected.type,
    n1,
    timestamp1,
    n2,
    timestamp2,
    sender: header[expected.sender] ?? NO_HANDLE,
  };
  if (!sameHeader(header, same)) throw new MunimentError('SESSION_MESSAGE');
  if (!isNear(header.timestamp, now)) throw new MunimentError('SESSION_REPLAY');
  return envelope;
}

/** Whether two headers have one header tuple. */
function sameHeader(a: Header, b: Header): boolean {
  return (
    a.type === b.type &&
    a.timestamp === b.timestamp &&
    a.timestamp1 === b.timestamp1 &&
    a.timestamp2 === b.timestamp2 &&
    equalBytes(a.sender, b.sender) &&
    equalBytes(a.n1, b.n1) &&
    equalBytes(a.n2 ?? NOTHING, b.n2 ?? NOTHING)
  );
}

/** Whether a time lies in {@link clockWindow}; near a clock that shows no time, none does. */
export function isNear(time: number, now: number): boolean {
  const { notBefore, notAfter } = clockWindow(now);
  return time >= notBefore && time <= notAfter;
}

/** The times that are near enough to a clock: {@link CLOCK_WINDOW} to either side. */
export function clockWindow(now: number): TimeWindow {
  return { notBefore: now - CLOCK_WINDOW, notAfter: now + CLOCK_WINDOW };
}

const NO_HANDLE = new Uint8Array(HANDLE_LENGTH);
const NOTHING = new Uint8Array(0);
