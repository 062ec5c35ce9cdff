/** Two parties, a signed request between them and a sealed one, for the envelope's tests. */

import { ED25519, KEM_X25519 } from '../../src/crypto/index.ts';
import {
  readUnverifiedData,
  signEnvelope,
  SignedEnvelope,
  type Envelope,
  type Header,
  type SealedEnvelope,
  type SignedType,
  type SigningContext,
  type TimeWindow,
} from '../../src/envelope/index.ts';
import { createAnchor, type Identity } from '../../src/keys/index.ts';
import { seededRandom } from '../vectors/generators/seed.ts';

const random = seededRandom('envelope fixture');

/** An identity that vouches for itself. */
export function party(subject: string, algorithm = ED25519): Promise<Identity> {
  const profile = { subject, roles: ['doctor'], notBefore: 0, notAfter: Date.UTC(2100, 0) };
  return createAnchor(profile, { kem: KEM_X25519, algorithm, random });
}

export const user = await party('Dr. Ruiz');
export const bank = await party('Banc');

const n1 = random(16);

/** The header of a signed request, its sender the user's Id. */
export const header: Header<SignedType> = {
  type: 'request',
  sender: user.credential.id,
  timestamp: Date.UTC(2026, 2, 14, 9, 26, 53, 589),
  n1,
  timestamp1: Date.UTC(2026, 2, 14, 9, 26, 53, 1),
  n2: random(16),
  timestamp2: Date.UTC(2026, 2, 14, 9, 26, 53, 2),
};

/** The header of a sealed request, its sender the user's handle. */
export const sealedHeader: Header = { ...header, sender: n1 };

export const context: SigningContext = {
  sessionId: random(32),
  from: user.credential.id,
  to: bank.credential.id,
  answers: null,
};

/** A minute around the header's time. */
export const time: TimeWindow = { notBefore: header.timestamp - 30_000, notAfter: header.timestamp + 30_000 };

/** What `signed` makes, as its verifier expects it. */
export const expected = { type: 'request', author: user.credential, context, time } as const;

/** A request signed by the user. */
export function signed(data: string): Promise<SignedEnvelope> {
  return signEnvelope(user.signer, { header, data }, context);
}

/** A request with a signature that nobody made: readers of documents do not verify. */
export function unsigned(data: string): SignedEnvelope {
  return new SignedEnvelope(header, data, new Uint8Array(64).fill(0xff));
}

/** A sealed request. */
export function sealed(ciphertext: Uint8Array): SealedEnvelope {
  return { header: sealedHeader, ciphertext };
}

/** All that an envelope says, private data too, so that two can be compared. */
export function contentOf(envelope: Envelope): object {
  if (!(envelope instanceof SignedEnvelope)) return envelope;
  const { header: head, signature } = envelope;
  return { header: head, data: readUnverifiedData(envelope), signature };
}
