/**
 * Evidence: a signed envelope with the session and parties that its signature covers, as both sides archive it.
 * It holds no key and no document body. spec/envelope.md, "Evidence".
 */

import { MunimentError } from '../errors.ts';
import { equalBytes, tuple, TupleReader } from '../wire/index.ts';
import { decodeEnvelope, encodeEnvelope } from './codec.ts';
import { SignedEnvelope, type SignedType } from './model.ts';
import {
  verifyEnvelope,
  type EnvelopeDigests,
  type Expected,
  type SigningContext,
  type VerifiedEnvelope,
} from './sign.ts';

/** What archived evidence must be: as of an envelope, but the session is the one that the evidence states. */
export interface ExpectedEvidence<Type extends SignedType> extends Omit<Expected<Type>, 'context'> {
  /** Id of the party that it is for. */
  readonly to: Uint8Array;
  /** For a reply the digests of the request that it answers; for a request `null`. */
  readonly answers: EnvelopeDigests | null;
}

/** `T("muniment/1 evidence", sessionId, Id_from, Id_to, envelope bytes)`. */
export function encodeEvidence(envelope: SignedEnvelope, context: SigningContext): Uint8Array {
  return tuple('evidence', context.sessionId, context.from, context.to, encodeEnvelope(envelope));
}

/**
 * Verifies archived evidence and returns its content.
 *
 * @param evidence - what {@link encodeEvidence} made
 * @param expected - the kind, its author, its receiver's Id, when it was made, and for a reply the digests of the request
 * @throws `MunimentError` `ENVELOPE_SIGNATURE` if it is not that author's, to that receiver; `ENVELOPE_TIME`; `WIRE_TUPLE`, `ENVELOPE_GRAMMAR`, `ENVELOPE_LIMIT` if malformed
 */
export function verifyEvidence<Type extends SignedType>(
  evidence: Uint8Array,
  expected: ExpectedEvidence<Type>,
): VerifiedEnvelope<Type> {
  const reader = TupleReader.labelled(evidence, 'evidence');
  const [sessionId, from, to] = [reader.bytes(32), reader.bytes(32), reader.bytes(32)];
  const envelope = decodeEnvelope(reader.bytes());
  reader.end();
  if (!(envelope instanceof SignedEnvelope) || !equalBytes(to, expected.to))
    throw new MunimentError('ENVELOPE_SIGNATURE');
  return verifyEnvelope(envelope, {
    ...expected,
    context: { sessionId, from, to, answers: expected.answers },
  });
}
