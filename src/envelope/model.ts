/**
 * The envelope's model: what the seed's XML message says, typed, and the tuple that signatures cover. An envelope is
 * one of two things: sealed, ciphertext under public handles; or signed, the evidence of who asked and who answered.
 * spec/envelope.md, "Model".
 */

import { SIGNATURE_LENGTHS } from '../crypto/index.ts';
import { copyBytes, encodeItems, LABEL_PREFIX, type TupleItem } from '../wire/index.ts';

/** The five messages of a conversation, in order: three of the handshake, a request, a reply. */
export const MESSAGE_TYPES = ['nsl-1', 'nsl-2', 'nsl-3', 'request', 'reply'] as const;
/** `tipus-msg`: the kind of a message. */
export type MessageType = (typeof MESSAGE_TYPES)[number];
/** The kinds that are signed. */
export type SignedType = 'request' | 'reply';

/** Bytes of a session's public handle. */
export const HANDLE_LENGTH = 16;
/** Bytes of a party's Id. */
export const ID_LENGTH = 32;
/** The last millisecond that a document can state. */
export const MAX_TIME = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** `capcalera`: the header, its fields in the order of the document. */
export interface Header<Type extends MessageType = MessageType> {
  /** `tipus-msg`. Fixes `pas`, the step: 1 to 5. */
  readonly type: Type;
  /** `id-remitent`: who sends. A handle (16 bytes) in a sealed envelope, a party's Id (32 bytes) in a signed one. */
  readonly sender: Uint8Array;
  /** `timestamp`: when this message was made, in milliseconds since 1970. */
  readonly timestamp: number;
  /** `n1`: the public handle that the user chose, 16 bytes. */
  readonly n1: Uint8Array;
  /** `timestamp1`: when `n1` was chosen. */
  readonly timestamp1: number;
  /** `n2`: the public handle that the bank chose, 16 bytes; `null` in the first message. */
  readonly n2: Uint8Array | null;
  /** `timestamp2`: when `n2` was chosen; `null` in the first message. */
  readonly timestamp2: number | null;
}

/** A message, sealed or signed. */
export type Envelope = SealedEnvelope | SignedEnvelope;

/** What travels: its data (`dades`) are the base64url of a ciphertext, and there is no `signatura`. */
export interface SealedEnvelope {
  readonly header: Header;
  /** Any length. It says nothing until a key opens it. */
  readonly ciphertext: Uint8Array;
}

let reveal: (envelope: SignedEnvelope) => string;

/**
 * A request or a reply with its signature, which nobody has verified yet: its data do not show until
 * `verifyEnvelope` hands them out.
 *
 * @throws `RangeError` for a header or a signature that no signed document states
 */
export class SignedEnvelope {
  readonly header: Header<SignedType>;
  /** `signatura`: of a length that some signature algorithm has. */
  readonly signature: Uint8Array;
  readonly #data: string;

  static {
    reveal = (envelope) => envelope.#data;
  }

  /** Puts together what was signed elsewhere (`signEnvelope` signs) and takes it over: the caller gives up its arrays. */
  constructor(header: Header<SignedType>, data: string, signature: Uint8Array) {
    checkHeader(header, ID_LENGTH);
    if (!SIGNATURE_LENGTHS.includes(signature.length))
      throw new RangeError('a signature has a length that no algorithm gives');
    this.header = header;
    this.signature = signature;
    this.#data = data;
  }
}

/**
 * The data of an envelope whose signature was not verified: for diagnostics, and for nothing that anybody acts on.
 * Anyone may have written them.
 */
export function readUnverifiedData(envelope: SignedEnvelope): string {
  return reveal(envelope);
}

/** `pas`: the number of a message in its conversation, from 1. */
export function stepOf(type: MessageType): number {
  return MESSAGE_TYPES.indexOf(type) + 1;
}

/** Whether a kind of message is ever signed. */
export function isSignedType(type: MessageType): type is SignedType {
  return type === 'request' || type === 'reply';
}

/** `header = T("muniment/1 header", …)` over exactly the header's eight fields; what is absent is an empty part. */
export function headerTuple(header: Header): Uint8Array {
  return encodeItems(headerItems(header));
}

const HEADER_LABEL = `${LABEL_PREFIX}header`;

/** The same as an item of another tuple, which it stands in as it would stand alone: a list that begins with its label. */
export function headerItems(header: Header): readonly TupleItem[] {
  return [
    HEADER_LABEL,
    header.type,
    header.sender,
    header.timestamp,
    stepOf(header.type),
    header.n1,
    header.timestamp1,
    header.n2 ?? '',
    header.timestamp2 ?? '',
  ];
}

/** A header that nobody else can write to. */
export function copyHeader<Type extends MessageType>(header: Header<Type>): Header<Type> {
  const { sender, n1, n2 } = header;
  return {
    ...header,
    sender: copyBytes(sender),
    n1: copyBytes(n1),
    n2: n2 === null ? null : copyBytes(n2),
  };
}

/** Refuses a header that the decoder would refuse. */
export function checkHeader(header: Header, senderLength: number): void {
  const { type, sender, timestamp, n1, timestamp1, n2, timestamp2 } = header;
  const first = type === 'nsl-1';
  if (!MESSAGE_TYPES.includes(type)) throw new RangeError('no message is of this type');
  if (senderLength === ID_LENGTH && !isSignedType(type))
    throw new RangeError('a message of the handshake is not signed');
  if (sender.length !== senderLength)
    throw new RangeError('the sender is an Id of 32 bytes if signed, else a handle of 16');
  if (n1.length !== HANDLE_LENGTH) throw new RangeError('n1 is 16 bytes');
  if (first !== (n2 === null) || first !== (timestamp2 === null))
    throw new RangeError('n2 and timestamp2 are null in the first message and only there');
  if (n2 !== null && n2.length !== HANDLE_LENGTH) throw new RangeError('n2 is 16 bytes');
  for (const time of [timestamp, timestamp1, timestamp2 ?? 0])
    if (!Number.isSafeInteger(time) || time < 0 || time > MAX_TIME)
      throw new RangeError('a time is a whole millisecond from 1970 to 9999');
}
