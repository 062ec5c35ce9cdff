/** Two parties and a signed request between them, for the envelope's tests. */

import { KEM_X25519 } from '../../src/crypto/index.ts';
import { signEnvelope, type Envelope, type Header, type SigningContext } from '../../src/envelope/index.ts';
import { createAnchor, type Identity } from '../../src/keys/index.ts';
import { seededRandom } from '../vectors/generators/seed.ts';

const random = seededRandom('envelope fixture');

/** An identity that vouches for itself. */
export function party(subject: string): Promise<Identity> {
  const profile = { subject, roles: ['doctor'], notBefore: 0, notAfter: Date.UTC(2100, 0) };
  return createAnchor(profile, { kem: KEM_X25519, random });
}

export const user = await party('Dr. Ruiz');
export const bank = await party('Banc');

/** The header of a request, its sender the user's Id. */
export const header: Header = {
  type: 'request',
  sender: user.credential.id,
  timestamp: Date.UTC(2026, 2, 14, 9, 26, 53, 589),
  n1: random(16),
  timestamp1: Date.UTC(2026, 2, 14, 9, 26, 53, 1),
  n2: random(16),
  timestamp2: Date.UTC(2026, 2, 14, 9, 26, 53, 2),
};

export const context: SigningContext = {
  sessionId: random(32),
  from: user.credential.id,
  to: bank.credential.id,
  answers: null,
};

/** A request signed by the user. */
export function signed(data: string): Promise<Envelope> {
  return signEnvelope(user.signer, { header, data }, context);
}
