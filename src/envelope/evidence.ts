/**
 * Evidence: a signed envelope with the session and parties that its signature covers, as both sides archive it.
 * It holds no key and no document body. spec/envelope.md, "Evidence".
 */

import { MunimentError } from '../errors.ts';
import type { Credential } from '../keys/index.ts';
import { equalBytes, tuple, TupleReader } from '../wire/index.ts';
import { decodeEnvelope, encodeEnvelope } from './codec.ts';
import type { Envelope, MessageType } from './model.ts';
import { verifyEnvelope, type RequestDigests, type SigningContext, type VerifiedEnvelope } from './sign.ts';

/** `T("muniment/1 evidence", sessionId, Id_from, Id_to, envelope bytes)`. */
export function encodeEvidence(envelope: Envelope, context: SigningContext): Uint8Array {
  return tuple('evidence', context.sessionId, context.from, context.to, encodeEnvelope(envelope));
}

/**
 * Verifies archived evidence and returns its content.
 *
 * @param evidence - what {@link encodeEvidence} made
 * @param expected - the kind, its author, its receiver's Id, and for a reply the digests of the request
 * @throws `MunimentError` `ENVELOPE_SIGNATURE` if it is not that author's, to that receiver; `WIRE_TUPLE`, `ENVELOPE_GRAMMAR`, `ENVELOPE_LIMIT` if malformed
 */
export function verifyEvidence(
  evidence: Uint8Array,
  expected: {
    readonly type: MessageType;
    readonly author: Credential;
    readonly to: Uint8Array;
    readonly answers: RequestDigests | null;
  },
): VerifiedEnvelope {
  const reader = TupleReader.labelled(evidence, 'evidence');
  const [sessionId, from, to] = [reader.bytes(32), reader.bytes(32), reader.bytes(32)];
  const envelope = decodeEnvelope(reader.bytes());
  reader.end();
  if (!equalBytes(to, expected.to)) throw new MunimentError('ENVELOPE_SIGNATURE');
  const context = { sessionId, from, to, answers: expected.answers };
  return verifyEnvelope(envelope, { type: expected.type, author: expected.author, context });
}
