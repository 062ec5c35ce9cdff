/**
 * Every case of test/vectors/protocol.json: played through the library, and derived again by a checker that shares no
 * code with it but the KEMs (Node's own hash, HMAC, ChaCha20-Poly1305 and Ed25519, and an encoder of its own).
 */

import { createDecipheriv, createHash, createHmac, createPublicKey, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { kem } from '../../src/crypto/index.ts';
import { decapsulate, kemPublicKey } from '../noble.ts';
import { MunimentError } from '../../src/errors.ts';
import { readVectors, type VectorCase } from '../vectors/file.ts';
import {
  fixedRandom,
  playConversation,
  type ConversationVector,
  type HandshakeVector,
  type PartyVector,
  type ProtocolCase,
  type RefusedVector,
  type SealedVector,
} from '../vectors/generators/protocol.ts';
import { hex, unhex } from '../vectors/hex.ts';

const file = readVectors<ProtocolCase>('protocol');
const conversations = file.cases.filter(
  (one): one is VectorCase & ConversationVector => one.operation === 'conversation',
);
const refusals = file.cases.filter((one): one is VectorCase & RefusedVector => one.operation === 'refused');

test('there are as many cases as there should be', () => {
  expect(file.cases).toHaveLength(63);
  expect(conversations).toHaveLength(4);
  expect(refusals).toHaveLength(59);
  expect(refusals.map(({ step }) => step).filter((step) => step === 1)).toHaveLength(10);
  expect(new Set(refusals.map(({ error }) => error))).toEqual(new Set(['SESSION_MESSAGE', 'SESSION_REPLAY']));
});

describe('played', () => {
  test.for(conversations)('$name', async (one) => {
    const { user, gateway } = one.randomness;
    const run = await playConversation(one, { user: fixedRandom(user), gateway: fixedRandom(gateway) });
    expect(run.messages.map(hex)).toEqual([
      one.message1.message,
      one.message2.message,
      one.message3.message,
      one.message4.message,
      one.message5.message,
    ]);
    expect(hex(run.sessionId)).toBe(one.sessionId);
    expect(hex(run.evidence.request)).toBe(one.message4.evidence);
    expect(hex(run.evidence.reply)).toBe(one.message5.evidence);
  });

  test.for(refusals)('$name', async (one) => {
    const conversation = conversations.find(({ name }) => name === one.conversation)!;
    const { user, gateway } = conversation.randomness;
    let reached = 0;
    const play = playConversation(
      conversation,
      { user: fixedRandom(user), gateway: fixedRandom(gateway) },
      (step, sent) => {
        reached = step;
        return step === one.step ? { message: unhex(one.message), at: one.at } : sent;
      },
    );
    const error: unknown = await play.catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(MunimentError);
    expect((error as MunimentError).code).toBe(one.error);
    expect(reached).toBe(one.step);
  });
});

describe('derived again', () => {
  test.for(conversations)('$name', (one) => {
    const [userId, gatewayId] = [unhex(one.user.id), unhex(one.gateway.id)];
    const value = unhex(one.binding.value);
    const [nonce, ephemeralKey, n1] = one.randomness.user.map(unhex) as [Buffer, Buffer, Buffer];
    const gatewayDraws = one.randomness.gateway.map(unhex);
    const gatewayNonce = gatewayDraws[0]!;
    const n2 = gatewayDraws[2]!;
    const [t1, t2, t3, t4, t5] = one.times as [number, number, number, number, number];
    const suite = (party: PartyVector): Uint8Array => T('suite', party.kem, one.binding.kind);

    const header1 = T('header', 'nsl-1', n1, t1, 1, n1, t1, '', '');
    const info1 = T('nsl m1', suite(one.gateway), gatewayId);
    const one1 = checkHandshake(one.message1, one.gateway, header1, info1);
    const ephemeral = kem(one.user.kem === 0x647a ? 0x647a : one.gateway.kem);
    const publicKey = kemPublicKey(ephemeral.id, ephemeralKey);
    const pt1 = T('m1', unhex(one.user.credential), nonce, ephemeral.id, publicKey);
    expect(one1.plaintext).toEqual(Buffer.concat([lp(pt1), Buffer.alloc(12_288 - 4 - pt1.length)]));
    const th1 = H('th1', header1, one1.encapsulation, one1.ciphertext, one1.plaintext, gatewayId, value);
    expect(hex(th1)).toBe(one.th1);

    const header2 = T('header', 'nsl-2', n2, t2, 2, n1, t1, n2, t2);
    const info2 = T('nsl m2', suite(one.user), userId, gatewayId, th1);
    const one2 = checkHandshake(one.message2, one.user, header2, info2);
    const core2 = unhex(one.core2);
    const th2 = H('th2', th1, header2, one2.encapsulation, core2);
    expect(hex(th2)).toBe(one.th2);
    const cte = core2.subarray(core2.length - ephemeral.encapsulationLength);
    expect(hex(core2)).toBe(hex(T('m2', nonce, gatewayNonce, gatewayId, cte)));
    const ephemeralSecret = decapsulate(ephemeral.id, cte, ephemeralKey);
    expect(hex(ephemeralSecret)).toBe(one.ephemeralSecret);

    const prk = hmac(
      th2,
      Buffer.concat([ephemeralSecret, one1.exported, one2.exported, nonce, gatewayNonce]),
    );
    expect(hex(prk)).toBe(one.prk);
    for (const [label, key] of Object.entries(one.keys))
      expect(hex(expand(prk, T('key', label, th2)))).toBe(key);
    const [confirmG, confirmU] = [
      hmac(unhex(one.keys['confirm g']), th2),
      hmac(unhex(one.keys['confirm u']), th2),
    ];
    expect({ gateway: hex(confirmG), user: hex(confirmU) }).toEqual(one.confirmations);
    expect(hex(one2.plaintext)).toBe(hex(T('m2 confirmed', core2, confirmG)));

    const header3 = T('header', 'nsl-3', n1, t3, 3, n1, t1, n2, t2);
    const info3 = T('nsl m3', suite(one.gateway), userId, gatewayId, th2);
    const one3 = checkHandshake(one.message3, one.gateway, header3, info3);
    expect(hex(one3.plaintext)).toBe(hex(T('m3', gatewayNonce, confirmU)));

    expect(one.sessionId).toBe(one.keys['session id']);
    const sessionId = unhex(one.sessionId);
    const context = [n1, t1, n2, t2] as const;
    const outer4 = T('header', 'request', n1, t4, 4, ...context);
    const inner4 = T('header', 'request', userId, t4, 4, ...context);
    const digest4 = sha256(Buffer.from(one.request.data));
    const signed4 = T('request', sessionId, userId, gatewayId, inner4, digest4);
    const signature4 = checkSealed(
      one.message4,
      one.keys['data u2g'],
      outer4,
      one.request,
      one.user,
      signed4,
    );
    expect(one.message4.evidence).toBe(
      hex(T('evidence', sessionId, userId, gatewayId, one.message4.envelope)),
    );

    const outer5 = T('header', 'reply', n2, t5, 5, ...context);
    const inner5 = T('header', 'reply', gatewayId, t5, 5, ...context);
    const digest5 = sha256(Buffer.from(one.reply.data));
    const signed5 = T('reply', sessionId, gatewayId, userId, inner5, digest4, sha256(signature4), digest5);
    checkSealed(one.message5, one.keys['data g2u'], outer5, one.reply, one.gateway, signed5);
    expect(one.message5.evidence).toBe(
      hex(T('evidence', sessionId, gatewayId, userId, one.message5.envelope)),
    );
  });
});

type Opened = Record<'encapsulation' | 'ciphertext' | 'plaintext' | 'exported', Buffer>;

function checkHandshake(
  vector: HandshakeVector,
  receiver: PartyVector,
  header: Uint8Array,
  info: Uint8Array,
): Opened {
  expect(vector.header).toBe(hex(header));
  expect(vector.info).toBe(hex(info));
  const encapsulation = Buffer.from(vector.encapsulation, 'hex');
  const ciphertext = Buffer.from(vector.ciphertext, 'hex');
  const text = Buffer.from(vector.message, 'hex').toString();
  const data = Buffer.concat([encapsulation, ciphertext]).toString('base64url');
  expect(text).toMatch(
    /^<behc><capcalera>.*<\/capcalera><cos><dades>[A-Za-z0-9_-]*<\/dades><\/cos><\/behc>$/,
  );
  expect(/<dades>(.*)<\/dades>/.exec(text)?.[1]).toBe(data);
  const algorithm = kem(receiver.kem);
  const secretKey = unhex(receiver.handshakeSecret);
  expect(hex(decapsulate(algorithm.id, encapsulation, secretKey))).toBe(vector.sharedSecret);
  const context = hpke(receiver.kem, unhex(vector.sharedSecret), info);
  const plaintext = open(context.key, context.nonce, header, ciphertext);
  expect(hex(plaintext)).toBe(vector.plaintext);
  const exported = context.export(T('x'));
  if (vector.exported !== undefined) expect(hex(exported)).toBe(vector.exported);
  return { encapsulation, ciphertext, plaintext, exported };
}

function checkSealed(
  vector: SealedVector,
  sessionKey: string,
  outer: Uint8Array,
  said: { readonly data: string; readonly documents: readonly string[] },
  signer: PartyVector,
  signed: Uint8Array,
): Buffer {
  expect(vector.header).toBe(hex(outer));
  const salt = unhex(vector.salt);
  const key = expand(unhex(sessionKey), T('once', salt, outer));
  expect(hex(key)).toBe(vector.key);
  const data = /<dades>(.*)<\/dades>/.exec(Buffer.from(vector.message, 'hex').toString())?.[1];
  const sealed = Buffer.from(data!, 'base64url');
  expect(hex(sealed.subarray(0, 32))).toBe(vector.salt);
  const padded = open(key, Buffer.alloc(12), outer, sealed.subarray(32));
  const plaintext = T('message', vector.envelope, items(said.documents.map(unhex)));
  expect(vector.plaintext).toBe(hex(plaintext));
  expect(vector.documents).toEqual(said.documents);
  expect(hex(padded.subarray(0, 4 + plaintext.length))).toBe(hex(lp(plaintext)));
  expect(padded.subarray(4 + plaintext.length).every((byte) => byte === 0)).toBe(true);
  expect(vector.signatureInput).toBe(hex(signed));
  const signature = Buffer.from(/<signatura>(.*)<\/signatura>/.exec(vector.envelope)![1]!, 'base64url');
  // The signing key stands in the credential behind the name of its algorithm.
  const credential = Buffer.from(signer.credential, 'hex');
  const at = credential.indexOf(lp(Buffer.from('Ed25519'))) + 4 + 7 + 4;
  const x = credential.subarray(at, at + 32).toString('base64url');
  const publicKey = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
  expect(verify(null, signed, publicKey, signature)).toBe(true);
  return signature;
}

type Item = Uint8Array | string | number;

function lp(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function items(list: readonly Item[]): Buffer {
  return Buffer.concat(
    list.map((item) => {
      if (typeof item === 'string') return lp(Buffer.from(item));
      if (item instanceof Uint8Array) return lp(item);
      const integer = Buffer.alloc(8);
      integer.writeBigUInt64BE(BigInt(item));
      return lp(integer);
    }),
  );
}

function T(label: string, ...list: readonly Item[]): Buffer {
  return items([`muniment/1 ${label}`, ...list]);
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function H(label: string, ...list: readonly Item[]): Buffer {
  return sha256(T(label, ...list));
}

function hmac(key: Uint8Array, message: Uint8Array): Buffer {
  return createHmac('sha256', key).update(message).digest();
}

// HKDF-Expand of one block.
function expand(prk: Uint8Array, info: Uint8Array, length = 32): Buffer {
  return hmac(prk, Buffer.concat([info, Buffer.of(1)])).subarray(0, length);
}

function open(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Buffer {
  const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
  decipher.setAAD(aad, { plaintextLength: sealed.length - 16 });
  decipher.setAuthTag(sealed.subarray(sealed.length - 16));
  return Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - 16)), decipher.final()]);
}

// RFC 9180 section 5.1, base mode.
function hpke(
  kemId: number,
  sharedSecret: Uint8Array,
  info: Uint8Array,
): { key: Buffer; nonce: Buffer; export: (context: Uint8Array) => Buffer } {
  const suite = Buffer.concat([Buffer.from('HPKE'), Buffer.of(kemId >> 8, kemId & 255, 0, 1, 0, 3)]);
  const labelled = (label: string, ikm: Uint8Array): Buffer =>
    Buffer.concat([Buffer.from('HPKE-v1'), suite, Buffer.from(label), ikm]);
  const derive = (prk: Uint8Array, label: string, input: Uint8Array, length: number): Buffer =>
    expand(prk, Buffer.concat([Buffer.of(0, length), labelled(label, input)]), length);
  const empty = Buffer.alloc(0);
  const context = Buffer.concat([
    Buffer.of(0),
    hmac(empty, labelled('psk_id_hash', empty)),
    hmac(empty, labelled('info_hash', info)),
  ]);
  const secret = hmac(sharedSecret, labelled('secret', empty));
  const exporter = derive(secret, 'exp', context, 32);
  return {
    key: derive(secret, 'key', context, 32),
    nonce: derive(secret, 'base_nonce', context, 12),
    export: (exportContext) => derive(exporter, 'sec', exportContext, 32),
  };
}
