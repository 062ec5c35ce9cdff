/**
 * RFC 9180 and the post-quantum HPKE draft, on every backend, as far as this library goes: base mode, the KEMs that it
 * has, HKDF-SHA256. Its one AEAD is ChaCha20-Poly1305; the key schedule is held to the vectors of the others as well.
 */

import { gcm } from '@noble/ciphers/aes.js';
import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js';
import { expect, it } from 'vitest';
import { keySchedule } from '../../src/crypto/hpke.ts';
import {
  hpkeOpen,
  hpkeReceiver,
  hpkeSender,
  kem,
  KEM_MLKEM768_P256,
  KEM_P256,
  KEM_X25519,
  KEM_XWING,
  type Exporter,
  type KemId,
} from '../../src/crypto/index.ts';
import { onEveryBackend } from '../crypto/every-backend.ts';
import { outcome } from '../crypto/outcome.ts';
import { flipped } from '../mutation.ts';
import { refusal } from '../refusal.ts';
import { hex } from '../vectors/hex.ts';
import { describeCorpus, fromHex, tally } from './corpora.ts';

interface Entry {
  readonly mode: number;
  readonly kem_id: number;
  readonly kdf_id: number;
  readonly aead_id: number;
  readonly info: string;
  readonly ikmR: string;
  readonly ikmE: string;
  readonly skRm: string;
  readonly pkRm: string;
  readonly enc: string;
  readonly shared_secret: string;
  readonly key: string;
  readonly base_nonce: string;
  readonly encryptions: readonly Encryption[];
  readonly exports: readonly {
    readonly exporter_context: string;
    readonly L: number;
    readonly exported_value: string;
  }[];
}

type Encryption = Record<'aad' | 'ct' | 'nonce' | 'pt', string>;

const [BASE, PSK] = [0, 1];
const HKDF_SHA256 = 1;
const [AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305, EXPORT_ONLY] = [1, 2, 3, 0xffff];
const KEY_LENGTHS: Record<number, number> = {
  [AES_128_GCM]: 16,
  [AES_256_GCM]: 32,
  [CHACHA20_POLY1305]: 32,
  [EXPORT_ONLY]: 0,
};

const OURS: readonly number[] = [KEM_X25519, KEM_P256, KEM_XWING, KEM_MLKEM768_P256];
// Bytes that an encapsulation draws here.
const RANDOMNESS = new Map<number, number>([
  [KEM_X25519, 32],
  [KEM_P256, 32],
  [KEM_XWING, 64],
  [KEM_MLKEM768_P256, 160],
]);

describeCorpus('hpke', (corpus) => {
  const read = (file: string) => corpus.json(file) as Entry[];
  const rfc = [...read('rfc9180-x25519-hkdfsha256.json'), ...read('rfc9180-p256-hkdfsha256.json')];
  const draft = read('hpke-pq-vectors.json');
  const ofOurKems = [...rfc, ...draft].filter((entry) => OURS.includes(entry.kem_id));

  it('is as large as it should be', () => {
    expect([rfc.length, draft.length]).toEqual([32, 13]);
    expect(tally(rfc.filter((entry) => entry.mode === BASE).map(nameOf))).toEqual({
      'P-256 AES-128-GCM': 1,
      'P-256 AES-256-GCM': 1,
      'P-256 ChaCha20-Poly1305': 1,
      'P-256 export only': 1,
      'X25519 AES-128-GCM': 1,
      'X25519 AES-256-GCM': 1,
      'X25519 ChaCha20-Poly1305': 1,
      'X25519 export only': 1,
    });
    expect(tally(draft.filter(({ kem_id }) => OURS.includes(kem_id)).map(nameOf))).toEqual({
      'MLKEM768-P256 AES-128-GCM': 1,
      'MLKEM768-P256 AES-256-GCM, another KDF': 1,
      'P-256 AES-128-GCM, another KDF': 1,
      'X-Wing ChaCha20-Poly1305': 1,
      'X-Wing ChaCha20-Poly1305, another KDF': 1,
      'X25519 ChaCha20-Poly1305, another KDF': 1,
    });
    const others = draft.map(({ kem_id }) => kem_id).filter((id) => !OURS.includes(id));
    expect(others.length).toBe(7);
    for (const id of others) expect(refusal(() => kem(id))).toBe('KEY_ALGORITHM');
  });

  onEveryBackend(['x25519', 'p256', 'mlKem768', 'aeadSeal', 'aeadOpen', 'hmacSha256'], () => {
    it('derives every key pair', () => {
      const derived = tally(
        ofOurKems.map(({ kem_id, ikmR, skRm, pkRm }) => {
          const { name, deriveSecretKey, secretKey } = kem(kem_id);
          const bytes = deriveSecretKey(fromHex(ikmR));
          expect([hex(bytes), hex(secretKey(bytes).publicKey)]).toEqual([skRm, pkRm]);
          return name;
        }),
      );
      expect(derived).toEqual({ X25519: 17, 'P-256': 17, 'X-Wing': 2, 'MLKEM768-P256': 2 });
    });

    it('encapsulates and decapsulates as they do, and not in the modes with a sender’s key', async () => {
      const outcomes: string[] = [];
      for (const entry of ofOurKems) {
        const { kem_id, mode, pkRm, enc, shared_secret } = entry;
        const found = hex(await decapsulated(entry));
        if (mode > PSK) {
          expect(found).not.toBe(shared_secret);
          outcomes.push('another secret');
          continue;
        }
        expect(found).toBe(shared_secret);
        const made = kem(kem_id).encapsulate(fromHex(pkRm), () => randomness(entry));
        expect([hex(made.encapsulation), hex(made.sharedSecret)]).toEqual([enc, shared_secret]);
        outcomes.push('the same');
      }
      expect(tally(outcomes)).toEqual({ 'the same': 22, 'another secret': 16 });
    });

    it('schedules every base-mode entry’s key, nonce and exports, whatever its AEAD', async () => {
      let [entries, exports] = [0, 0];
      for (const entry of ofOurKems.filter(isBase)) {
        const context = await schedule(entry);
        expect(hex(context.key)).toBe(entry.key);
        // Where nothing is encrypted there is no nonce to state.
        if (entry.aead_id !== EXPORT_ONLY) expect(hex(context.baseNonce)).toBe(entry.base_nonce);
        exports += expectExports(entry, context.exporter);
        entries++;
      }
      expect([entries, exports]).toEqual([10, 8 * 3 + 2 * 5]);
    });

    it('seals, opens and exports whole contexts of ChaCha20-Poly1305', async () => {
      let messages = 0;
      for (const entry of ofOurKems.filter((one) => isBase(one) && one.aead_id === CHACHA20_POLY1305)) {
        const kemId = entry.kem_id as KemId;
        const info = fromHex(entry.info);
        const recipient = { kem: kemId, publicKey: fromHex(entry.pkRm) };
        const sender = hpkeSender(recipient, info, () => randomness(entry));
        const receiver = hpkeReceiver(kemId, await decapsulated(entry), info);
        expect(hex(sender.encapsulation)).toBe(entry.enc);
        for (const { aad, ct, pt } of entry.encryptions) {
          expect(hex(sender.seal(fromHex(aad), fromHex(pt)))).toBe(ct);
          // A message that is altered, or opened with other associated data, leaves the context as it was.
          const altered = flipped(fromHex(ct), messages % (ct.length / 2));
          expect(refusal(() => receiver.open(fromHex(aad), altered))).toBe('KEY_OPEN');
          expect(refusal(() => receiver.open(fromHex(`${aad}00`), fromHex(ct)))).toBe('KEY_OPEN');
          expect(hex(receiver.open(fromHex(aad), fromHex(ct)))).toBe(pt);
          messages++;
        }
        expectExports(entry, sender.exporter);
        expectExports(entry, receiver.exporter);
        await expectFirstOnly(entry);
      }
      expect(messages).toBe(257 + 257 + 10);
    });

    it('keys AES-GCM as its entries say, though this library never encrypts with it', async () => {
      let messages = 0;
      for (const entry of ofOurKems.filter(isBase)) {
        if (entry.aead_id !== AES_128_GCM && entry.aead_id !== AES_256_GCM) continue;
        const { key } = await schedule(entry);
        for (const { aad, ct, nonce, pt } of entry.encryptions) {
          expect(hex(gcm(key, fromHex(nonce), fromHex(aad)).encrypt(fromHex(pt)))).toBe(ct);
          messages++;
        }
        expect(await openedFirst(entry)).toBe('KEY_OPEN');
      }
      expect(messages).toBe(4 * 257 + 10);
    });

    it('opens and exports nothing of other modes and KDFs', async () => {
      const outcomes: string[] = [];
      for (const entry of ofOurKems.filter((one) => !isBase(one))) {
        const context = await schedule(entry);
        expect(hex(context.baseNonce)).not.toBe(entry.base_nonce);
        for (const { exporter_context, L, exported_value } of entry.exports)
          expect(hex(context.exporter(fromHex(exporter_context), L))).not.toBe(exported_value);
        const sealed = entry.encryptions.length > 0;
        if (sealed) expect(await openedFirst(entry)).toBe('KEY_OPEN');
        outcomes.push(sealed ? 'not opened' : 'not exported');
      }
      expect(tally(outcomes)).toEqual({ 'not opened': 18 + 4, 'not exported': 6 });
    });

    it('is X-Wing', async () => {
      type XWing = Record<'seed' | 'sk' | 'pk' | 'eseed' | 'ct' | 'ss', string>;
      const vectors = corpus.json('xwing-vectors.json') as XWing[];
      expect(vectors.length).toBe(3);
      for (const { seed, sk, pk, eseed, ct, ss } of vectors) {
        expect(hex(ml_kem768_x25519.keygen(fromHex(seed)).publicKey)).toBe(pk);
        const key = kem(KEM_XWING).secretKey(fromHex(sk));
        expect([seed, hex(key.publicKey)]).toEqual([sk, pk]);
        const made = kem(KEM_XWING).encapsulate(fromHex(pk), () => fromHex(eseed));
        expect([hex(made.encapsulation), hex(made.sharedSecret)]).toEqual([ct, ss]);
        expect(hex(await key.decapsulate(fromHex(ct)))).toBe(ss);
      }
    });
  });
});

function isBase({ mode, kdf_id }: Entry): boolean {
  return mode === BASE && kdf_id === HKDF_SHA256;
}

function nameOf({ kem_id, kdf_id, aead_id }: Entry): string {
  const aeads = new Map([
    [AES_128_GCM, 'AES-128-GCM'],
    [AES_256_GCM, 'AES-256-GCM'],
    [CHACHA20_POLY1305, 'ChaCha20-Poly1305'],
    [EXPORT_ONLY, 'export only'],
  ]);
  const kdf = kdf_id === HKDF_SHA256 ? '' : ', another KDF';
  return `${kem(kem_id).name} ${aeads.get(aead_id) ?? ''}${kdf}`;
}

function decapsulated({ kem_id, skRm, enc }: Entry): Promise<Uint8Array> {
  return kem(kem_id).secretKey(fromHex(skRm)).decapsulate(fromHex(enc));
}

/**
 * The randomness of an entry's encapsulation. The draft's own vectors of MLKEM768-P256 state 128 bytes where its text
 * asks for 160; the scalar is in their first window, so that the rest is never looked at.
 */
function randomness({ kem_id, ikmE }: Entry): Uint8Array {
  const bytes = new Uint8Array(RANDOMNESS.get(kem_id) ?? 0);
  bytes.set(fromHex(ikmE));
  return bytes;
}

async function schedule(entry: Entry) {
  const aead = { id: entry.aead_id, keyLength: KEY_LENGTHS[entry.aead_id] ?? 0 };
  return keySchedule(entry.kem_id as KemId, await decapsulated(entry), fromHex(entry.info), aead);
}

function expectExports(entry: Entry, exporter: Exporter): number {
  for (const { exporter_context, L, exported_value } of entry.exports)
    expect(hex(exporter(fromHex(exporter_context), L))).toBe(exported_value);
  return entry.exports.length;
}

/** What opening an entry's first message by itself comes to. */
async function openedFirst(entry: Entry, message = entry.encryptions[0]!): Promise<string> {
  const sharedSecret = await decapsulated(entry);
  const [info, aad, ciphertext] = [entry.info, message.aad, message.ct].map(fromHex);
  return outcome(() => hpkeOpen(entry.kem_id as KemId, sharedSecret, info!, aad!, ciphertext!).plaintext);
}

// Every later message of a context is under another nonce: single-shot means single-shot.
async function expectFirstOnly(entry: Entry): Promise<void> {
  const [first, ...later] = entry.encryptions;
  expect(await openedFirst(entry)).toBe(first!.pt);
  for (const message of [later[0]!, later.at(-1)!])
    expect(await openedFirst(entry, message)).toBe('KEY_OPEN');
}
