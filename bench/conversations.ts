/**
 * What other protocols do between a user and a bank, both sides in this process: a handshake in which each learns
 * who the other is, then a question and an answer under the keys of it. No signature over either, unless said.
 */

import { createSecretKey, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { generateKeyPair } from '@libp2p/crypto/keys';
import type { ConnectionEncrypter, Logger, PeerId, PrivateKey, Upgrader } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { noise } from '@chainsafe/libp2p-noise';
import { duplexPair } from 'it-pair/duplex';
import Noise from 'noise-handshake';
import Cipher from 'noise-handshake/cipher';
import { generateKeyPair as generateNoiseKey } from 'noise-handshake/dh';
import themis from 'wasm-themis';
import * as bare from './bare.ts';

/** One whole conversation: the answer. */
export type Conversation = (question: Uint8Array, answer: Uint8Array) => Uint8Array | Promise<Uint8Array>;

/** `noise-handshake` over libsodium: Noise_XX_25519_ChaChaPoly_BLAKE2b, static keys known beforehand. */
export function noiseHandshake(): Conversation {
  const [user, bank] = [generateNoiseKey(), generateNoiseKey()];
  return (question, answer) => {
    const near = new Noise('XX', true, user);
    const far = new Noise('XX', false, bank);
    for (const side of [near, far]) side.initialise(Buffer.alloc(0));
    far.recv(near.send());
    near.recv(far.send());
    far.recv(near.send());
    if (!near.complete || !far.complete) refuse();
    if (!near.rs.equals(bank.publicKey) || !far.rs.equals(user.publicKey)) refuse();

    const asked = new Cipher(far.rx).decrypt(new Cipher(near.tx).encrypt(Buffer.from(question)));
    if (!asked.equals(question)) refuse();
    return new Cipher(near.rx).decrypt(new Cipher(far.tx).encrypt(Buffer.from(answer)));
  };
}

/** `@chainsafe/libp2p-noise`: Noise_XX_25519_ChaChaPoly_SHA256, and each side's Ed25519 signature over its Noise key. */
export async function libp2pNoise(): Promise<Conversation> {
  const [user, bank] = [await libp2pParty(), await libp2pParty()];
  return async (question, answer) => {
    const [a, b] = duplexPair<Uint8Array>() as [Libp2pStream, Libp2pStream];
    const [near, far] = await Promise.all([
      user.encrypter.secureOutbound(a, { remotePeer: bank.id, skipStreamMuxerNegotiation: true }),
      bank.encrypter.secureInbound(b, { remotePeer: user.id, skipStreamMuxerNegotiation: true }),
    ]);
    const asked = await carry(question, near.conn, far.conn);
    if (Buffer.compare(asked, question) !== 0) refuse();
    return carry(answer, far.conn, near.conn);
  };
}

async function libp2pParty(): Promise<{ id: PeerId; encrypter: ConnectionEncrypter }> {
  // Two versions of the interfaces are installed, which differ in nothing that matters here.
  const privateKey = (await generateKeyPair('Ed25519')) as unknown as PrivateKey & { type: 'Ed25519' };
  const id = peerIdFromPrivateKey(privateKey);
  const silent = Object.assign(() => undefined, {
    enabled: false,
    error: noop,
    trace: noop,
  }) as unknown as Logger;
  const logger = { forComponent: () => silent };
  // Asked only for stream multiplexers, of which there are none.
  const upgrader = { getStreamMuxers: () => new Map() } as unknown as Upgrader;
  return { id, encrypter: noise()({ peerId: id, privateKey, logger, upgrader }) };
}

type Libp2pStream = Parameters<ConnectionEncrypter['secureOutbound']>[0];

async function carry(message: Uint8Array, from: Libp2pStream, to: Libp2pStream): Promise<Uint8Array> {
  const source: Iterable<Uint8Array> = [message]; // which it takes as well
  const sent = from.sink(source as unknown as AsyncGenerator<Uint8Array>);
  const { value } = (await to.source.next()) as { value?: { subarray(): Uint8Array } };
  await sent;
  return value?.subarray() ?? refuse();
}

function noop(): void {
  // says nothing
}

/** `wasm-themis`, Secure Session: ECDH and ECDSA on P-256. */
export async function themisSession(): Promise<Conversation> {
  await themis.initialize(themisCode());
  const [user, bank] = [new themis.KeyPair(), new themis.KeyPair()];
  const [userId, bankId] = [Buffer.from('user'), Buffer.from('bank')];
  return (question, answer) => {
    const near = new themis.SecureSession(userId, user.privateKey, (id) => known(id, bankId, bank.publicKey));
    const far = new themis.SecureSession(bankId, bank.privateKey, (id) => known(id, userId, user.publicKey));
    const second = far.negotiateReply(near.connectionRequest());
    near.negotiateReply(far.negotiateReply(near.negotiateReply(second)));
    if (!near.established() || !far.established()) refuse();

    const asked = far.unwrap(near.wrap(question));
    if (Buffer.compare(asked, question) !== 0) refuse();
    const answered = near.unwrap(far.wrap(answer));
    near.destroy();
    far.destroy();
    return answered;
  };
}

/** As an URL: its loader takes a path for one where there is a global `fetch`, and fails. */
function themisCode(): string {
  const file = createRequire(import.meta.url)
    .resolve('wasm-themis')
    .replace(/[^/]*$/, 'libthemis.wasm');
  return `data:application/wasm;base64,${readFileSync(file, 'base64')}`;
}

function known<Key>(id: Uint8Array, expected: Uint8Array, key: Key): Key {
  return Buffer.compare(id, expected) === 0 ? key : refuse();
}

/** Three HPKE messages on `node:crypto` (X25519): there, back and there again. No handshake, nobody is authenticated. */
export function bareHpkeMessages(): Conversation {
  return hpkeMessages(bareParty(), bareParty());
}

function hpkeMessages(user: bare.BareHpke, bank: bare.BareHpke): Conversation {
  const none = new Uint8Array(0);
  return (question, answer) => {
    bank.open(none, none, bank.seal(none, none, question));
    const answered = user.open(none, none, user.seal(none, none, answer));
    bank.open(none, none, bank.seal(none, none, question));
    return answered;
  };
}

/**
 * What a session of this library asks of public keys and ciphers, on `node:crypto`, and nothing around it: three HPKE
 * messages, an ephemeral key to which a secret goes, two signatures, three verified, and a message each way under keys of
 * the session. No texts, no hashes, no keys derived but HPKE's own.
 */
export function bareSession(freshKem: () => bare.BareKem, kemId: number): Conversation {
  const [user, bank] = [bare.bareHpke(freshKem(), kemId), bare.bareHpke(freshKem(), kemId)];
  const handshake = hpkeMessages(user, bank);
  const signer = bare.bareEd25519(randomBytes(32), new Uint8Array(32));
  const [key, none] = [createSecretKey(randomBytes(32)), new Uint8Array(0)];
  const credential = randomBytes(600);
  const issued = signer.sign(credential);
  const carry = (message: Uint8Array) => {
    const signature = signer.sign(message);
    const carried = bare.bareOpen(key, none, bare.bareSeal(key, none, message));
    return signer.verify(carried, signature) ? carried : refuse();
  };
  return async (question, answer) => {
    await handshake(credential, credential);
    if (!signer.verify(credential, issued)) refuse();
    const ephemeral = freshKem();
    ephemeral.decapsulate(ephemeral.encapsulate().encapsulation);
    carry(question);
    return carry(answer);
  };
}

/** Somebody to whom HPKE messages go, on the platform's own calls. */
export function bareParty(): bare.BareHpke {
  return bare.bareHpke(bare.freshX25519Kem(), X25519_KEM);
}

const X25519_KEM = 0x0020;

function refuse(): never {
  throw new Error('not what was sent, or not from whom it should be');
}
