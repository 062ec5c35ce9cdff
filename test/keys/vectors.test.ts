/** test/vectors/keys.json, read back by the library. */

import { createHash, createPrivateKey, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { kem, openOnce, stretch, type KemId, type Random } from '../../src/crypto/index.ts';
import { encodePublicKeys } from '../../src/keys/credential.ts';
import {
  answerChallenge,
  challengePossession,
  checkSeen,
  compartmentNode,
  createIdentity,
  createKeyHistory,
  credentialAsOf,
  credentialId,
  currentCredential,
  deriveNode,
  exportKeys,
  exposeSecret,
  hpkeOpenWith,
  importKeys,
  issueCredential,
  nodeKey,
  openGroup,
  openGroupHistory,
  openRoot,
  publishCompartments,
  publishGroup,
  publishNextEpoch,
  readAnchor,
  readCredentialRequest,
  readUnverifiedCredential,
  renounceCredential,
  requestCredential,
  revokeCredential,
  rotate,
  Secret,
  signStatement,
  SoftwareDecapsulator,
  verifyCompartments,
  verifyCompartmentsHistory,
  verifyCredential,
  verifyGroup,
  verifyGroupHistory,
  verifyNextCompartments,
  verifyNextEpoch,
  verifyRenunciation,
  verifyRevocation,
  verifyStatement,
  type Credential,
  type CredentialFields,
  type GroupChange,
  type KeyHistory,
  type Revocation,
  type Seen,
} from '../../src/keys/index.ts';
import { tuple } from '../../src/wire/index.ts';
import { kemPublicKey } from '../noble.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { casesOf, readVectors } from '../vectors/file.ts';
import {
  anchorOf,
  identityOf,
  keysOf,
  seedsOf,
  type FieldsJson,
  type HeardJson,
  type KeysCase,
  type SeenJson,
} from '../vectors/generators/keys.ts';
import { hex, unhex } from '../vectors/hex.ts';

const file = readVectors<KeysCase>('keys');

it('holds as many cases as it should', () => {
  const counts: Record<string, number> = {};
  for (const { operation } of file.cases) counts[operation] = (counts[operation] ?? 0) + 1;
  expect(counts).toEqual({
    credential: 5,
    'read anchor': 5,
    'verify credential': 44,
    'credential request': 1,
    'read credential request': 8,
    'possession challenge': 1,
    'answer challenge': 9,
    'issue credential': 8,
    'tree node': 6,
    'compartment node': 4,
    'node key': 4,
    statement: 1,
    'verify statement': 12,
    revocation: 3,
    'verify revocation': 20,
    renunciation: 1,
    'verify renunciation': 8,
    'credential as of': 34,
    'current credential': 13,
    compartments: 2,
    'verify compartments': 25,
    'open root': 4,
    rotate: 12,
    'verify compartments history': 21,
    group: 3,
    'verify group': 18,
    'open group': 11,
    'next group': 12,
    'verify group history': 18,
    'open group history': 11,
    'check seen': 7,
    'key file': 4,
    'open key file': 36,
  });
});

describe('credential', () => {
  it.each(casesOf(file, 'credential'))('$name', (one) => {
    const fields = fieldsOf(one.fields);
    expect(hex(encodePublicKeys(fields))).toBe(one.publicKeys);
    const { subject, roles, notBefore, notAfter, serial, issuer } = fields;
    const body = tuple(
      'credential',
      subject,
      roles,
      unhex(one.publicKeys),
      notBefore,
      notAfter,
      serial,
      issuer,
    );
    expect(hex(body)).toBe(one.body);
    expect(createHash('sha256').update(body).digest('hex')).toBe(one.id);
    expect(hex(credentialId(fields))).toBe(one.id);
    expect(hex(tuple('credential signature', body))).toBe(one.signatureInput);
    expect(nodeSign(one.issuerSeed, one.signatureInput)).toBe(one.signature);
    expect(hex(tuple('signed credential', body, unhex(one.signature)))).toBe(one.encoded);
    const { id, ...read } = readUnverifiedCredential(unhex(one.encoded));
    expect(hex(id)).toBe(one.id);
    expect(read).toEqual(fields);
  });
});

describe('read anchor', () => {
  it.each(casesOf(file, 'read anchor'))('$name', ({ encoded, pinnedId, error }) => {
    const read = () => readAnchor(unhex(encoded), unhex(pinnedId));
    if (error !== undefined) expect(refusal(read)).toBe(error);
    else expect(hex(read().id)).toBe(pinnedId);
  });
});

describe('verify credential', () => {
  it.each(casesOf(file, 'verify credential'))('$name', ({ encoded, issuer, at, id, error }) => {
    const verify = () => verifyCredential(unhex(encoded), anchorOf(issuer), at);
    if (error !== undefined) expect(refusal(verify)).toBe(error);
    else {
      expect(hex(verify().id)).toBe(id);
      expect(hex(verify().encoded)).toBe(encoded);
    }
  });
});

describe('possession', () => {
  it.each(casesOf(file, 'credential request'))('$name', async (one) => {
    const keys = keysOf(one.keys);
    const { subject, roles } = one;
    const publicKeys = encodePublicKeys({
      signing: keys.signer,
      handshake: keys.handshake,
      sealing: keys.sealing,
    });
    expect(hex(tuple('credential request', subject, roles, publicKeys))).toBe(one.body);
    expect(hex(tuple('credential request signature', unhex(one.body)))).toBe(one.signatureInput);
    expect(nodeSign(one.keys.signingSecret, one.signatureInput)).toBe(one.signature);
    expect(hex(await requestCredential(keys, { subject, roles }))).toBe(one.request);
    const claim = readCredentialRequest(unhex(one.request));
    expect({ subject: claim.subject, roles: claim.roles }).toEqual({ subject, roles });
    expect(hex(encodePublicKeys(claim))).toBe(hex(publicKeys));
  });

  it.each(casesOf(file, 'read credential request'))('$name', ({ request, error }) => {
    expect(refusal(() => readCredentialRequest(unhex(request)))).toBe(error);
  });

  it.each(casesOf(file, 'possession challenge'))('$name', (one) => {
    const issuer = anchorOf(one.issuer);
    const made = challengePossession(unhex(one.request), issuer, given(one.randomness));
    expect(hex(made.challenge)).toBe(one.challenge);
    expect(hex(exposeSecret(made.expected))).toBe(one.expected);
    expect(createHash('sha256').update(unhex(one.request)).digest('hex')).toBe(one.requestDigest);
    for (const purpose of ['handshake', 'sealing'] as const) {
      const suite = tuple('suite', readCredentialRequest(unhex(one.request))[purpose].kem, 'none');
      expect(hex(tuple('possession', suite, unhex(one.requestDigest)))).toBe(one.info[purpose]);
      expect(hex(tuple('possession aad', purpose, issuer.id))).toBe(one.aad[purpose]);
    }
  });

  it.each(casesOf(file, 'answer challenge'))('$name', async (one) => {
    const answer = () =>
      answerChallenge(keysOf(one.keys), unhex(one.request), unhex(one.challenge), anchorOf(one.issuer));
    if (one.error !== undefined) expect(await refusalOf(answer)).toBe(one.error);
    else expect(hex(await answer())).toBe(one.answer);
  });

  it.each(casesOf(file, 'issue credential'))('$name', async (one) => {
    const { roles, notBefore, notAfter } = one;
    const expected = new Secret('possession answer', unhex(one.expected));
    const issue = () =>
      issueCredential(
        identityOf(one.issuer),
        unhex(one.request),
        { expected, answer: unhex(one.answer) },
        { roles, notBefore, notAfter, serial: unhex(one.serial) },
      );
    if (one.error !== undefined) expect(await refusalOf(issue)).toBe(one.error);
    else expect(hex((await issue()).encoded)).toBe(one.encoded);
  });
});

describe('key tree', () => {
  it.each(casesOf(file, 'tree node'))('$name', ({ root, path, infos, node }) => {
    expect(hex(exposeSecret(deriveNode(nodeOf(root), path)))).toBe(node);
    expect(path.map(({ name, epoch }) => hex(tuple('node', name, epoch)))).toEqual(infos);
  });

  it.each(casesOf(file, 'compartment node'))('$name', ({ root, compartment, epoch, path, node }) => {
    expect(hex(exposeSecret(compartmentNode(nodeOf(root), compartment, epoch)))).toBe(node);
    expect(hex(exposeSecret(deriveNode(nodeOf(root), path)))).toBe(node);
  });

  it.each(casesOf(file, 'node key'))('$name', (one) => {
    const key = nodeKey(nodeOf(one.node), one.kem as KemId);
    expect(hex(exposeSecret(key.secret))).toBe(one.secretKey);
    expect(hex(key.publicKey)).toBe(one.publicKey);
    expect(hex(tuple('node kem', one.kem))).toBe(one.info);
    expect(hex(kem(one.kem).deriveSecretKey(unhex(one.ikm)))).toBe(one.secretKey);
    expect(hex(kemPublicKey(one.kem as KemId, unhex(one.secretKey)))).toBe(one.publicKey);
  });
});

describe('statement', () => {
  it.each(casesOf(file, 'statement'))('$name', async ({ author, body, signatureInput, signed }) => {
    const identity = identityOf(author);
    expect(hex(tuple('statement signature', identity.credential.id, unhex(body)))).toBe(signatureInput);
    const signature = nodeSign(author.signingSecret, signatureInput);
    expect(hex(tuple('signed statement', identity.credential.id, unhex(body), unhex(signature)))).toBe(
      signed,
    );
    expect(hex(await signStatement(identity, unhex(body)))).toBe(signed);
  });

  it.each(casesOf(file, 'verify statement'))('$name', ({ author, signed, body, error }) => {
    const verify = () => verifyStatement(unhex(signed), anchorOf(author));
    if (error !== undefined) expect(refusal(verify)).toBe(error);
    else expect(hex(verify())).toBe(body);
  });
});

describe('revocation', () => {
  it.each(casesOf(file, 'revocation'))('$name', async (one) => {
    const issuer = identityOf(one.issuer);
    const credential = credentialOf(one.credential, issuer.credential);
    const { reason, revokedAt } = one.terms;
    const doubtfulFrom = one.terms.reason === 'compromised' ? one.terms.doubtfulFrom : revokedAt;
    expect(hex(tuple('revocation', credential.id, reason, revokedAt, doubtfulFrom))).toBe(one.body);
    expect(hex(await signStatement(issuer, unhex(one.body)))).toBe(one.signed);
    expect(hex(await revokeCredential(issuer, credential, one.terms))).toBe(one.signed);
  });

  it.each(casesOf(file, 'verify revocation'))('$name', (one) => {
    const issuer = anchorOf(one.issuer);
    const verify = () => verifyRevocation(unhex(one.signed), issuer, one.heardAt);
    if (one.error !== undefined) expect(refusal(verify)).toBe(one.error);
    else {
      const { reason, doubtfulFrom, revokedFrom } = one;
      expect(verify()).toEqual({
        credential: unhex(one.credential!),
        author: issuer.id,
        reason,
        doubtfulFrom,
        revokedFrom,
      });
    }
  });

  it.each(casesOf(file, 'renunciation'))('$name', async (one) => {
    const credential = credentialOf(one.subject.credential, anchorOf(one.issuer));
    const subject = createIdentity(keysOf(one.subject), credential);
    expect(hex(tuple('renunciation', credential.id))).toBe(one.body);
    expect(hex(await signStatement(subject, unhex(one.body)))).toBe(one.signed);
    expect(hex(await renounceCredential(subject))).toBe(one.signed);
  });

  it.each(casesOf(file, 'verify renunciation'))('$name', (one) => {
    const subject = credentialOf(one.subject, anchorOf(one.issuer));
    const verify = () => verifyRenunciation(unhex(one.signed), subject, one.heardAt);
    if (one.error !== undefined) expect(refusal(verify)).toBe(one.error);
    else {
      const { id } = subject;
      const times = { doubtfulFrom: one.revokedFrom, revokedFrom: one.revokedFrom };
      expect(verify()).toEqual({ credential: id, author: id, reason: 'renounced', ...times });
    }
  });
});

describe('key history', () => {
  it.each(casesOf(file, 'credential as of'))('$name', (one) => {
    const judge = () => credentialAsOf(historyOf(one), unhex(one.id), one.at);
    if (one.error !== undefined) expect(refusal(judge)).toBe(one.error);
    else {
      expect(judge().standing).toBe(one.standing);
      expect(hex(judge().credential.id)).toBe(one.id);
    }
  });

  it.each(casesOf(file, 'current credential'))('$name', (one) => {
    const find = () => currentCredential(historyOf(one), one.subject, one.at);
    if (one.error !== undefined) expect(refusal(find)).toBe(one.error);
    else expect(hex(find().id)).toBe(one.id);
  });
});

describe('compartments', () => {
  it.each(casesOf(file, 'compartments'))('$name', async (one) => {
    const owner = identityOf(one.owner);
    const { names } = one;
    const record = { recordId: unhex(one.recordId), names };
    const signed = await publishCompartments(owner, nodeOf(one.root), record, given(one.randomness));
    expect(hex(signed)).toBe(one.signed);
    const compartments = verifyCompartments(signed, owner.credential);
    expect(compartments.list.map((item) => ({ ...item, publicKey: hex(item.publicKey) }))).toEqual(one.list);
    expect(hex(compartments.recordId)).toBe(one.recordId);
    expect(hex(compartments.owner)).toBe(hex(owner.credential.id));
    expect(compartments).toMatchObject({ number: 0, previous: new Uint8Array(32) });
    const digest = createHash('sha256').update(tuple('statement digest', signed)).digest('hex');
    expect([digest, hex(compartments.digest)]).toEqual([one.digest, one.digest]);
    expect(hex(exposeSecret(await openRoot(owner, compartments)))).toBe(one.root);
    const suite = tuple('suite', owner.sealing.kem, 'none');
    expect(hex(tuple('root wrap', suite, owner.credential.id))).toBe(one.rootInfo);
    expect(hex(tuple('root wrap aad', unhex(one.recordId)))).toBe(one.rootAad);
    expect(hex(tuple('root', unhex(one.root)))).toBe(one.rootPlaintext);
  });

  it.each(casesOf(file, 'verify compartments'))('$name', ({ owner, signed, error }) => {
    const verify = () => verifyCompartments(unhex(signed), anchorOf(owner));
    if (error !== undefined) expect(refusal(verify)).toBe(error);
    else expect(verify().list[0]?.name).toBe('');
  });

  it.each(casesOf(file, 'open root'))('$name', async ({ owner, signed, root, error }) => {
    const identity = identityOf(owner);
    const compartments = verifyCompartments(unhex(signed), identity.credential);
    if (error !== undefined) expect(await refusalOf(() => openRoot(identity, compartments))).toBe(error);
    else expect(hex(exposeSecret(await openRoot(identity, compartments)))).toBe(root);
  });
});

describe('rotation', () => {
  it.each(casesOf(file, 'rotate'))('$name', async (one) => {
    const owner = identityOf(one.owner);
    const { names, added } = one;
    const signer = one.previousOwner === undefined ? owner.credential : anchorOf(one.previousOwner);
    const previous = verifyCompartments(unhex(one.previous), signer);
    const random = given(one.randomness ?? '');
    const make = () => rotate(owner, nodeOf(one.root), previous, { names, added }, random);
    if (one.error !== undefined) {
      expect(await refusalOf(make)).toBe(one.error);
      return;
    }
    const signed = await make();
    expect(hex(signed)).toBe(one.signed);
    const next = verifyNextCompartments(signed, owner.credential, previous);
    expect(next.list.map((item) => ({ ...item, publicKey: hex(item.publicKey) }))).toEqual(one.list);
    for (const { name, epoch, kem: id, publicKey } of next.list)
      expect(nodeKey(compartmentNode(nodeOf(one.root), name, epoch), id).publicKey).toEqual(publicKey);
    expect(hex(exposeSecret(await openRoot(owner, next)))).toBe(one.root);
  });

  it.each(casesOf(file, 'verify compartments history'))('$name', ({ owner, signed, seen, error }) => {
    const verify = () => verifyCompartmentsHistory(signed.map(unhex), [anchorOf(owner)], seenOf(seen));
    if (error !== undefined) expect(refusal(verify)).toBe(error);
    else expect(verify().length).toBe(signed.length);
  });
});

describe('group', () => {
  it.each(casesOf(file, 'group'))('$name', async (one) => {
    const keeper = identityOf(one.keeper);
    const members = one.members.map(anchorOf);
    const { name } = one.group;
    const group = { name, kem: one.group.kem as KemId };
    const signed = await publishGroup(keeper, { ...group, members }, given(one.randomness));
    expect(hex(signed)).toBe(one.signed);
    const verified = verifyGroup(signed, keeper.credential);
    expect({ name: verified.name, kem: verified.kem }).toEqual(group);
    expect(verified).toMatchObject({ epoch: 0, ladder: null, previous: new Uint8Array(32) });
    expect(hex(verified.digest)).toBe(one.digest);
    const digest = createHash('sha256').update(tuple('statement digest', signed)).digest('hex');
    expect(digest).toBe(one.digest);
    expect(hex(verified.publicKey)).toBe(one.publicKey);
    expect(verified.members.map((member) => hex(member.id))).toEqual(members.map((member) => hex(member.id)));
    const key = new SoftwareDecapsulator(group.kem, new Secret('kem key', unhex(one.seed)));
    expect(hex(key.publicKey)).toBe(one.publicKey);
    expect(
      members.map(({ sealing, id }) => hex(tuple('group wrap', tuple('suite', sealing.kem, 'none'), id))),
    ).toEqual(one.wrapInfos);
    expect(hex(tuple('group wrap aad', name, 0, group.kem, unhex(one.publicKey)))).toBe(one.wrapAad);
    expect(hex(tuple('group key', unhex(one.seed)))).toBe(one.wrapPlaintext);
  });

  it.each(casesOf(file, 'verify group'))('$name', ({ keeper, signed, error }) => {
    const verify = () => verifyGroup(unhex(signed), anchorOf(keeper));
    if (error !== undefined) expect(refusal(verify)).toBe(error);
    else expect(verify().name).toBe('speciality:cardiology');
  });

  it.each(casesOf(file, 'open group'))('$name', async ({ keeper, member, signed, seed, error }) => {
    const group = verifyGroup(unhex(signed), anchorOf(keeper));
    const open = () => openGroup(identityOf(member), group);
    if (error !== undefined) {
      expect(await refusalOf(open)).toBe(error);
      return;
    }
    const key = await open();
    if (seed === null) expect(key).toBeNull();
    else expect(hex(exposeSecret(key!.secret))).toBe(seed);
  });
});

describe('group history', () => {
  it.each(casesOf(file, 'next group'))('$name', async (one) => {
    const keeper = identityOf(one.keeper);
    const previous = verifyGroup(unhex(one.previous), keeper.credential);
    const change: GroupChange = {
      kem: one.kem as KemId,
      staying: one.staying.map(anchorOf),
      joining: one.joining.map(anchorOf),
      leaving: one.leaving.map(unhex),
      history: one.history === null ? 'no history' : keyOfHistory(previous.kem, one.history),
    };
    const publish = () => publishNextEpoch(keeper, previous, change, given(one.randomness ?? ''));
    if (one.error !== undefined) {
      expect(await refusalOf(publish)).toBe(one.error);
      return;
    }
    expect(hex(await publish())).toBe(one.signed);
    const next = verifyNextEpoch(unhex(one.signed!), keeper.credential, previous);
    expect(hex(next.publicKey)).toBe(one.publicKey);
    expect(next.members.map(({ id }) => hex(id))).toEqual(
      [...change.staying, ...change.joining].map(({ id }) => hex(id)),
    );
    expect(hex(keyOfHistory(next.kem, one.seed!).publicKey)).toBe(one.publicKey);
    expect(next.ladder === null).toBe(one.ladder === null);
    if (one.ladder === undefined || one.ladder === null || next.ladder === null) return;
    const { info, aad, plaintext } = one.ladder;
    const opened = await hpkeOpenWith(
      keyOfHistory(next.kem, one.seed!),
      unhex(info),
      unhex(aad),
      next.ladder,
    );
    expect(hex(opened.plaintext)).toBe(plaintext);
    expect(hex(tuple('group ladder key', unhex(one.history!)))).toBe(plaintext);
  });

  it.each(casesOf(file, 'verify group history'))('$name', ({ keepers, signed, seen, error }) => {
    const verify = () => verifyGroupHistory(signed.map(unhex), keepers.map(anchorOf), seenOf(seen));
    if (error !== undefined) expect(refusal(verify)).toBe(error);
    else {
      const { epochs, newest, seen: now } = verify();
      expect(epochs.at(-1)).toBe(newest);
      expect(now).toEqual({ number: newest.epoch, digest: newest.digest });
    }
  });

  it.each(casesOf(file, 'open group history'))('$name', async ({ keepers, member, signed, keys, error }) => {
    const history = verifyGroupHistory(signed.map(unhex), keepers.map(anchorOf), null);
    const open = () => openGroupHistory(identityOf(member), history);
    if (error !== undefined) {
      expect(await refusalOf(open)).toBe(error);
      return;
    }
    const opened = await open();
    expect(
      opened.map(({ group, key }) => ({ epoch: group.epoch, seed: hex(exposeSecret(key.secret)) })),
    ).toEqual(keys);
  });

  it.each(casesOf(file, 'check seen'))('$name', ({ current, seen, error }) => {
    const { number, previous, digest } = current;
    const check = () => checkSeen({ number, previous: unhex(previous), digest: unhex(digest) }, seenOf(seen));
    if (error !== undefined) expect(refusal(check)).toBe(error);
    else expect(check()).toEqual({ number, digest: unhex(digest) });
  });
});

describe('key file', () => {
  it.each(casesOf(file, 'key file'))('$name', async (one) => {
    expect(await exportKeys(keysOf(one.keys), one.passphrase, given(one.salt + one.sealSalt))).toBe(one.file);
    expect(seedsOf(await importKeys(one.file, one.passphrase))).toEqual(one.keys);
    const { n, r, p, sealed } = JSON.parse(one.file);
    const key = await stretch(one.passphrase, unhex(one.salt), { n, r, p });
    expect(hex(key)).toBe(one.stretchedKey);
    expect(hex(tuple('key file context', n, r, p, unhex(one.salt)))).toBe(one.context);
    const content = openOnce(key, unhex(one.context), new Uint8Array(Buffer.from(sealed, 'base64url')));
    expect(hex(content)).toBe(one.content);
  });

  it.each(casesOf(file, 'open key file'))('$name', async ({ passphrase, file: text, keys, error }) => {
    const open = () => importKeys(text, passphrase);
    if (error !== undefined) expect(await refusalOf(open)).toBe(error);
    else expect(seedsOf(await open())).toEqual(keys);
  });
});

function fieldsOf({ signing, handshake, sealing, ...rest }: FieldsJson): CredentialFields {
  return {
    ...rest,
    signing: { algorithm: signing.algorithm, publicKey: unhex(signing.publicKey) },
    handshake: { kem: kem(handshake.kem).id, publicKey: unhex(handshake.publicKey) },
    sealing: { kem: kem(sealing.kem).id, publicKey: unhex(sealing.publicKey) },
    serial: unhex(rest.serial),
    issuer: unhex(rest.issuer),
  };
}

// A credential that the issuer gave, or one that its subject gave itself.
function credentialOf(encoded: string, issuer: Credential): Credential {
  const selfIssued = readUnverifiedCredential(unhex(encoded)).issuer.every((byte) => byte === 0);
  return selfIssued ? anchorOf(encoded) : verifyCredential(unhex(encoded), issuer, 'ever');
}

function historyOf(one: {
  readonly issuer: string;
  readonly credentials: readonly string[];
  readonly revocations: readonly HeardJson[];
}): KeyHistory {
  const issuer = anchorOf(one.issuer);
  const credentials = one.credentials.map((encoded) => verifyCredential(unhex(encoded), issuer, 'ever'));
  const revocations = one.revocations.map(({ kind, author, signed, heardAt }): Revocation => {
    const credential = credentialOf(author, issuer);
    const verify = kind === 'revocation' ? verifyRevocation : verifyRenunciation;
    return verify(unhex(signed), credential, heardAt);
  });
  return createKeyHistory(issuer, { credentials, revocations });
}

function seenOf(seen: SeenJson | null): Seen | null {
  return seen === null ? null : { number: seen.number, digest: unhex(seen.digest) };
}

function keyOfHistory(id: KemId, secret: string): SoftwareDecapsulator {
  return new SoftwareDecapsulator(id, new Secret('kem key', unhex(secret)));
}

function nodeOf(bytes: string): Secret<'tree node'> {
  return new Secret('tree node', unhex(bytes));
}

// Ed25519 by Node's own hand: PKCS#8 is a fixed prefix and the seed.
function nodeSign(seed: string, message: string): string {
  const der = Buffer.from('302e020100300506032b657004220420' + seed, 'hex');
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return sign(null, unhex(message), key).toString('hex');
}

// Randomness that was written down: the next bytes of it, and an error if more is wanted than there is.
function given(randomness: string): Random {
  let rest = unhex(randomness);
  return (length) => {
    if (rest.length < length) throw new RangeError('more randomness than was written down');
    const taken = rest.slice(0, length);
    rest = rest.slice(length);
    return taken;
  };
}
