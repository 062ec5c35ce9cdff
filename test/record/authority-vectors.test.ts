/** The vectors of spec/authority.md, against the library: made where they can be made, and read back. */

import { describe, expect, it } from 'vitest';
import {
  appointGuardians,
  approveRecovery,
  createIdentity,
  exposeSecret,
  hasRole,
  readAnchor,
  readUnverifiedCredential,
  recoverRoot,
  Secret,
  SoftwareDecapsulator,
  SoftwareSigner,
  verifyAppointment,
  verifyApproval,
  verifyCredential,
  verifyRecoveryRequest,
  type Credential,
  type Identity,
} from '../../src/keys/index.ts';
import type { KemId } from '../../src/crypto/index.ts';
import {
  appendEntry,
  decodeAuthority,
  decodeSignedEntry,
  encodeAuthority,
  recordRule,
  startOf,
  TEN_YEARS_AFTER_DEATH,
  type Authority,
  type ChainRules,
  type ChainState,
  type ShownEntry,
} from '../../src/record/index.ts';
import { toHex } from '../../src/wire/index.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { casesOf, readVectors, type CaseOf } from '../vectors/file.ts';
import type { AuthorityCase, PartyJson, ShownJson } from '../vectors/generators/authority.ts';
import { hex, unhex } from '../vectors/hex.ts';

const file = readVectors<AuthorityCase>('authority');
const lives = casesOf(file, 'life');

function item({ entry, payload }: ShownJson): ShownEntry {
  return { ...decodeSignedEntry(unhex(entry)), payload: payload === null ? null : unhex(payload) };
}

function rulesOf(life: CaseOf<AuthorityCase, 'life'>, now: number): ChainRules<Authority> {
  const all = life.credentials.map((encoded) => credentialOf(unhex(encoded)));
  const byId = new Map(all.map((one) => [toHex(one.id), one]));
  const known = (id: Uint8Array): Credential | null => byId.get(toHex(id)) ?? null;
  const authors: ChainRules<Authority>['authors'] = (id) => {
    const credential = known(id);
    return credential === null ? null : { credential, standing: 'valid' };
  };
  const rule = recordRule({
    mayWrite: ({ kind }, author, capacity) =>
      kind === 'annotate' ? capacity !== null : hasRole(author, 'doctor'),
    ...{ retention: TEN_YEARS_AFTER_DEATH, now: () => now, authors, known },
  });
  return { origin: life.origin, recordId: unhex(life.recordId), chain: 'content', authors, rule };
}

describe('lives', () => {
  it.each(lives)('$name', (life) => {
    const rules = rulesOf(life, life.now);
    let at: ChainState<Authority> = startOf(rules.rule);
    for (const one of life.entries) {
      at = appendEntry(item(one), rules, at).after;
      expect(hex(encodeAuthority(at.state))).toBe(one.authority);
      expect(decodeAuthority(unhex(one.authority))).toEqual(at.state);
    }
  });

  it.each(casesOf(file, 'refused'))('refuse: $name', (one) => {
    const life = lives.find(({ name }) => name === one.life)!;
    const all = rulesOf(life, life.now);
    let at: ChainState<Authority> = startOf(all.rule);
    for (const before of life.entries.slice(0, one.after)) at = appendEntry(item(before), all, at).after;
    const rules = rulesOf(life, one.now);
    expect(refusal(() => appendEntry(item(one), rules, at))).toBe(one.error);
  });
});

describe('guardians', () => {
  it.each(casesOf(file, 'appoint'))('$name', async (one) => {
    const terms = {
      ...{ recordId: unhex(one.recordId), threshold: one.threshold, previous: null },
      guardians: one.guardians.map((encoded) => credentialOf(unhex(encoded))),
    };
    const root = new Secret('tree node', unhex(one.root));
    const signed = await appointGuardians(party(one.owner), root, terms, drawing(one.randomness));
    expect(hex(signed)).toBe(one.signed);
  });

  it.each(casesOf(file, 'verify appointment'))('$name', (one) => {
    const run = () => verifyAppointment(unhex(one.signed), credentialOf(unhex(one.owner)));
    expect(refusal(run)).toBe(one.error);
  });

  it.each(casesOf(file, 'approve'))('$name', async (one) => {
    const appointment = verifyAppointment(unhex(one.appointment), credentialOf(unhex(one.owner)));
    const request = verifyRecoveryRequest(unhex(one.request), credentialOf(unhex(one.claimant)));
    const { holding: h, at, randomness = '' } = one;
    const holding = {
      ...{ owner: credentialOf(unhex(h.owner)), appointment: unhex(h.appointment), since: unhex(h.since) },
      spent: h.spent.map(unhex),
    };
    const terms = { holding, at, random: drawing(randomness) };
    const run = () => approveRecovery(party(one.guardian), appointment, request, terms);
    if (one.error !== undefined) expect(await refusalOf(run)).toBe(one.error);
    else expect((await run()) ?? null).toEqual(one.signed ? unhex(one.signed) : null);
  });

  it.each(casesOf(file, 'recover'))('$name', async (one) => {
    const claimant = party(one.claimant);
    const appointment = verifyAppointment(unhex(one.appointment), credentialOf(unhex(one.owner)));
    const request = verifyRecoveryRequest(unhex(one.request), claimant.credential);
    const run = () =>
      recoverRoot(
        claimant,
        { appointment, request },
        one.approvals.map(({ guardian, signed }) =>
          verifyApproval(unhex(signed), credentialOf(unhex(guardian)), { appointment, request }),
        ),
      );
    if (one.error !== undefined) {
      expect(await refusalOf(run)).toBe(one.error);
      return;
    }
    const { root, wrong } = await run();
    expect({ root: hex(exposeSecret(root)), wrong: wrong.map(hex) }).toEqual({
      ...{ root: one.root, wrong: one.wrong },
    });
  });
});

it.each(casesOf(file, 'retention'))('$name', ({ ground, death, earliest }) => {
  expect(TEN_YEARS_AFTER_DEATH.earliest(ground, death)).toBe(earliest);
});

/** A credential of the anchor's who issued all of them: the first of every life. */
function credentialOf(encoded: Uint8Array): Credential {
  const first = unhex(lives[0]!.credentials[0]!);
  const anchor = readAnchor(first, readUnverifiedCredential(first).id);
  return hex(first) === hex(encoded) ? anchor : verifyCredential(encoded, anchor, 'ever');
}

function party({ kem, signingSecret, handshakeSecret, sealingSecret, credential }: PartyJson): Identity {
  const sealing = (secret: string | number): SoftwareDecapsulator =>
    new SoftwareDecapsulator(kem as KemId, new Secret('kem key', unhex(String(secret))));
  const keys = {
    signer: new SoftwareSigner('Ed25519', new Secret('signing key', unhex(String(signingSecret)))),
    ...{ handshake: sealing(handshakeSecret), sealing: sealing(sealingSecret) },
  };
  return createIdentity(keys, credentialOf(unhex(String(credential))));
}

function drawing(randomness: string): (length: number) => Uint8Array {
  let rest = unhex(randomness);
  return (length) => {
    const taken = rest.slice(0, length);
    rest = rest.slice(length);
    return taken;
  };
}
