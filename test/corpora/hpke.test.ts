/** RFC 9180 and the post-quantum HPKE draft, as far as this library goes: base mode, HKDF-SHA256, ChaCha20-Poly1305. */

import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js';
import { expect, it } from 'vitest';
import { hpkeOpen, hpkeSeal, kem, KEM_X25519, KEM_XWING, type KemId } from '../../src/crypto/index.ts';
import { refusal } from '../refusal.ts';
import { describeCorpus, fromHex } from './corpora.ts';
import { hex } from '../vectors/hex.ts';

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
  readonly encryptions: readonly { readonly aad: string; readonly ct: string; readonly pt: string }[];
  readonly exports: readonly {
    readonly exporter_context: string;
    readonly L: number;
    readonly exported_value: string;
  }[];
}

const NONE = new Uint8Array(0);

describeCorpus('hpke', (corpus) => {
  const rfc = corpus.json('rfc9180-x25519-hkdfsha256.json') as Entry[];
  const draft = corpus.json('hpke-pq-vectors.json') as Entry[];

  it('is as large as it should be', () => {
    expect([rfc.length, draft.length]).toEqual([16, 13]);
    expect(rfc.filter(ours).length).toBe(1);
    expect(draft.filter(ours).length).toBe(1);
  });

  it('derives every X25519 key pair, and every X-Wing one', () => {
    const entries = [...rfc, ...draft.filter((entry) => entry.kem_id === KEM_XWING)];
    expect(entries.length).toBe(18);
    for (const { kem_id, ikmR, skRm, pkRm } of entries) {
      const { secretKey, publicKey } = kem(kem_id).deriveKeyPair(fromHex(ikmR));
      expect([hex(secretKey), hex(publicKey)]).toEqual([skRm, pkRm]);
    }
  });

  it('encapsulates and decapsulates as they do, and not in the modes with a sender’s key', () => {
    const entries = [...rfc, ...draft.filter((entry) => entry.kem_id === KEM_XWING)];
    let [plain, authenticated] = [0, 0];
    for (const { kem_id, mode, ikmE, pkRm, skRm, enc, shared_secret } of entries) {
      const found = hex(kem(kem_id).decapsulate(fromHex(enc), fromHex(skRm)));
      if (mode >= 2) {
        expect(found).not.toBe(shared_secret);
        authenticated++;
        continue;
      }
      expect(found).toBe(shared_secret);
      const made = kem(kem_id).encapsulate(fromHex(pkRm), () => fromHex(ikmE));
      expect([hex(made.encapsulation), hex(made.sharedSecret)]).toEqual([enc, shared_secret]);
      plain++;
    }
    expect([plain, authenticated]).toEqual([10, 8]);
  });

  it('seals, opens and exports as our two suites do', () => {
    for (const entry of [...rfc, ...draft].filter(ours)) {
      const kemId = kem(entry.kem_id).id;
      const [info, first] = [fromHex(entry.info), entry.encryptions[0]!];
      const [aad, plaintext] = [fromHex(first.aad), fromHex(first.pt)];
      const recipient = { kem: kemId, publicKey: fromHex(entry.pkRm) };
      const sealed = hpkeSeal(recipient, info, aad, plaintext, () => fromHex(entry.ikmE));
      expect([hex(sealed.encapsulation), hex(sealed.ciphertext)]).toEqual([entry.enc, first.ct]);
      const opened = openFirst(entry);
      expect(opened.plaintext).toEqual(plaintext);
      expect(entry.exports.length).toBeGreaterThanOrEqual(3);
      for (const { exporter_context, L, exported_value } of entry.exports) {
        expect(hex(opened.exporter(fromHex(exporter_context), L))).toBe(exported_value);
        expect(hex(sealed.exporter(fromHex(exporter_context), L))).toBe(exported_value);
      }
      // Every later message of a context is under another nonce: single-shot means single-shot.
      for (const later of entry.encryptions.slice(1))
        expect(refusal(() => openFirst({ ...entry, encryptions: [later] }))).toBe('KEY_OPEN');
    }
  });

  it('opens nothing of other modes, KDFs and AEADs', () => {
    const others = [...rfc, ...draft].filter((entry) => isKem(entry) && !ours(entry));
    expect(others.length).toBe(17);
    let refused = 0;
    for (const entry of others.filter((one) => one.encryptions.length > 0)) {
      expect(refusal(() => openFirst(entry))).toBe('KEY_OPEN');
      refused++;
    }
    expect(refused).toBe(others.length - 4);
    for (const { kem_id } of draft.filter((entry) => !isKem(entry)))
      if (kem_id !== KEM_X25519) expect(refusal(() => kem(kem_id))).toBe('KEY_ALGORITHM');
  });

  it('is X-Wing', () => {
    interface XWing {
      readonly seed: string;
      readonly sk: string;
      readonly pk: string;
      readonly eseed: string;
      readonly ct: string;
      readonly ss: string;
    }
    const vectors = corpus.json('xwing-vectors.json') as XWing[];
    expect(vectors.length).toBe(3);
    for (const { seed, sk, pk, eseed, ct, ss } of vectors) {
      expect(hex(ml_kem768_x25519.keygen(fromHex(seed)).publicKey)).toBe(pk);
      const made = kem(KEM_XWING).encapsulate(fromHex(pk), () => fromHex(eseed));
      expect([hex(made.encapsulation), hex(made.sharedSecret)]).toEqual([ct, ss]);
      expect(hex(kem(KEM_XWING).decapsulate(fromHex(ct), fromHex(sk)))).toBe(ss);
    }
  });
});

function isKem({ kem_id }: Entry): boolean {
  return kem_id === KEM_X25519 || kem_id === KEM_XWING;
}

function ours(entry: Entry): boolean {
  return isKem(entry) && entry.mode === 0 && entry.kdf_id === 1 && entry.aead_id === 3;
}

function openFirst({ kem_id, enc, skRm, info, encryptions }: Entry) {
  const sharedSecret = kem(kem_id).decapsulate(fromHex(enc), fromHex(skRm));
  const [first] = encryptions;
  return hpkeOpen(
    kem_id as KemId,
    sharedSecret,
    fromHex(info),
    first ? fromHex(first.aad) : NONE,
    fromHex(first?.ct ?? ''),
  );
}
