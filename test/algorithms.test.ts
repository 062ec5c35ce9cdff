/**
 * Every algorithm through every room: a party of each kind is enrolled, talks with every other, signs entries, and
 * seals documents that readers of each kind open.
 */

import { describe, expect, it, test } from 'vitest';
import {
  ED25519,
  ES256,
  KEM_MLKEM768_P256,
  KEM_P256,
  KEM_X25519,
  KEM_XWING,
  ML_DSA_65_ED25519,
  type KemId,
} from '../src/crypto/index.ts';
import {
  compartmentNode,
  createAnchor,
  createRoot,
  enrol,
  exportKeys,
  importKeys,
  nodeKey,
  openGroup,
  openRoot,
  publishCompartments,
  publishGroup,
  verifyCompartments,
  verifyGroup,
  type Identity,
  type SoftwareKeys,
} from '../src/keys/index.ts';
import {
  byRole,
  decodeSignedEntry,
  EMPTY_CHAIN,
  encodeSignedEntry,
  signEntry,
  startOf,
  STATEMENT,
  verifyChain,
  withoutRevocations,
} from '../src/record/index.ts';
import {
  compartmentReader,
  decodeSealed,
  definePolicy,
  encodeSealed,
  open,
  partyReader,
  seal,
} from '../src/views/index.ts';
import { ANSWER, bankOptions, played, userOptions, VALIDITY } from './protocol/fixture.ts';
import { seededRandom } from './vectors/generators/seed.ts';

const KINDS: readonly (readonly [string, KemId, string])[] = [
  ['classical', KEM_X25519, ED25519],
  ['of a card', KEM_P256, ES256],
  ['post-quantum', KEM_XWING, ML_DSA_65_ED25519],
  ['split', KEM_MLKEM768_P256, ES256],
];

const anchor = await createAnchor(
  { subject: 'Hospital', roles: ['administrator'], ...VALIDITY },
  { algorithm: ML_DSA_65_ED25519, random: seededRandom('algorithms anchor') },
);

function party(subject: string, [name, kem, algorithm]: (typeof KINDS)[number]): Promise<Identity> {
  const roles = ['doctor', 'keeper:team'];
  const random = seededRandom(`algorithms ${subject} ${name}`);
  return enrol(anchor, { subject, roles, ...VALIDITY }, { kem, algorithm, random });
}

const at = VALIDITY.notBefore + 1;
const parties = await Promise.all(KINDS.map((kind) => party('Dr. Ruiz', kind)));

describe.each(KINDS.map((kind, i) => [kind[0], parties[i]!, kind[1]] as const))(
  'a party, %s',
  (_, one, kem) => {
    test.each(KINDS.map(([name], i) => [name, parties[i]!] as const))(
      'talks with a bank, %s',
      async (__, bank) => {
        if (bank === one) return; // nobody talks with themselves
        const validate = () => one.credential;
        const { conclusion, served } = await played({
          user: one,
          bank,
          userOptions: userOptions(),
          bankOptions: bankOptions({ validate }),
        });
        expect(conclusion.reply.data).toBe(ANSWER);
        expect(served.stage).toBeDefined();
      },
    );

    it('seals what its reader opens', async () => {
      const root = createRoot();
      const recordId = new Uint8Array(16);
      const compartments = verifyCompartments(
        await publishCompartments(one, root, { recordId, names: ['treatments'] }),
        one.credential,
      );
      expect(compartments.list.every((item) => item.kem === kem)).toBe(true);
      const policy = definePolicy({
        name: 'p/1',
        rules: [{ fields: ['/dose'], readers: ['pharmacist'], compartment: 'treatments' }],
        otherwise: [],
      });
      const sealed = await seal('{"dose":1.00,"why":"flu"}', {
        policy,
        owner: compartments,
        readers: () => partyReader(one.credential),
        breakGlass: null,
        author: one,
        time: 1e12,
        type: 'note',
      });
      const travelled = decodeSealed(encodeSealed(sealed));
      const authors = () => one.credential;
      const reader = partyReader(one.credential);
      const view = await open(travelled, {
        recordId,
        authors,
        as: [{ reader, key: one.sealing }],
        releases: null,
      });
      expect(view?.text).toBe('{"dose":1.00}');
      const node = await openRoot(one, compartments);
      const owner = {
        reader: compartmentReader(compartments.list[0]!),
        key: nodeKey(compartmentNode(node, '', 0), kem),
      };
      const whole = await open(travelled, { recordId, authors, as: [owner], releases: null });
      expect(whole?.text).toBe('{"dose":1.00,"why":"flu"}');
    });

    it('writes entries that verify', async () => {
      const chain = { origin: 'bank.example/log', recordId: new Uint8Array(16), chain: 'content' } as const;
      const said = { kind: 'annotate', time: at, payloadType: STATEMENT, seen: null } as const;
      const entry = await signEntry(one, EMPTY_CHAIN, {
        ...chain,
        ...said,
        payloadDigest: new Uint8Array(32),
      });
      const travelled = decodeSignedEntry(encodeSignedEntry(entry));
      const rule = byRole(() => true);
      const rules = { ...chain, authors: withoutRevocations(() => one.credential), rule };
      let verified = 0;
      for await (const item of verifyChain([travelled], rules, startOf(rule))) {
        expect('author' in item && item.author.id).toEqual(one.credential.id);
        verified++;
      }
      expect(verified).toBe(1);
    });

    it('keeps a group, and is a member of one', async () => {
      const signed = await publishGroup(one, {
        name: 'team',
        kem,
        members: parties.map((p) => p.credential),
      });
      const group = verifyGroup(signed, one.credential);
      for (const member of parties)
        expect((await openGroup(member, group))?.publicKey).toEqual(group.publicKey);
    });

    it('fits into a key file', async () => {
      const keys = one as unknown as SoftwareKeys; // enrolled in memory
      const read = await importKeys(await exportKeys(keys, 'passphrase'), 'passphrase');
      expect([read.signer.publicKey, read.handshake.publicKey, read.sealing.publicKey]).toEqual([
        one.credential.signing.publicKey,
        one.credential.handshake.publicKey,
        one.credential.sealing.publicKey,
      ]);
    });
  },
);
