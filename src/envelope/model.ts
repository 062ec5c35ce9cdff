/** The envelope's model: what the seed's XML message says, typed, and the tuple that signatures cover. spec/envelope.md, "Model". */

import { tuple } from '../wire/index.ts';

/** The five messages of a conversation, in order: three of the handshake, a request, a reply. */
export const MESSAGE_TYPES = ['nsl-1', 'nsl-2', 'nsl-3', 'request', 'reply'] as const;
/** `tipus-msg`: the kind of a message. */
export type MessageType = (typeof MESSAGE_TYPES)[number];

/** Bytes of a session's public handle. */
export const HANDLE_LENGTH = 16;

/** `capcalera`: the header, its fields in the order of the document. */
export interface Header {
  /** `tipus-msg`. Fixes `pas`, the step: 1 to 5. */
  readonly type: MessageType;
  /** `id-remitent`: who sends. A party's Id (32 bytes) in a signed envelope, a handle (16 bytes) outside. */
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

/** A message: header and body (`cos`). */
export interface Envelope {
  readonly header: Header;
  /** `dades`: base64url in the handshake and around a session's ciphertext, JSON text in a signed envelope. */
  readonly data: string;
  /** `signatura`: 64 bytes in a signed envelope, otherwise `null` and no such element. */
  readonly signature: Uint8Array | null;
}

/** `pas`: the number of a message in its conversation, from 1. */
export function stepOf(type: MessageType): number {
  return MESSAGE_TYPES.indexOf(type) + 1;
}

/** `header = T("muniment/1 header", …)` over exactly the header's eight fields; what is absent is an empty part. */
export function headerTuple(header: Header): Uint8Array {
  return tuple(
    'header',
    header.type,
    header.sender,
    header.timestamp,
    stepOf(header.type),
    header.n1,
    header.timestamp1,
    header.n2 ?? '',
    header.timestamp2 ?? '',
  );
}
