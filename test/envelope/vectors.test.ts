/** Every case of test/vectors/envelope.json, in both directions. */

import { expect, test } from 'vitest';
import { sha256 } from '../../src/crypto/index.ts';
import {
  decodeEnvelope,
  encodeEnvelope,
  encodeEvidence,
  headerTuple,
  normalizeEnvelope,
  readUnverifiedData,
  signEnvelope,
  SignedEnvelope,
  verifyEnvelope,
  verifyEvidence,
  type Envelope,
  type Header,
  type MessageType,
  type SigningContext,
} from '../../src/envelope/index.ts';
import { ED25519 } from '../../src/crypto/index.ts';
import { readAnchor, Secret, SoftwareSigner, type Credential } from '../../src/keys/index.ts';
import { fromUtf8, utf8 } from '../../src/wire/index.ts';
import { ed25519Sign } from '../noble.ts';
import { refusal } from '../refusal.ts';
import { casesOf, readVectors } from '../vectors/file.ts';
import {
  modelVector,
  type AuthorVector,
  type ContextVector,
  type EnvelopeCase,
  type ModelVector,
  type SignedVector,
} from '../vectors/generators/envelope.ts';
import { hex, unhex } from '../vectors/hex.ts';

const file = readVectors<EnvelopeCase>('envelope');

test('there are as many cases as there should be', () => {
  const counts: Record<string, { accepted: number; refused: number }> = {};
  for (const { operation, error } of file.cases) {
    const count = (counts[operation] ??= { accepted: 0, refused: 0 });
    count[error === undefined ? 'accepted' : 'refused']++;
  }
  expect(counts).toEqual({
    decode: { accepted: 20, refused: 137 },
    encode: { accepted: 0, refused: 6 },
    normalize: { accepted: 33, refused: 70 },
    sign: { accepted: 2, refused: 0 },
    verify: { accepted: 3, refused: 23 },
    evidence: { accepted: 4, refused: 10 },
  });
});

test('every accepted case has its document under "xml" and it is the one form', () => {
  for (const one of file.cases.filter(({ error }) => error === undefined)) {
    const xml = 'xml' in one ? one.xml : undefined;
    expect(xml, one.name).toBeTypeOf('string');
    expect(fromUtf8(encodeEnvelope(decodeEnvelope(utf8(xml!)))), one.name).toBe(xml);
  }
});

test.for(casesOf(file, 'decode'))('$name', (one) => {
  const document = one.xml === undefined ? unhex(one.bytes!) : utf8(one.xml);
  if (one.error !== undefined) {
    expect(refusal(() => decodeEnvelope(document))).toBe(one.error);
    return;
  }
  const envelope = decodeEnvelope(document);
  expect(modelVector(envelope)).toEqual(one.model);
  expect(hex(headerTuple(envelope.header))).toBe(one.header);
  expect(encodeEnvelope(model(one.model!))).toEqual(document);
});

test.for(casesOf(file, 'encode'))('$name', (one) => {
  expect(refusal(() => encodeEnvelope(model(one.model)))).toBe(one.error);
});

test.for(casesOf(file, 'normalize'))('$name', (one) => {
  const document = utf8(one.foreign);
  if (one.error !== undefined) expect(refusal(() => normalizeEnvelope(document))).toBe(one.error);
  else expect(fromUtf8(normalizeEnvelope(document))).toBe(one.xml);
});

test.for(casesOf(file, 'sign'))('$name', async (one) => {
  const wanted = signedModel(one.model);
  const context = contextOf(one.context);
  const signer = new SoftwareSigner(ED25519, new Secret('signing key', unhex(one.seed)));
  const { header } = wanted;
  const envelope = await signEnvelope(signer, { header, data: one.model.data }, context);
  expect(modelVector(envelope)).toEqual(one.model);
  expect(hex(ed25519Sign(unhex(one.seed), unhex(one.signatureInput)))).toBe(one.model.signature);
  expect(hex(headerTuple(envelope.header))).toBe(one.header);
  expect(fromUtf8(encodeEnvelope(envelope))).toBe(one.xml);

  const decoded = signedFrom(utf8(one.xml));
  const time = { notBefore: one.model.timestamp, notAfter: one.model.timestamp };
  const expected = { type: one.model.type, author: authorOf(one.author), context, time };
  const verified = verifyEnvelope(decoded, expected);
  expect(verified.data).toBe(one.model.data);
  expect(verified.header).toEqual(header);
  expect(verified.author.id).toEqual(context.from);
  expect({ data: hex(verified.digests.data), signature: hex(verified.digests.signature) }).toEqual(
    one.digests,
  );
  expect(hex(sha256(utf8(one.model.data)))).toBe(one.digests.data);
  expect(hex(sha256(unhex(one.model.signature)))).toBe(one.digests.signature);
});

test.for(casesOf(file, 'verify'))('$name', (one) => {
  const { type, time } = one;
  const envelope = signedFrom(utf8(one.xml));
  const expected = { type, author: authorOf(one.author), context: contextOf(one.context), time };
  if (one.error !== undefined) expect(refusal(() => verifyEnvelope(envelope, expected))).toBe(one.error);
  else expect(verifyEnvelope(envelope, expected).data).toBe(one.data);
});

test.for(casesOf(file, 'evidence'))('$name', (one) => {
  const { type, time } = one;
  const bytes = unhex(one.evidence);
  const answers = contextOf({ sessionId: '', from: '', to: '', answers: one.answers }).answers;
  const expected = { type, author: authorOf(one.author), to: unhex(one.to), answers, time };
  if (one.error !== undefined) {
    expect(refusal(() => verifyEvidence(bytes, expected))).toBe(one.error);
    return;
  }
  const verified = verifyEvidence(bytes, expected);
  const envelope = signedFrom(utf8(one.xml!));
  expect(verified.data).toBe(readUnverifiedData(envelope));
  expect(verified.header).toEqual(envelope.header);
  const sessionId = bytes.slice(4 + 'muniment/1 evidence'.length + 4).slice(0, 32);
  const context = { sessionId, from: expected.author.id, to: expected.to, answers };
  expect(encodeEvidence(envelope, context)).toEqual(bytes);
});

function model(vector: ModelVector): Envelope {
  if ('signature' in vector) return signedModel(vector);
  return { header: headerOf(vector), ciphertext: unhex(vector.ciphertext) };
}

function signedModel(vector: SignedVector): SignedEnvelope {
  return new SignedEnvelope(headerOf(vector), vector.data, unhex(vector.signature));
}

function headerOf<Type extends MessageType>(vector: ModelVector & { readonly type: Type }): Header<Type> {
  const { type, sender, timestamp, n1, timestamp1, n2, timestamp2 } = vector;
  const second = n2 === null ? null : unhex(n2);
  return { type, sender: unhex(sender), timestamp, n1: unhex(n1), timestamp1, n2: second, timestamp2 };
}

function signedFrom(document: Uint8Array): SignedEnvelope {
  const envelope = decodeEnvelope(document);
  if (!(envelope instanceof SignedEnvelope)) throw new TypeError('a sealed envelope');
  return envelope;
}

function contextOf({ sessionId, from, to, answers }: ContextVector): SigningContext {
  return {
    sessionId: unhex(sessionId),
    from: unhex(from),
    to: unhex(to),
    answers: answers === null ? null : { data: unhex(answers.data), signature: unhex(answers.signature) },
  };
}

function authorOf({ credential, id }: AuthorVector): Credential {
  return readAnchor(unhex(credential), unhex(id));
}
