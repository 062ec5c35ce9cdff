/**
 * Signed envelopes: the evidence of who asked and who answered. The signature covers session, both identities, the
 * whole header and the data, through the tuple encoder and never as XML. spec/envelope.md, "Signature".
 */

import { sha256 } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { verifySignature, type Credential, type Signer } from '../keys/index.ts';
import { equalBytes, tuple, utf8 } from '../wire/index.ts';
import {
  checkHeader,
  copyHeader,
  headerItems,
  ID_LENGTH,
  readUnverifiedData,
  SignedEnvelope,
  type Header,
  type SignedType,
} from './model.ts';

/** What both sides know of a signed envelope beside its text. */
export interface SigningContext {
  /** The session's id, 32 bytes. */
  readonly sessionId: Uint8Array;
  /** Id of the signer. */
  readonly from: Uint8Array;
  /** Id of the party that it is for. */
  readonly to: Uint8Array;
  /** For a reply the digests of the request that it answers; for a request `null`. */
  readonly answers: EnvelopeDigests | null;
}

/** What stands for a signed envelope elsewhere: for a request in its reply and its receipt. */
export interface EnvelopeDigests {
  /** `H(dades)`, 32 bytes. */
  readonly data: Uint8Array;
  /** `H(signatura)`, 32 bytes. */
  readonly signature: Uint8Array;
}

/** When a message may have been made: numbers in milliseconds since 1970, both ends included, the first not after the second. */
export interface TimeWindow {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** What an envelope must be to be believed. Nothing of it is optional. */
export interface Expected<Type extends SignedType> {
  /** The kind of message. */
  readonly type: Type;
  /** Who must have signed: a credential that was verified. */
  readonly author: Credential;
  /** The session and parties that it must have been signed in. */
  readonly context: SigningContext;
  /** Where its own time must lie: around the verifier's clock, or around the time that it was archived under. */
  readonly time: TimeWindow;
}

/** The content of an envelope whose signature was verified. */
export interface VerifiedEnvelope<Type extends SignedType = SignedType> {
  readonly header: Header<Type>;
  /** The signed text. */
  readonly data: string;
  /** Who signed. */
  readonly author: Credential;
  /** The digests by which a reply and a receipt name this envelope. */
  readonly digests: EnvelopeDigests;
}

/**
 * Signs a request or a reply.
 *
 * @param signer - the sender's signing key
 * @param envelope - header (whose sender must be `context.from`) and data; that the key is that sender's own only verifying shows
 * @param context - session, parties, and for a reply the request's digests
 * @throws `RangeError` if header and context contradict each other
 */
export async function signEnvelope(
  signer: Signer,
  envelope: { readonly header: Header<SignedType>; readonly data: string },
  context: SigningContext,
): Promise<SignedEnvelope> {
  const header = copyHeader(envelope.header); // the caller's may change while a card signs
  const { data } = envelope;
  checkHeader(header, ID_LENGTH);
  if (!equalBytes(header.sender, context.from)) throw new RangeError('the sender is not context.from');
  const signature = await signer.sign(signedBytes(header, sha256(utf8(data)), context));
  return new SignedEnvelope(header, data, signature);
}

/**
 * Verifies a signed envelope and returns its content: the only way from a received envelope to its data.
 *
 * @param envelope - a decoded envelope
 * @param expected - the kind it must be, who must have signed it, the context it must have been signed in, and when
 * @throws `MunimentError` `ENVELOPE_SIGNATURE` for every cause but the time; `ENVELOPE_TIME` if it is genuine and was made at another time;
 * `RangeError` if a reply is given no request's digests, or a request is
 * @example
 * ```ts
 * import { systemRandom } from 'muniment/crypto';
 * import { decodeEnvelope, encodeEnvelope, signEnvelope, SignedEnvelope, verifyEnvelope } from 'muniment/envelope';
 * import { createAnchor } from 'muniment/keys';
 * const valid = { notBefore: 0, notAfter: 4e12 };
 * const doctor = await createAnchor({ subject: 'Dr. Ruiz', roles: ['doctor'], ...valid });
 * const bank = await createAnchor({ subject: 'bank', roles: ['bank'], ...valid });
 * const [from, to] = [doctor.credential.id, bank.credential.id];
 * const context = { sessionId: systemRandom(32), from, to, answers: null };
 * const now = Date.now();
 * const handles = { n1: systemRandom(16), timestamp1: now, n2: systemRandom(16), timestamp2: now };
 * const header = { type: 'request', sender: from, timestamp: now, ...handles } as const;
 * const bytes = encodeEnvelope(await signEnvelope(doctor.signer, { header, data: '{"ping":1}' }, context));
 *
 * const envelope = decodeEnvelope(bytes); // its data do not show yet
 * if (!(envelope instanceof SignedEnvelope)) throw new Error('not signed');
 * const time = { notBefore: now - 300_000, notAfter: now + 300_000 };
 * const verified = verifyEnvelope(envelope, { type: 'request', author: doctor.credential, context, time });
 * console.log(verified.data); // {"ping":1}
 * ```
 */
export function verifyEnvelope<Type extends SignedType>(
  envelope: SignedEnvelope,
  expected: Expected<Type>,
): VerifiedEnvelope<Type> {
  const { header, signature } = envelope;
  const { author, context, time } = expected;
  if ((expected.type === 'reply') !== (context.answers !== null))
    throw new RangeError('a reply, and only a reply, answers');
  const fits =
    isOfType(header, expected.type) &&
    equalBytes(author.id, context.from) &&
    equalBytes(header.sender, context.from);
  if (!fits) throw new MunimentError('ENVELOPE_SIGNATURE');
  let digests;
  try {
    digests = digestsOf(envelope);
    verifySignature(author.signing, signedBytes(header, digests.data, context), signature);
  } catch (cause) {
    throw new MunimentError('ENVELOPE_SIGNATURE', undefined, { cause });
  }
  // NaN on either side is a refusal too.
  if (!(header.timestamp >= time.notBefore && header.timestamp <= time.notAfter))
    throw new MunimentError('ENVELOPE_TIME');
  return { header: copyHeader(header), data: readUnverifiedData(envelope), author, digests };
}

/** The digests by which others name an envelope. They say nothing of who wrote it. */
export function digestsOf(envelope: SignedEnvelope): EnvelopeDigests {
  return { data: sha256(utf8(readUnverifiedData(envelope))), signature: sha256(envelope.signature) };
}

function isOfType<Type extends SignedType>(header: Header, type: Type): header is Header<Type> {
  return header.type === type;
}

function signedBytes(header: Header, digest: Uint8Array, context: SigningContext): Uint8Array {
  const { sessionId, from, to, answers } = context;
  if ((header.type === 'reply') !== (answers !== null))
    throw new RangeError('a reply, and only a reply, answers');
  return answers === null
    ? tuple('request', sessionId, from, to, headerItems(header), digest)
    : tuple('reply', sessionId, from, to, headerItems(header), answers.data, answers.signature, digest);
}
