/** The people and keys of the views' tests, and documents that a dishonest author would make. */

import { hashTuple, KEM_X25519, shuffle, type KemId, type Random } from '../../src/crypto/index.ts';
import {
  compartmentNode,
  createAnchor,
  createRoot,
  exposeSecret,
  nodeKey,
  publishCompartments,
  Secret,
  SoftwareDecapsulator,
  verifyCompartments,
  type Compartments,
  type Identity,
  type NodeSecret,
} from '../../src/keys/index.ts';
import {
  compartmentReader,
  definePolicy,
  groupReader,
  open,
  partyReader,
  seal,
  type BreakGlass,
  type FindCredential,
  type OpenedShare,
  type OpeningReader,
  type OpenOptions,
  type PolicyDefinition,
  type Reader,
  type SealedDocument,
  type SealedField,
  type SealOptions,
  type View,
} from '../../src/views/index.ts';
import { commitClass, commitKey, hashReaders, sealClass } from '../../src/views/classes.ts';
import {
  bodyHash,
  dummyLines,
  encodeManifest,
  signedBytes,
  slotBlind,
  slotOf,
  SUPERSEDES_NONE,
  type WrapKind,
} from '../../src/views/manifest.ts';
import { sealPaths, SKELETON } from '../../src/views/paths.ts';
import { sealWrap, type ClassKey, type OwnerOpening } from '../../src/views/wrap.ts';
import { compareBytes, equalBytes, readJson, toHex } from '../../src/wire/index.ts';
import { seededRandom } from '../vectors/generators/seed.ts';

/** Everybody. */
export interface World {
  readonly random: Random;
  readonly doctor: Identity;
  readonly colleague: Identity;
  readonly patient: Identity;
  readonly clinician: Identity;
  readonly bank: Identity;
  readonly root: NodeSecret;
  readonly compartments: Compartments;
  /** By name: `root`, a compartment (`inbox`, `clinical`, `financial`), or a group (`speciality:cardiology`, …). */
  readonly keys: ReadonlyMap<string, OpeningReader>;
  readonly authors: FindCredential;
  readonly breakGlass: BreakGlass;
}

/** When everything is written. */
export const TIME = 1_700_000_000_000;

/** The names of the groups. */
export const GROUPS = ['speciality:cardiology', 'speciality:dermatology', 'insurer', 'emergency'] as const;
const COMPARTMENTS = ['inbox', 'clinical', 'financial'] as const;

/** A policy with every kind of rule. */
export const POLICY: PolicyDefinition = {
  name: 'test/1',
  rules: [
    { fields: ['/name', '/speciality'], readers: 'public' },
    {
      fields: ['/clinical/**'],
      readers: [{ speciality: '/speciality' }, 'emergency'],
      compartment: 'clinical',
    },
    { fields: ['/cost'], readers: ['insurer', 'emergency'], compartment: 'financial' },
  ],
  otherwise: ['emergency'],
};

/** A document under it, with everything that spelling can differ in. */
export const DOCUMENT =
  '{"name":"Núria","speciality":"cardiology","clinical":[{"note":"\\u00e9\\n","dose":1.00},{"note":"𝄞"},[],{}],' +
  '"cost":12.50e0,"a/b":{"":null,"~n0":[{"__proto__":-0}]}}';

/** Makes a world, the same for the same label. */
export async function createWorld(kem: KemId = KEM_X25519, label = 'views world'): Promise<World> {
  const random = seededRandom(label);
  const make = (subject: string): Promise<Identity> =>
    createAnchor({ subject, roles: [subject], notBefore: 0, notAfter: 4e12 }, { kem, random });
  const [doctor, colleague, patient, clinician, bank] = [
    await make('doctor'),
    await make('colleague'),
    await make('patient'),
    await make('clinician'),
    await make('bank'),
  ];
  const root = createRoot(random);
  const recordId = random(16);
  const signed = await publishCompartments(patient, root, { recordId, names: COMPARTMENTS }, random);
  const compartments = verifyCompartments(signed, patient.credential);
  const keys = new Map<string, OpeningReader>();
  for (const compartment of compartments.list) {
    const key = nodeKey(compartmentNode(root, compartment.name, compartment.epoch), kem);
    keys.set(compartment.name === '' ? 'root' : compartment.name, {
      reader: compartmentReader(compartment),
      key,
    });
  }
  for (const name of GROUPS) {
    const key = new SoftwareDecapsulator(kem, new Secret('kem key', random(32)));
    keys.set(name, {
      reader: groupReader({ name, epoch: 0, kem, publicKey: key.publicKey }),
      key,
    });
  }
  const custodian = partyReader(bank.credential);
  keys.set('custodian', { reader: custodian, key: bank.sealing });
  for (const name of ['custodian-2', 'custodian-3']) {
    const key = new SoftwareDecapsulator(kem, new Secret('kem key', random(32)));
    keys.set(name, {
      reader: groupReader({ name, epoch: 0, kem, publicKey: key.publicKey }),
      key,
    });
  }
  const people = [doctor, colleague, patient, clinician, bank];
  return {
    ...{ random, doctor, colleague, patient, clinician, bank, root, compartments, keys },
    authors: (id) => people.find(({ credential }) => equalBytes(credential.id, id))?.credential ?? null,
    breakGlass: { names: ['emergency'], custodians: [custodian], threshold: 1 },
  };
}

/** A key of the world. */
export function keyOf(world: World, name: string): OpeningReader {
  const key = world.keys.get(name);
  if (key === undefined) throw new Error(`nobody is called ${name}`);
  return key;
}

/** Seals as the doctor. */
export function sealIn(
  world: World,
  text: string,
  definition: PolicyDefinition = POLICY,
  changes: Partial<SealOptions> = {},
): Promise<SealedDocument> {
  return seal(text, {
    policy: definePolicy(definition),
    owner: world.compartments,
    readers: (name) => world.keys.get(name)?.reader ?? null,
    breakGlass: null,
    author: world.doctor,
    time: TIME,
    type: 'test',
    ...changes,
  });
}

/** Released shares as the tests change them; `openIn` makes secrets of them again. */
export function plainShares(shares: readonly OpenedShare[]): ClassKey[] {
  return shares.map(({ index, share }) => ({ index, key: exposeSecret(share) }));
}

/** Options of `open`, with shares in the plain. */
export type OpenChanges = Partial<Omit<OpenOptions, 'releases'>> & {
  readonly releases?: readonly (readonly ClassKey[])[] | null;
};

/** Opens as somebody. */
export function openIn(
  world: World,
  sealed: SealedDocument,
  name: string | readonly string[],
  { releases = null, ...changes }: OpenChanges = {},
): Promise<View | null> {
  return open(sealed, {
    recordId: world.compartments.recordId,
    authors: world.authors,
    as: (typeof name === 'string' ? [name] : name).map((one) => keyOf(world, one)),
    releases:
      releases?.map((list) =>
        list.map(({ index, key }) => ({ index, share: new Secret('key share', key) })),
      ) ?? null,
    ...changes,
  });
}

/** A view that must be there. */
export async function viewIn(...args: Parameters<typeof openIn>): Promise<View> {
  const view = await openIn(...args);
  if (view === null) throw new Error('nothing for this reader');
  return view;
}

/** A class as its author decides on it. */
export interface ForgedClass {
  readonly readers: readonly Reader[];
  readonly fields: readonly SealedField[];
  /** Whether its key travels in clear. */
  readonly open?: boolean;
  /** The reader ids that go into readersHash, where they are to be others. */
  readonly stated?: readonly Uint8Array[];
}

/** One wrap. */
export interface Portion {
  readonly reader: Reader;
  readonly keys: readonly ClassKey[];
  /** The lines that the slot and the delivery state. */
  readonly stated: readonly number[];
  /** What the wrap holds; whole keys if left out. */
  readonly kind?: WrapKind;
  /** How many custodians it says to take; 0 if left out. */
  readonly threshold?: number;
  /** What slot and delivery state of that; the truth if left out. */
  readonly statedKind?: WrapKind;
  readonly statedThreshold?: number;
}

/** Where a dishonest author departs from the rules; what is left out is done as `seal` does it. */
export interface Departures {
  readonly author?: Identity;
  /** Whose wraps there are, what they hold and what their slots state. */
  readonly portions?: (portions: readonly Portion[]) => readonly Portion[];
  readonly blind?: (reader: Reader, blind: Uint8Array) => Uint8Array;
  readonly opening?: (reader: Reader, opening: OwnerOpening | null) => OwnerOpening | null;
  /** The manifest's lines before they are signed. */
  readonly lines?: (classes: Uint8Array[], slots: Uint8Array[], ownerKey: Uint8Array) => void;
  /** The body around the signed manifest. */
  readonly body?: (sealed: SealedDocument) => SealedDocument;
}

/** The id that stands for the public among a class's readers, computed here once more. */
const PUBLIC = [hashTuple('reader', 'public', '', 0, 0, new Uint8Array(0))];

/** Signs a document of exactly these classes: class i stands in line i, reader j in slot j. */
export async function forge(
  world: World,
  classes: readonly ForgedClass[],
  departures: Departures = {},
): Promise<SealedDocument> {
  const { random } = world;
  const author = departures.author ?? world.doctor;
  const names = { recordId: world.compartments.recordId, docId: random(16) };
  const ownerKey = random(32);
  const policy = definePolicy(POLICY);
  const { classes: lines, slots } = dummyLines(ownerKey, names);
  const keyed = classes.map((one, index) => {
    const key = random(32);
    const ids = one.stated ?? [...one.readers.map(({ id }) => id), ...(one.open === true ? PUBLIC : [])];
    const keyCommit = commitKey(key, names);
    const readersHash = hashReaders(ownerKey, names, keyCommit, policy, ids);
    const body = sealClass(key, names, { keyCommit, readersHash }, one.fields);
    lines[index] = commitClass(body);
    return { ...one, index, key, body };
  });
  const readers = [
    ...new Map(keyed.flatMap((one) => one.readers).map((reader) => [toHex(reader.id), reader])).values(),
  ];
  const honest = readers.map((reader): Portion => {
    const keys = keyed
      .filter((one) => one.readers.some(({ id }) => equalBytes(id, reader.id)))
      .map(({ index, key }) => ({ index, key }));
    return { reader, keys, stated: keys.map(({ index }) => index) };
  });
  const portions = (departures.portions?.(honest) ?? honest).map((portion, i) => {
    const derived = slotBlind(ownerKey, names, portion.reader.id);
    const blind = departures.blind?.(portion.reader, derived) ?? derived;
    const { kind = 'keys', threshold = 0 } = portion;
    const delivery = {
      readerId: portion.reader.id,
      kind: portion.statedKind ?? kind,
      threshold: portion.statedThreshold ?? threshold,
      classes: portion.stated,
    };
    slots[i] = slotOf(names, blind, delivery);
    return { ...portion, kind, threshold, blind, delivery };
  });
  departures.lines?.(lines, slots, ownerKey);
  const manifest = encodeManifest({
    ...names,
    author: author.credential.id,
    time: TIME,
    type: 'forged',
    supersedes: SUPERSEDES_NONE,
    classes: lines,
    slots,
  });
  const hash = bodyHash(manifest);
  const byReader = (a: { readerId: Uint8Array }, b: { readerId: Uint8Array }): number =>
    compareBytes(a.readerId, b.readerId);
  const sealed: SealedDocument = {
    manifest,
    signature: await author.signer.sign(signedBytes(hash, author.credential.id)),
    deliveries: portions.map(({ delivery }) => delivery).sort(byReader),
    wraps: portions
      .map(({ reader, keys, kind, threshold, blind }) => {
        const isRoot = reader.kind === 'compartment' && reader.name === '';
        const own = isRoot ? { ownerKey: new Secret('document opening', ownerKey), policy } : null;
        const owner = departures.opening === undefined ? own : departures.opening(reader, own);
        return {
          readerId: reader.id,
          ...sealWrap(reader, hash, { kind, threshold, blind, keys, owner }, random),
        };
      })
      .sort(byReader),
    classes: keyed.map(({ index, body }) => ({ index, ...body })),
    publicKeys: keyed.filter((one) => one.open === true).map(({ index, key }) => ({ index, key })),
  };
  return departures.body?.(sealed) ?? sealed;
}

/** The fields of a document by member of its top object, and the skeleton, as they are sealed. */
export function fieldsOf(world: World, text: string): { fields: SealedField[]; skeleton: SealedField } {
  const tree = readJson(text);
  const { paths, skeleton } = sealPaths(tree, world.random);
  const texts: string[] = [];
  const visit = (node: typeof tree): void => {
    if (node.kind === 'leaf') texts.push(node.text);
    else if (node.kind === 'array') node.items.forEach(visit);
    else
      node.members.forEach((member) => {
        visit(member.node);
      });
  };
  visit(tree);
  return {
    fields: paths.map((path, i) => ({ path, text: texts[i] ?? '' })),
    skeleton: { path: SKELETON, text: JSON.stringify(skeleton) },
  };
}

/** The same items in another order. */
export function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const copy = [...items];
  shuffle(copy, random);
  return copy;
}
