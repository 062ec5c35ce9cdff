/**
 * Roles are types: what must not be mixed up does not compile. The compiler checks this file (`npm run typecheck`);
 * at run time there is nothing to do.
 */

import { describe, expectTypeOf, it } from 'vitest';
import type { Kem, KemId } from '../src/crypto/index.ts';
import {
  type encodeEvidence,
  verifyEnvelope,
  verifyEvidence,
  type Envelope,
  type Expected,
  type ExpectedEvidence,
  type Header,
  type SealedEnvelope,
  type SignedEnvelope,
  type SignedType,
  type TimeWindow,
  type VerifiedEnvelope,
} from '../src/envelope/index.ts';
import type { Blame, ErrorCode, MunimentError } from '../src/errors.ts';
import {
  createKeyHistory,
  credentialAsOf,
  currentCredential,
  readAnchor,
  readUnverifiedCredential,
  verifyCredential,
  verifyRenunciation,
  verifyRevocation,
  type Credential,
  type CredentialFields,
  type Decapsulator,
  type Identity,
  type IdentityKeys,
  type KemPublicKey,
  type KeyHistory,
  type NodeSecret,
  type Revocation,
  type RevocationTerms,
  type Secret,
  type Signer,
  type SigningPublicKey,
  type SoftwareDecapsulator,
  type SoftwareKeys,
  type SoftwareSigner,
} from '../src/keys/index.ts';
import type { Accepted, Confirmed, Initiated, Requested, Responded, Served } from '../src/protocol/index.ts';
import type { TupleItem } from '../src/wire/index.ts';

describe('secrets', () => {
  it('have a role, and are no bytes', () => {
    expectTypeOf<Secret<'nonce'>>().not.toExtend<Secret<'session key'>>();
    expectTypeOf<Secret<'session key'>>().not.toExtend<Secret<'nonce'>>();
    expectTypeOf<NodeSecret>().not.toExtend<Secret<'kem key'>>();
    expectTypeOf<Secret<'nonce'>>().toExtend<Secret<string>>();
    expectTypeOf<Secret<'nonce'>>().not.toExtend<Uint8Array>();
    expectTypeOf<Uint8Array>().not.toExtend<Secret<string>>();
    expectTypeOf<Secret<'nonce'>>().not.toExtend<TupleItem>();
    expectTypeOf<{ role: 'nonce'; erase(): void; toJSON(): string }>().not.toExtend<Secret<'nonce'>>();
  });
});

describe('credentials', () => {
  it('are verified or they are only fields', () => {
    expectTypeOf<Credential>().toExtend<CredentialFields>();
    expectTypeOf<CredentialFields>().not.toExtend<Credential>();
    expectTypeOf<CredentialFields & { id: Uint8Array; encoded: Uint8Array }>().not.toExtend<Credential>();
    expectTypeOf(readUnverifiedCredential).returns.not.toExtend<Credential>();
    expectTypeOf(verifyCredential).returns.toEqualTypeOf<Credential>();
    expectTypeOf(readAnchor).returns.toEqualTypeOf<Credential>();
  });

  it('are judged at a time, which is no option', () => {
    expectTypeOf(verifyCredential).parameters.toEqualTypeOf<[Uint8Array, Credential, number | 'ever']>();
    expectTypeOf<undefined>().not.toExtend<Parameters<typeof verifyCredential>[2]>();
  });
});

describe('revocations', () => {
  it('are verified, and heard at a time', () => {
    type Said = Pick<Revocation, 'credential' | 'author' | 'reason' | 'doubtfulFrom' | 'revokedFrom'>;
    expectTypeOf<Said>().not.toExtend<Revocation>();
    expectTypeOf(verifyRevocation).toEqualTypeOf<
      (signed: Uint8Array, issuer: Credential, heardAt: number) => Revocation
    >();
    expectTypeOf(verifyRenunciation).toEqualTypeOf<
      (signed: Uint8Array, subject: Credential, heardAt: number) => Revocation
    >();
  });

  it('say since when there is doubt where keys were stolen, and only there', () => {
    expectTypeOf<{ reason: 'compromised'; revokedAt: number }>().not.toExtend<RevocationTerms>();
    type Undoubted = Exclude<RevocationTerms, { reason: 'compromised' }>;
    expectTypeOf<keyof Undoubted>().toEqualTypeOf<'reason' | 'revokedAt'>();
    expectTypeOf<{ reason: 'renounced'; revokedAt: number }>().not.toExtend<RevocationTerms>();
  });

  it('make a history, which is asked for a time', () => {
    expectTypeOf<object>().not.toExtend<KeyHistory>();
    expectTypeOf(createKeyHistory).returns.toEqualTypeOf<KeyHistory>();
    expectTypeOf(credentialAsOf).parameters.toEqualTypeOf<[KeyHistory, Uint8Array, number]>();
    expectTypeOf(currentCredential).parameters.toEqualTypeOf<[KeyHistory, string, number]>();
  });
});

describe('keys', () => {
  it('sign or decapsulate, and do not do the other', () => {
    expectTypeOf<Signer>().not.toExtend<Decapsulator>();
    expectTypeOf<Decapsulator>().not.toExtend<Signer>();
    expectTypeOf<KemPublicKey>().not.toExtend<SigningPublicKey>();
    expectTypeOf<SigningPublicKey>().not.toExtend<KemPublicKey>();
    expectTypeOf<KemPublicKey>().not.toExtend<Decapsulator>();
    expectTypeOf<SoftwareSigner>().toExtend<Signer>();
    expectTypeOf<SoftwareDecapsulator>().toExtend<Decapsulator>();
  });

  it('need their credential to be an identity, and memory to be exported', () => {
    expectTypeOf<Identity>().toExtend<IdentityKeys>();
    expectTypeOf<IdentityKeys>().not.toExtend<Identity>();
    expectTypeOf<IdentityKeys>().not.toExtend<SoftwareKeys>();
    expectTypeOf<Identity>().not.toExtend<SoftwareKeys>();
  });

  it('belong to a KEM that there is', () => {
    expectTypeOf<KemId>().toEqualTypeOf<0x0010 | 0x0020 | 0x0050 | 0x647a>();
    expectTypeOf<Kem['id']>().toEqualTypeOf<KemId>();
    expectTypeOf<0x0021>().not.toExtend<KemId>();
  });
});

describe('envelopes', () => {
  it('have no data until they are verified', () => {
    expectTypeOf<SealedEnvelope>().not.toHaveProperty('data');
    expectTypeOf<SignedEnvelope>().not.toHaveProperty('data');
    expectTypeOf<Envelope>().not.toHaveProperty('data');
    expectTypeOf<VerifiedEnvelope>().toHaveProperty('data').toBeString();
    expectTypeOf<SignedEnvelope>().not.toExtend<VerifiedEnvelope>();
  });

  it('are sealed or signed, and only what is signed is verified or evidence', () => {
    expectTypeOf<SealedEnvelope>().not.toExtend<SignedEnvelope>();
    expectTypeOf<SignedEnvelope>().not.toExtend<SealedEnvelope>();
    expectTypeOf<{
      header: Header<SignedType>;
      data: string;
      signature: Uint8Array;
    }>().not.toExtend<SignedEnvelope>();
    expectTypeOf<Parameters<typeof verifyEnvelope>[0]>().toEqualTypeOf<SignedEnvelope>();
    expectTypeOf<Parameters<typeof encodeEvidence>[0]>().toEqualTypeOf<SignedEnvelope>();
    expectTypeOf<Envelope>().not.toExtend<Parameters<typeof verifyEnvelope>[0]>();
  });

  it('are of the kind that was asked for', () => {
    expectTypeOf<VerifiedEnvelope<'request'>>().not.toExtend<VerifiedEnvelope<'reply'>>();
    expectTypeOf<VerifiedEnvelope<'reply'>>().not.toExtend<VerifiedEnvelope<'request'>>();
    expectTypeOf<VerifiedEnvelope>().not.toExtend<VerifiedEnvelope<'request'>>();
    expectTypeOf(verifyEnvelope<'request'>).returns.toEqualTypeOf<VerifiedEnvelope<'request'>>();
    expectTypeOf(verifyEvidence<'reply'>).returns.toEqualTypeOf<VerifiedEnvelope<'reply'>>();
    expectTypeOf<'nsl-3'>().not.toExtend<SignedType>();
  });

  it('are judged at a time, which is no option, nor is anything else', () => {
    expectTypeOf<Omit<Expected<'request'>, 'time'>>().not.toExtend<Expected<'request'>>();
    expectTypeOf<Omit<ExpectedEvidence<'request'>, 'time'>>().not.toExtend<ExpectedEvidence<'request'>>();
    expectTypeOf<Required<Expected<'request'>>>().toEqualTypeOf<Expected<'request'>>();
    expectTypeOf<Required<ExpectedEvidence<'request'>>>().toExtend<ExpectedEvidence<'request'>>();
    expectTypeOf<ExpectedEvidence<'request'>>().toExtend<Required<ExpectedEvidence<'request'>>>();
    expectTypeOf<Required<TimeWindow>>().toEqualTypeOf<TimeWindow>();
    expectTypeOf<undefined>().not.toExtend<Expected<'request'>['time']>();
  });
});

describe('states of the protocol', () => {
  it('are no substitute for each other', () => {
    expectTypeOf<Initiated>().not.toExtend<Confirmed>();
    expectTypeOf<Confirmed>().not.toExtend<Requested>();
    expectTypeOf<Responded>().not.toExtend<Accepted>();
    expectTypeOf<Accepted>().not.toExtend<Served>();
    expectTypeOf<Served>().not.toExtend<Accepted>();
    expectTypeOf<Initiated>().not.toExtend<Responded>();
  });
});

describe('errors', () => {
  it('have closed unions', () => {
    expectTypeOf<string>().not.toExtend<ErrorCode>();
    expectTypeOf<MunimentError['code']>().toEqualTypeOf<ErrorCode>();
    expectTypeOf<Blame>().toEqualTypeOf<'data' | 'caller' | 'environment' | 'bug'>();
    expectTypeOf<'NO_SUCH_CODE'>().not.toExtend<ErrorCode>();
  });
});
