/** Transcript hashes and keys of NSL-KEM/1. spec/protocol.md, "Key schedule". */

import { deriveTuple, hashTuple, hkdfExtract, hmac, kem, KEM_XWING, type KemId } from '../crypto/index.ts';
import { suite, type KemPublicKey } from '../keys/index.ts';
import { concat, tuple } from '../wire/index.ts';
import type { Binding } from './state.ts';

/** The context under which both exporter secrets x1 and x2 are taken from HPKE. */
export const EXPORT_CONTEXT = tuple('x');

/** `info` of the handshake's three encryptions: receiver's suite and binding, then the names and transcript so far. */
export function handshakeInfo(
  step: 1 | 2 | 3,
  receiver: KemPublicKey,
  binding: Binding,
  ...transcript: readonly Uint8Array[]
): Uint8Array {
  return tuple(`nsl m${String(step)}`, suite(receiver.kem, binding.kind), ...transcript);
}

/** `th1`. */
export function firstTranscript(
  header1: Uint8Array,
  encapsulation: Uint8Array,
  ciphertext: Uint8Array,
  plaintext: Uint8Array,
  gatewayId: Uint8Array,
  binding: Binding,
): Uint8Array {
  return hashTuple('th1', header1, encapsulation, ciphertext, plaintext, gatewayId, binding.value);
}

/** `th2`. */
export function secondTranscript(
  th1: Uint8Array,
  header2: Uint8Array,
  encapsulation: Uint8Array,
  core2: Uint8Array,
): Uint8Array {
  return hashTuple('th2', th1, header2, encapsulation, core2);
}

/** The keys of one session, and what of it is archived. */
export interface SessionKeys {
  /** The bank's confirmation, in message 2. */
  readonly confirmGateway: Uint8Array;
  /** The user's confirmation, in message 3. */
  readonly confirmUser: Uint8Array;
  readonly dataToGateway: Uint8Array;
  readonly dataToUser: Uint8Array;
  /** Public and archived. */
  readonly sessionId: Uint8Array;
}

/** Derives the session's keys from the five secrets, each 32 bytes: ss_e, x1, x2, Ni, Ng. */
export function sessionKeys(th2: Uint8Array, secrets: readonly Uint8Array[]): SessionKeys {
  const prk = hkdfExtract(th2, concat(...secrets));
  const key = (label: string): Uint8Array => deriveTuple(prk, 'key', label, th2);
  return {
    confirmGateway: hmac(key('confirm g'), th2),
    confirmUser: hmac(key('confirm u'), th2),
    dataToGateway: key('data u2g'),
    dataToUser: key('data g2u'),
    sessionId: key('session id'),
  };
}

/** The KEM of the ephemeral key: X-Wing if either identity is post-quantum, so that there is nothing to strip. */
export function ephemeralKem(user: KemPublicKey, gateway: KemPublicKey): KemId {
  return [user, gateway].some((party) => kem(party.kem).postQuantum) ? KEM_XWING : user.kem;
}
