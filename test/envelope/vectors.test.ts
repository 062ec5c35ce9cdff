/** Every case of test/vectors/envelope.json, in both directions. */

import { expect, test } from 'vitest';
import { sha256 } from '../../src/crypto/index.ts';
import {
  decodeEnvelope,
  encodeEnvelope,
  encodeEvidence,
  headerTuple,
  normalizeEnvelope,
  signEnvelope,
  verifyEnvelope,
  verifyEvidence,
  type Envelope,
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
    decode: { accepted: 15, refused: 111 },
    encode: { accepted: 0, refused: 6 },
    normalize: { accepted: 29, refused: 56 },
    sign: { accepted: 2, refused: 0 },
    verify: { accepted: 0, refused: 19 },
    evidence: { accepted: 2, refused: 7 },
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
  const wanted = model(one.model);
  const context = contextOf(one.context);
  const signer = new SoftwareSigner(ED25519, new Secret('signing key', unhex(one.seed)));
  const envelope = await signEnvelope(signer, { header: wanted.header, data: wanted.data }, context);
  expect(envelope).toEqual(wanted);
  expect(hex(ed25519Sign(unhex(one.seed), unhex(one.signatureInput)))).toBe(one.model.signature);
  expect(hex(headerTuple(envelope.header))).toBe(one.header);
  expect(fromUtf8(encodeEnvelope(envelope))).toBe(one.xml);

  const decoded = decodeEnvelope(utf8(one.xml));
  const type = one.model.type;
  const verified = verifyEnvelope(decoded, { type, author: authorOf(one.author), context });
  expect(verified.data).toBe(one.model.data);
  expect(verified.header).toEqual(wanted.header);
  expect(verified.author.id).toEqual(context.from);
  expect({ data: hex(verified.digests.data), signature: hex(verified.digests.signature) }).toEqual(
    one.digests,
  );
  expect(hex(sha256(utf8(one.model.data)))).toBe(one.digests.data);
});

test.for(casesOf(file, 'verify'))('$name', (one) => {
  const envelope = decodeEnvelope(utf8(one.xml));
  const expected = { type: one.type, author: authorOf(one.author), context: contextOf(one.context) };
  expect(refusal(() => verifyEnvelope(envelope, expected))).toBe(one.error);
});

test.for(casesOf(file, 'evidence'))('$name', (one) => {
  const bytes = unhex(one.evidence);
  const answers = contextOf({ sessionId: '', from: '', to: '', answers: one.answers }).answers;
  const expected = { type: one.type, author: authorOf(one.author), to: unhex(one.to), answers };
  if (one.error !== undefined) {
    expect(refusal(() => verifyEvidence(bytes, expected))).toBe(one.error);
    return;
  }
  const verified = verifyEvidence(bytes, expected);
  const envelope = decodeEnvelope(utf8(one.xml!));
  expect(verified.data).toBe(envelope.data);
  expect(verified.header).toEqual(envelope.header);
  const sessionId = bytes.slice(4 + 'muniment/1 evidence'.length + 4).slice(0, 32);
  const context = { sessionId, from: expected.author.id, to: expected.to, answers };
  expect(encodeEvidence(envelope, context)).toEqual(bytes);
});

function model(vector: ModelVector): Envelope {
  const { data, signature, sender, n1, n2, ...rest } = vector;
  const header = {
    ...rest,
    sender: unhex(sender),
    n1: unhex(n1),
    n2: n2 === null ? null : unhex(n2),
  };
  return { header, data, signature: signature === null ? null : unhex(signature) };
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
