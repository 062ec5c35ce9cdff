/** test/vectors/views.json, read back by the library; and sealed documents a second time on node:crypto alone. */

import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { KemId, Random } from '../../src/crypto/index.ts';
import { exposeSecret, Secret, SoftwareDecapsulator, type Credential } from '../../src/keys/index.ts';
import {
  decodeCapsuleSeal,
  encodeCapsuleSeal,
  makeCapsule,
  openCapsule,
  verifyCapsule,
  verifyCapsuleUse,
  annexName,
  AnnexTree,
  decodeAnnex,
  decodeSealed,
  declareEmergency,
  definePolicy,
  encodeAnnex,
  encodeSealed,
  explain,
  grant,
  open,
  openAnnex,
  openAnnexRange,
  openGrant,
  openRelease,
  passOn,
  release,
  seal,
  sealAnnex,
  verifyDisclosure,
  verifyEmergency,
  verifyGrant,
  verifySealed,
  type Disclosure,
  type FindCredential,
  type Grant,
  type Granted,
  type OpenedGrant,
  type OpeningReader,
  type Reader,
  type Release,
  type ReleaseContext,
} from '../../src/views/index.ts';
import { equalBytes, readJson } from '../../src/wire/index.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { H, list, parts, T, unhexed } from '../tuple.ts';
import { casesOf, readVectors, type CaseOf } from '../vectors/file.ts';
import { servedBytes } from '../vectors/generators/annex.ts';
import { anchorOf, identityOf } from '../vectors/generators/keys.ts';
import type {
  ContextJson,
  GrantedJson,
  OpeningJson,
  ReaderJson,
  ReleaseJson,
  UnderJson,
  ViewsCase,
} from '../vectors/generators/views.ts';
import { hex, unhex } from '../vectors/hex.ts';

const file = readVectors<ViewsCase>('views');

it('holds as many cases as it should', () => {
  const counts: Record<string, number> = {};
  for (const { operation } of file.cases) counts[operation] = (counts[operation] ?? 0) + 1;
  expect(counts).toEqual({
    policy: 24,
    explain: 3,
    seal: 6,
    open: 86,
    grant: 4,
    'open grant': 24,
    'verify disclosure': 10,
    emergency: 1,
    'verify emergency': 8,
    release: 1,
    'open release': 9,
    capsule: 1,
    'verify capsule': 9,
    'open capsule': 12,
    'verify capsule use': 9,
    'read capsule seal': 8,
    annex: 1,
    'open annex': 18,
    'annex proof': 12,
    'open annex range': 31,
  });
});

it('has every code of a view that data can cause', () => {
  const codes = new Set(file.cases.flatMap(({ error }) => error ?? []));
  expect([...codes].sort()).toEqual([
    'VIEW_ANNEX',
    'VIEW_AUTHOR',
    'VIEW_CAPSULE',
    'VIEW_COMMITMENT',
    'VIEW_DISCLOSURE',
    'VIEW_EQUIVOCATION',
    'VIEW_GRANT',
    'VIEW_INCOMPLETE',
    'VIEW_MANIFEST',
    'VIEW_ORDER',
    'VIEW_POLICY',
    'VIEW_RELEASE',
    'VIEW_WRAP',
  ]);
});

/** Plays recorded bytes back, and knows whether all were taken. */
function playback(text: string): { readonly random: Random; left(): number } {
  let rest = unhex(text);
  return {
    random: (length) => {
      const taken = rest.slice(0, length);
      rest = rest.slice(length);
      return taken;
    },
    left: () => rest.length,
  };
}

const readerOf = (one: ReaderJson): Reader => ({
  kind: one.kind as Reader['kind'],
  name: one.name,
  epoch: one.epoch,
  kem: one.kem as KemId,
  publicKey: unhex(one.publicKey),
  id: unhex(one.id),
});
const keyOf = (kem: number, seed: string): SoftwareDecapsulator =>
  new SoftwareDecapsulator(kem as KemId, new Secret('kem key', unhex(seed)));
const openingOf = (one: OpeningJson): OpeningReader => ({
  reader: readerOf(one),
  key: keyOf(one.kem, one.seed),
});
const authorsOf = (encoded: readonly string[]): FindCredential => {
  const known = encoded.map(anchorOf);
  return (id): Credential | null => known.find((one) => equalBytes(one.id, id)) ?? null;
};
const contextOf = (one: ContextJson): ReleaseContext => ({
  custodian: unhex(one.custodian),
  clinician: unhex(one.clinician),
  emergencyHash: unhex(one.emergencyHash),
});
const releaseOf = (one: ReleaseJson): Release => ({
  bodyHash: unhex(one.bodyHash),
  until: one.until,
  encapsulation: unhex(one.encapsulation),
  ciphertext: unhex(one.ciphertext),
});

describe('policy', () => {
  it.each(casesOf(file, 'policy'))('$name', (one) => {
    if (one.error !== undefined) {
      expect(refusal(() => definePolicy(one.policy))).toBe(one.error);
      return;
    }
    expect(hex(definePolicy(one.policy).hash)).toBe(one.hash);
    expect(H(unhexed(one.encoded ?? '')).toString('hex')).toBe(one.hash);
  });
});

describe('explain', () => {
  it.each(casesOf(file, 'explain'))('$name', (one) => {
    const explained = explain(definePolicy(one.policy), readJson(one.document));
    expect(
      explained.map(({ pointer, rule, restrictions, readers, compartment }) => ({
        ...{ pointer, rule, restrictions, readers, compartment },
      })),
    ).toEqual(one.explained);
  });
});

describe('seal', () => {
  it.each(casesOf(file, 'seal'))('$name', async (one) => {
    const { random, left } = playback(one.randomness);
    const readers = new Map(one.readers.map(({ named, reader }) => [named, readerOf(reader)]));
    const sealed = await seal(one.document, {
      policy: definePolicy(one.policy),
      owner: {
        recordId: unhex(one.recordId),
        owner: new Uint8Array(32),
        number: 0,
        previous: new Uint8Array(32),
        digest: new Uint8Array(32),
        list: one.compartments.map(readerOf),
        sealedRoot: { encapsulation: new Uint8Array(0), ciphertext: new Uint8Array(0) },
      },
      readers: (name) => readers.get(name) ?? null,
      breakGlass:
        one.breakGlass === null
          ? null
          : { ...one.breakGlass, custodians: one.breakGlass.custodians.map(readerOf) },
      author: identityOf(one.author),
      time: one.time,
      type: one.type,
      supersedes: unhex(one.supersedes),
      random,
    });
    expect(hex(encodeSealed(sealed))).toBe(one.sealed);
    expect(left()).toBe(0);
    expect(encodeSealed(decodeSealed(unhex(one.sealed)))).toEqual(unhex(one.sealed));
  });

  it.each(casesOf(file, 'seal'))('without the library: $name', (one) => {
    checkSealed(one);
  });
});

// Every value of a sealed document from the ones that it is said to come from. X25519 and Ed25519 are judged elsewhere.
function checkSealed(one: CaseOf<ViewsCase, 'seal'>): void {
  const [recordId, docId, D] = [unhexed(one.recordId), unhexed(one.docId), unhexed(one.ownerKey)];
  const expand = (key: Buffer, info: Buffer): Buffer => {
    // HKDF-Expand alone is HKDF whose Extract is undone; so here it is written out: T(1) = HMAC(key, info ‖ 1).
    return hmac(key, Buffer.concat([info, Buffer.of(1)]));
  };
  const same = (name: string, stated: string, value: Buffer): void => {
    expect(value.toString('hex'), name).toBe(stated);
  };
  const lines: Buffer[] = one.dummies.slice(0, 16).map(unhexed);
  const slots: Buffer[] = one.dummies.slice(16).map(unhexed);
  const dummies = chacha20(expand(D, T('dummies', recordId, docId)), 32 * 32);
  expect(one.dummies).toHaveLength(32);
  one.dummies.forEach((dummy, i) => {
    same(`dummy ${i}`, dummy, dummies.subarray(32 * i, 32 * i + 32));
  });
  for (const c of one.classes) {
    const key = unhexed(c.key);
    const keyCommit = expand(key, T('class commit', recordId, docId));
    same('keyCommit', c.keyCommit, keyCommit);
    const salt = expand(D, T('readers salt', recordId, docId, keyCommit));
    same('readersSalt', c.readersSalt, salt);
    expect([...c.readers].sort()).toEqual(c.readers);
    const publicId = H(T('reader', 'public', '', 0, 0, '')).toString('hex');
    expect(c.readers.includes(publicId)).toBe(c.open);
    const readersHash = H(
      T('readers', salt, one.policy.name, unhexed(one.policyHash), c.readers.map(unhexed)),
    );
    same('readersHash', c.readersHash, readersHash);
    const saltsKey = expand(key, T('salts', recordId, docId));
    same('saltsKey', c.saltsKey, saltsKey);
    const salts = chacha20(saltsKey, 32 * c.fields.length);
    const leaves = c.fields.map(({ path, text, salt: stated, leaf }, j) => {
      const own = salts.subarray(32 * j, 32 * j + 32);
      same('salt', stated, own);
      same('leaf', leaf, H(T('leaf', recordId, docId, keyCommit, j, own, path, text)));
      return unhexed(leaf);
    });
    const leavesHash = H(T('leaves', ...leaves));
    same('leavesHash', c.leavesHash, leavesHash);
    const contentKey = expand(key, T('class key', recordId, docId, readersHash, leavesHash));
    same('contentKey', c.contentKey, contentKey);
    const aad = T('class aad', recordId, docId, readersHash, leavesHash);
    same('aad', c.aad, aad);
    const fields = T('fields', ...c.fields.flatMap(({ path, text }) => [path, text]));
    const padded = Buffer.alloc(unhexed(c.padded).length);
    list([fields]).copy(padded);
    same('padded', c.padded, padded);
    expect(padded.length).toBeGreaterThanOrEqual(256);
    const ciphertext = unhexed(c.ciphertext);
    const decipher = createDecipheriv('chacha20-poly1305', contentKey, Buffer.alloc(12), {
      authTagLength: 16,
    });
    decipher.setAAD(aad, { plaintextLength: padded.length });
    decipher.setAuthTag(ciphertext.subarray(-16));
    const opened = Buffer.concat([decipher.update(ciphertext.subarray(0, -16)), decipher.final()]);
    same('opened', c.padded, opened);
    const commitment = H(T('class', readersHash, keyCommit, leavesHash, H(ciphertext), ciphertext.length));
    same('commitment', c.commitment, commitment);
    lines[c.index] = commitment;
  }
  for (const s of one.slots) {
    const blind = expand(D, T('blind', recordId, docId, unhexed(s.readerId)));
    same('blind', s.blind, blind);
    const slot = H(T('slot', recordId, docId, unhexed(s.readerId), blind, s.kind, s.threshold, s.classes));
    same('slot', s.slot, slot);
    slots[s.line] = slot;
  }
  const [, author = Buffer.alloc(0)] = parts(unhexed(one.author.credential));
  const authorId = H(author);
  const manifest = T(
    'manifest',
    recordId,
    docId,
    authorId,
    one.time,
    one.type,
    unhexed(one.supersedes),
    lines,
    slots,
  );
  same('manifest', one.manifest, manifest);
  same('bodyHash', one.bodyHash, H(manifest));
  same('signatureInput', one.signatureInput, T('sealed document', H(manifest), authorId));
  for (const { opening, info, aad, plaintext } of one.wraps) {
    const id = H(
      T('reader', opening.kind, opening.name, opening.epoch, opening.kem, unhexed(opening.publicKey)),
    );
    same('reader id', opening.id, id);
    same('info', info, T('wrap', T('suite', opening.kem, 'none'), id));
    same('aad', aad, T('wrap aad', H(manifest)));
    const slot = one.slots.find(({ readerId }) => readerId === opening.id);
    const [label, blind, threshold, keys, own] = parts(unhexed(plaintext));
    const stated = parts(keys ?? Buffer.alloc(0)).map((group) => {
      const [index, key] = parts(group);
      return { index: Number(index?.readBigUInt64BE()), key: key?.toString('hex') };
    });
    same('blind in wrap', slot?.blind ?? '', blind ?? Buffer.alloc(0));
    expect(stated.map(({ index }) => index)).toEqual(slot?.classes);
    const root = opening.kind === 'compartment' && opening.name === '';
    expect(own).toEqual(root ? list([D, one.policy.name, unhexed(one.policyHash)]) : Buffer.alloc(0));
    expect(label?.toString()).toBe(`muniment/1 wrap ${slot?.kind}`);
    expect(Number(threshold?.readBigUInt64BE())).toBe(slot?.threshold);
    for (const { index, key } of stated) {
      const whole = one.classes.find((c) => c.index === index)?.key;
      expect(key === whole).toBe(slot?.kind === 'keys');
      expect(key?.length).toBe(slot?.kind === 'share' ? 66 : 64);
    }
  }
}

function chacha20(key: Buffer, length: number): Buffer {
  return createCipheriv('chacha20', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

function hmac(key: Buffer, message: Buffer): Buffer {
  const block = Buffer.alloc(64);
  key.copy(block);
  const pad = (byte: number): Buffer => block.map((own) => own ^ byte) as Buffer;
  return H(pad(0x5c), H(pad(0x36), message));
}

it('has an HMAC that agrees with the platform’s HKDF', () => {
  const [key, salt, info] = [Buffer.from('key'), Buffer.from('salt'), Buffer.from('info')];
  const expected = Buffer.from(hkdfSync('sha256', key, salt, info, 32));
  expect(hmac(hmac(salt, key), Buffer.concat([info, Buffer.of(1)]))).toEqual(expected);
});

describe('open', () => {
  it.each(casesOf(file, 'open'))('$name', async (one) => {
    const run = async (): ReturnType<typeof open> =>
      open(decodeSealed(unhex(one.sealed)), {
        recordId: unhex(one.recordId),
        authors: authorsOf(one.authors),
        as: one.as.map(openingOf),
        releases:
          one.releases?.map((list) =>
            list.map(({ index, key }) => ({ index, share: new Secret('key share', unhex(key)) })),
          ) ?? null,
      });
    if (one.error !== undefined) {
      expect(await refusalOf(run)).toBe(one.error);
      return;
    }
    const view = await run();
    expect(view?.text ?? null).toBe(one.text);
    expect(view?.complete).toBe(one.complete);
    const fields = view?.fields.map(({ path, text, classIndex }) => ({ path, text, classIndex }));
    expect(fields).toEqual(one.fields);
    expect(view?.account?.halved.map(hex)).toEqual(one.halved);
  });
});

const underOf = (one: UnderJson | null): Grant | null =>
  one === null ? null : verifyGrant(unhex(one.statement), anchorOf(one.grantor), null);

function grantedOf(one: GrantedJson): Granted {
  switch (one.kind) {
    case 'compartment':
      return { ...one, kem: one.kem as KemId, node: new Secret('tree node', unhex(one.node)) };
    case 'classes': {
      const keys = one.keys.map(({ index, key }) => ({ index, key: new Secret('class key', unhex(key)) }));
      return { kind: one.kind, bodyHash: unhex(one.bodyHash), keys };
    }
    case 'fields':
      return { kind: one.kind, disclosure: unhex(one.disclosure) };
  }
}

describe('grants', () => {
  it.each(casesOf(file, 'grant'))('$name', async (one) => {
    const { random, left } = playback(one.randomness);
    const [grantor, grantee] = [identityOf(one.grantor), anchorOf(one.grantee)];
    const terms = { ...one.terms, recordId: unhex(one.terms.recordId) };
    const granting = { terms, granted: grantedOf(one.granted) };
    const under = underOf(one.under);
    const signed =
      under === null
        ? await grant(grantor, grantee, granting, random)
        : await passOn(grantor, grantee, { ...granting, under }, random);
    expect([hex(signed.statement), hex(signed.wrap), left()]).toEqual([one.statement, one.wrap, 0]);
  });

  it.each(casesOf(file, 'grant'))('without the library: $name', (one) => {
    const grantee = anchorOf(one.grantee);
    const { recordId, purpose, from, until, mayPassOn } = one.terms;
    const [, grantor = Buffer.alloc(0)] = parts(unhexed(one.grantor.credential));
    const { scope, content } = statedBy(one.granted);
    const parent = one.under === null ? Buffer.alloc(32) : H(T('grant digest', unhexed(one.under.statement)));
    const may = mayPassOn ? 1 : 0;
    const aad = T('grant aad', unhexed(recordId), H(grantor), scope, purpose, from, until, may, parent);
    expect(aad.toString('hex')).toBe(one.aad);
    expect(T('grant wrap', T('suite', 32, 'none'), grantee.id).toString('hex')).toBe(one.info);
    const padded = unhexed(one.plaintext);
    const stated = Buffer.alloc(padded.length);
    list([content]).copy(stated);
    expect(stated.toString('hex')).toBe(one.plaintext);
    expect(padded.length).toBeGreaterThanOrEqual(256);
    expect(T('grant', grantee.id, H(unhexed(one.wrap)), aad).toString('hex')).toBe(one.body);
  });

  function statedBy(granted: GrantedJson): { scope: Parameters<typeof list>[0]; content: Buffer } {
    switch (granted.kind) {
      case 'compartment': {
        const { name, epoch, kem, node } = granted;
        return {
          scope: ['compartment', name, epoch],
          content: T('grant node', name, epoch, kem, unhexed(node)),
        };
      }
      case 'classes': {
        const lines = granted.keys.map(({ index }) => index);
        const keys = granted.keys.map(({ index, key }) => [index, unhexed(key)]);
        return { scope: ['classes', unhexed(granted.bodyHash), lines], content: T('grant keys', keys) };
      }
      case 'fields': {
        const disclosure = unhexed(granted.disclosure);
        const [, manifest = Buffer.alloc(0), , groups = Buffer.alloc(0)] = parts(disclosure);
        const lines = parts(groups).map((group) => Number(parts(group)[0]?.readBigUInt64BE()));
        const scope = ['fields', H(manifest), lines, H(T('disclosed', disclosure))];
        return { scope, content: T('grant fields', disclosure) };
      }
    }
  }

  it.each(casesOf(file, 'open grant'))('$name', async (one) => {
    const run = async (): Promise<OpenedGrant> =>
      openGrant(
        identityOf(one.grantee),
        { statement: unhex(one.statement), wrap: unhex(one.wrap) },
        {
          grantor: anchorOf(one.grantor),
          recordId: unhex(one.recordId),
          at: one.at,
          under: underOf(one.under),
        },
      );
    if (one.error !== undefined || one.granted === undefined) {
      expect(await refusalOf(run)).toBe(one.error);
      return;
    }
    const opened = await run();
    const exposed = (secret: Secret<string>): string => hex(exposeSecret(secret));
    expect(opened.kind).toBe(one.granted.kind);
    if (opened.kind === 'compartment' && one.granted.kind === 'compartment') {
      const { name, epoch, kem, node } = one.granted;
      expect([opened.name, opened.epoch, opened.kem, exposed(opened.node)]).toEqual([name, epoch, kem, node]);
      expect(opened.reader.reader).toMatchObject({ kind: 'compartment', name, epoch, kem });
    }
    if (opened.kind === 'classes' && one.granted.kind === 'classes')
      expect(opened.keys.map(({ index, key }) => ({ index, key: exposed(key) }))).toEqual(one.granted.keys);
    if (opened.kind === 'fields' && one.granted.kind === 'fields')
      expect(hex(opened.disclosure)).toBe(one.granted.disclosure);
  });
});

describe('disclosures', () => {
  it.each(casesOf(file, 'verify disclosure'))('$name', (one) => {
    const run = (): Disclosure =>
      verifyDisclosure(unhex(one.disclosure), {
        recordId: unhex(one.recordId),
        authors: authorsOf(one.authors),
      });
    if (one.error !== undefined) {
      expect(refusal(run)).toBe(one.error);
      return;
    }
    const { text, fields } = run();
    expect(text).toBe(one.text);
    expect(fields.map(({ path, text: own, classIndex }) => ({ path, text: own, classIndex }))).toEqual(
      one.fields,
    );
  });
});

describe('break-glass', () => {
  it.each(casesOf(file, 'emergency'))('$name', async (one) => {
    const { statement } = await declareEmergency(
      identityOf(one.clinician),
      { recordId: unhex(one.recordId), reason: one.reason, kem: one.kem as KemId },
      () => unhex(one.seed),
    );
    expect(hex(statement)).toBe(one.statement);
    expect(
      T('emergency', unhexed(one.recordId), one.reason, one.kem, unhexed(one.publicKey)).toString('hex'),
    ).toBe(one.body);
  });

  it.each(casesOf(file, 'verify emergency'))('$name', (one) => {
    const run = (): unknown => verifyEmergency(unhex(one.statement), anchorOf(one.clinician));
    if (one.error !== undefined) expect(refusal(run)).toBe(one.error);
    else expect(run()).toBeTruthy();
  });

  it.each(casesOf(file, 'release'))('$name', async (one) => {
    const { random, left } = playback(one.randomness);
    const document = verifySealed(decodeSealed(unhex(one.sealed)), {
      recordId: unhex(one.recordId),
      authors: authorsOf(one.authors),
    });
    const emergency = verifyEmergency(unhex(one.statement), anchorOf(one.clinician));
    const terms = { context: contextOf(one.context), until: one.until, random };
    expect(await release(openingOf(one.custodian), document, emergency, terms)).toEqual({
      ...releaseOf(one.release),
    });
    expect(left()).toBe(0);
    const { custodian, clinician, emergencyHash } = one.context;
    const info = T('release', T('suite', 32, 'none'), unhexed(custodian), unhexed(clinician));
    const aad = T('release aad', unhexed(emergencyHash), unhexed(one.release.bodyHash), one.until);
    expect([info.toString('hex'), aad.toString('hex')]).toEqual([one.info, one.aad]);
  });

  it.each(casesOf(file, 'open release'))('$name', async (one) => {
    const run = (): ReturnType<typeof openRelease> =>
      openRelease(keyOf(one.kem, one.seed), releaseOf(one.release), {
        context: contextOf(one.context),
        at: one.at,
      });
    if (one.error !== undefined) expect(await refusalOf(run)).toBe(one.error);
    else
      expect((await run()).map(({ index, share }) => ({ index, key: hex(exposeSecret(share)) }))).toEqual(
        one.shares,
      );
  });
});

describe('annexes', () => {
  const streamOf = (bytes: Uint8Array): ReadableStream<Uint8Array> =>
    new Blob([new Uint8Array(bytes)]).stream();
  const bytesOf = async (stream: ReadableStream<Uint8Array>): Promise<Uint8Array> => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream as unknown as AsyncIterable<Uint8Array>) chunks.push(chunk);
    return new Uint8Array(Buffer.concat(chunks));
  };

  it.each(casesOf(file, 'annex'))('$name', async (one) => {
    const context = { recordId: unhex(one.recordId), docId: unhex(one.docId), mediaType: one.mediaType };
    const sealed = sealAnnex(streamOf(unhex(one.plaintext)), context, () => unhex(one.key));
    expect(hex(await bytesOf(sealed.ciphertext))).toBe(one.ciphertext);
    const annex = await sealed.annex;
    expect([hex(annex.root), hex(annexName(annex.root)), encodeAnnex(annex)]).toEqual([
      one.root,
      one.annexName,
      one.text,
    ]);
    expect(H(Buffer.of(0), unhexed(one.chunks[0] ?? '')).toString('hex')).toBe(one.root);
    expect(H(T('annex name', unhexed(one.root))).toString('hex')).toBe(one.annexName);
  });

  it.each(casesOf(file, 'open annex'))('$name', async (one) => {
    const names = { recordId: unhex(one.recordId), docId: unhex(one.docId) };
    const run = async (): Promise<Uint8Array> =>
      bytesOf(openAnnex(streamOf(unhex(one.ciphertext)), decodeAnnex(one.text), names));
    if (one.error !== undefined) expect(await refusalOf(run)).toBe(one.error);
    else expect(hex(await run())).toBe(one.plaintext);
  });

  it.each(casesOf(file, 'annex proof'))('$name', (one) => {
    const run = (): string =>
      hex(
        AnnexTree.decode(unhex(one.leaves.join('')), unhex(one.annexName)).proof({
          from: one.from,
          to: one.to,
        }),
      );
    if (one.error !== undefined) expect(refusal(run)).toBe(one.error);
    else expect(run()).toBe(one.proof);
  });

  it.each(casesOf(file, 'open annex range'))('$name', async (one) => {
    const range = {
      recordId: unhex(one.recordId),
      docId: unhex(one.docId),
      offset: one.offset,
      length: one.length,
    };
    const source = { bytes: () => streamOf(servedBytes(one.served)), proof: () => unhex(one.proof) };
    const run = async (): Promise<Uint8Array> =>
      bytesOf(openAnnexRange(source, decodeAnnex(one.text), range));
    if (one.error !== undefined) expect(await refusalOf(run)).toBe(one.error);
    else expect(H(Buffer.from(await run())).toString('hex')).toBe(one.digest);
  });
});

describe('capsules', () => {
  it.each(casesOf(file, 'capsule'))('$name', async (one) => {
    const owner = identityOf(one.owner);
    const terms = { ...one.terms, recordId: unhex(one.terms.recordId) };
    const { random, left } = playback(one.randomness);
    const team = openingOf(one.team);
    const made = await makeCapsule(owner, team.reader, unhex(one.content), terms, random);
    expect(left()).toBe(0);
    expect(hex(made.capsule)).toBe(one.capsule);
    expect(encodeCapsuleSeal(made.seal)).toBe(one.printed);
    expect(hex(unhex(one.key).map((byte, i) => byte ^ unhex(one.half)[i]!))).toBe(one.seal);
    const { recordId, number, from, until } = one.terms;
    const names = [
      unhexed(recordId),
      number,
      Buffer.from(owner.credential.id),
      unhexed(one.team.id),
      from,
      until,
    ];
    const commit = expandBlock(unhexed(one.key), T('capsule commit', ...names));
    expect(commit.toString('hex')).toBe(one.keyCommit);
    expect(T('capsule wrap aad', ...names, commit).toString('hex')).toBe(one.aad);
    const { digest, statement } = verifyCapsule(made.capsule, owner.credential);
    expect(H(T('capsule digest', Buffer.from(statement))).toString('hex')).toBe(one.digest);
    expect(hex(digest)).toBe(one.digest);
  });

  it.each(casesOf(file, 'verify capsule'))('$name', ({ owner, capsule, error }) => {
    const verify = () => verifyCapsule(unhex(capsule), anchorOf(owner));
    if (error !== undefined) expect(refusal(verify)).toBe(error);
    else expect(verify().number).toBe(3);
  });

  it.each(casesOf(file, 'open capsule'))('$name', async (one) => {
    const capsule = verifyCapsule(unhex(one.capsule), anchorOf(one.owner));
    const { reason, time } = one;
    const use = { as: openingOf(one.as), seal: new Secret('capsule seal', unhex(one.seal)), reason, time };
    const open = () => openCapsule(identityOf(one.clinician), capsule, use);
    if (one.error !== undefined) expect(await refusalOf(open)).toBe(one.error);
    else {
      const { content, statement } = await open();
      expect([hex(content), hex(statement)]).toEqual([one.content, one.statement]);
    }
  });

  it.each(casesOf(file, 'verify capsule use'))('$name', (one) => {
    const capsule = verifyCapsule(unhex(one.capsule), anchorOf(one.owner));
    const verify = () => verifyCapsuleUse(unhex(one.statement), anchorOf(one.clinician), capsule);
    if (one.error !== undefined) expect(refusal(verify)).toBe(one.error);
    else expect(verify().reason).toBe('unconscious');
  });

  it.each(casesOf(file, 'read capsule seal'))('$name', ({ text, seal, error }) => {
    const read = () => decodeCapsuleSeal(text);
    if (error !== undefined) expect(refusal(read)).toBe(error);
    else expect(hex(exposeSecret(read()))).toBe(seal);
  });
});

// HKDF-Expand to one block, by its definition.
function expandBlock(key: Buffer, info: Buffer): Buffer {
  return createHmac('sha256', key).update(info).update(Buffer.of(1)).digest();
}
