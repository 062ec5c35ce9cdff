/**
 * Signed envelopes: the evidence of who asked and who answered. The signature covers session, both identities, the
 * whole header and the data, through the tuple encoder and never as XML. spec/envelope.md, "Signature".
 */

import { sha256 } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { verifySignature, type Credential, type Signer } from '../keys/index.ts';
import { equalBytes, tuple, utf8 } from '../wire/index.ts';
import { headerTuple, type Envelope, type Header, type MessageType } from './model.ts';

/** What both sides know of a signed envelope beside its text. */
export interface SigningContext {
  /** The session's id, 32 bytes. */
  readonly sessionId: Uint8Array;
  /** Id of the signer. */
  readonly from: Uint8Array;
  /** Id of the party that it is for. */
  readonly to: Uint8Array;
  /** For a reply the digests of the request that it answers; for a request `null`. */
  readonly answers: RequestDigests | null;
}

/** What stands for a request in its reply and its receipt. */
export interface RequestDigests {
  /** `H(dades)` of the request. */
  readonly data: Uint8Array;
  /** `H(signatura)` of the request. */
  readonly signature: Uint8Array;
}

/** The content of an envelope whose signature was verified. */
export interface VerifiedEnvelope {
  readonly header: Header;
  /** The signed text. */
  readonly data: string;
  /** Who signed. */
  readonly author: Credential;
  /** The digests by which a reply and a receipt name this envelope. */
  readonly digests: RequestDigests;
}

/**
 * Signs a request or a reply.
 *
 * @param signer - the sender's signing key
 * @param envelope - header (whose sender must be the signer's Id) and data
 * @param context - session, parties, and for a reply the request's digests
 * @throws `RangeError` if header and context contradict each other
 */
export async function signEnvelope(
  signer: Signer,
  envelope: { readonly header: Header; readonly data: string },
  context: SigningContext,
): Promise<Envelope> {
  if (!equalBytes(envelope.header.sender, context.from)) throw new RangeError('the sender is not the signer');
  const signature = await signer.sign(signedBytes(envelope, context));
  return { header: envelope.header, data: envelope.data, signature };
}

/**
 * Verifies a signed envelope and returns its content: the only way from a received envelope to its data.
 *
 * @param envelope - a decoded envelope
 * @param expected - the kind it must be, who must have signed it, and the context it must have been signed in
 * @throws `MunimentError` `ENVELOPE_SIGNATURE` for every cause
 */
export function verifyEnvelope(
  envelope: Envelope,
  expected: { readonly type: MessageType; readonly author: Credential; readonly context: SigningContext },
): VerifiedEnvelope {
  const { header, data, signature } = envelope;
  const { author, context } = expected;
  const fits =
    header.type === expected.type &&
    equalBytes(author.id, context.from) &&
    equalBytes(header.sender, context.from);
  if (!fits || signature === null) throw new MunimentError('ENVELOPE_SIGNATURE');
  try {
    verifySignature(author.signing, signedBytes(envelope, context), signature);
  } catch (cause) {
    throw new MunimentError('ENVELOPE_SIGNATURE', undefined, { cause });
  }
  return { header, data, author, digests: { data: sha256(utf8(data)), signature: sha256(signature) } };
}

function signedBytes(envelope: Pick<Envelope, 'header' | 'data'>, context: SigningContext): Uint8Array {
  const { sessionId, from, to, answers } = context;
  const header = headerTuple(envelope.header);
  const digest = sha256(utf8(envelope.data));
  if ((envelope.header.type === 'reply') !== (answers !== null))
    throw new RangeError('a reply, and only a reply, answers');
  return answers === null
    ? tuple('request', sessionId, from, to, header, digest)
    : tuple('reply', sessionId, from, to, header, answers.data, answers.signature, digest);
}
