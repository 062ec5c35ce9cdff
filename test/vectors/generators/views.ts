/** Vectors of spec/views.md: policies, sealed documents with every value between, openings, grants, break-glass, annexes. */

import {
  aeadOpen,
  chunkSeal,
  deriveTuple,
  hashTuple,
  hpkeOpen,
  KEM_X25519,
  KEM_XWING,
  keyStream,
  sha256,
} from '../../../src/crypto/index.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import {
  compartmentNode,
  exposeSecret,
  Secret,
  signStatement,
  SoftwareDecapsulator,
  suite,
  type Decapsulator,
  type Identity,
  type SoftwareKeys,
} from '../../../src/keys/index.ts';
import { commitClass, openClass } from '../../../src/views/classes.ts';
import { decodeManifest, dummyLines, signedBytes, slotBlind, slotOf } from '../../../src/views/manifest.ts';
import { openOwnWrap } from '../../../src/views/open.ts';
import { decodeTerms, encodeTerms, type StatedTerms } from '../../../src/views/terms.ts';
import {
  annexName,
  declareEmergency,
  definePolicy,
  encodeAnnex,
  encodeSealed,
  explain,
  disclose,
  grant,
  encodeCapsuleSeal,
  makeCapsule,
  openCapsule,
  openRelease,
  passOn,
  release,
  sealAnnex,
  selectFor,
  verifyDisclosure,
  verifyCapsule,
  verifyEmergency,
  verifyGrant,
  verifySealed,
  type Annex,
  type BreakGlass,
  type ClassKey,
  type Granted,
  type GrantTerms,
  type OpeningReader,
  type PolicyDefinition,
  type PolicyRestriction,
  type Reader,
  type Release,
  type ReleaseContext,
  type SealedDocument,
  type SignedGrant,
  type WrapKind,
} from '../../../src/views/index.ts';
import {
  concat,
  readJson,
  toHex,
  tuple,
  TupleReader,
  utf8,
  type TupleItem,
} from '../../../src/wire/index.ts';
import { flipped } from '../../mutation.ts';
import {
  createWorld,
  DOCUMENT,
  fieldsOf,
  forge,
  keyOf,
  openIn,
  plainShares,
  POLICY,
  sealIn,
  viewIn,
  type Departures,
  type ForgedClass,
  type World,
} from '../../views/fixture.ts';
import type { VectorCase, VectorFile } from '../file.ts';
import { annexRangeCases, type AnnexRangeCase } from './annex.ts';
import { hex } from '../hex.ts';
import type { Party } from './keys.ts';
import { recordedRandom, seededRandom } from './seed.ts';

/** What a capsule says of itself. */
export interface CapsuleJson {
  readonly recordId: string;
  readonly number: number;
  readonly from: number;
  readonly until: number;
}

/** A reader. */
export interface ReaderJson {
  readonly kind: string;
  readonly name: string;
  readonly epoch: number;
  readonly kem: number;
  readonly publicKey: string;
  readonly id: string;
}

/** A reader with the seed of its private key. */
export interface OpeningJson extends ReaderJson {
  readonly seed: string;
}

/** A class's key, or half of one. */
export interface KeyJson {
  readonly index: number;
  readonly key: string;
}

/** One release. */
export interface ReleaseJson {
  readonly bodyHash: string;
  readonly until: number;
  readonly encapsulation: string;
  readonly ciphertext: string;
}

/** What ties a release to an emergency. */
export interface ContextJson {
  readonly custodian: string;
  readonly clinician: string;
  readonly emergencyHash: string;
}

/** What a grant says. */
export interface TermsJson {
  readonly recordId: string;
  readonly purpose: string;
  readonly from: number;
  readonly until: number;
  readonly mayPassOn: boolean;
}

/** A grant that is passed on: its statement, and the credential of who made it. */
export interface UnderJson {
  readonly grantor: string;
  readonly statement: string;
}

/** What a grant hands over. */
export type GrantedJson =
  | {
      readonly kind: 'compartment';
      readonly name: string;
      readonly epoch: number;
      readonly kem: number;
      readonly node: string;
    }
  | { readonly kind: 'classes'; readonly bodyHash: string; readonly keys: readonly KeyJson[] }
  | { readonly kind: 'fields'; readonly disclosure: string };

/** A class with every value between. */
export interface ClassJson {
  readonly index: number;
  readonly open: boolean;
  readonly key: string;
  readonly keyCommit: string;
  readonly readers: readonly string[];
  readonly readersSalt: string;
  readonly readersHash: string;
  readonly saltsKey: string;
  readonly fields: readonly { path: string; text: string; salt: string; leaf: string }[];
  readonly leavesHash: string;
  readonly contentKey: string;
  readonly aad: string;
  readonly padded: string;
  readonly ciphertext: string;
  readonly commitment: string;
}

export type ViewsCase = AnnexRangeCase | ViewCase;

type ViewCase = VectorCase &
  (
    | {
        readonly operation: 'policy';
        readonly policy: PolicyDefinition;
        readonly encoded?: string;
        readonly hash?: string;
      }
    | {
        readonly operation: 'explain';
        readonly policy: PolicyDefinition;
        readonly document: string;
        readonly explained: readonly {
          pointer: string;
          rule: number | null;
          restrictions: readonly number[];
          readers: 'public' | readonly string[];
          compartment: string;
        }[];
      }
    | {
        readonly operation: 'seal';
        readonly document: string;
        readonly policy: PolicyDefinition;
        readonly policyHash: string;
        readonly recordId: string;
        readonly compartments: readonly ReaderJson[];
        /** The reader behind each name that the policy gives. */
        readonly readers: readonly { readonly named: string; readonly reader: ReaderJson }[];
        readonly breakGlass: {
          readonly names: readonly string[];
          readonly custodians: readonly ReaderJson[];
          readonly threshold: number;
        } | null;
        readonly author: Party;
        readonly time: number;
        readonly type: string;
        readonly supersedes: string;
        readonly randomness: string;
        readonly docId: string;
        readonly ownerKey: string;
        readonly classes: readonly ClassJson[];
        readonly slots: readonly {
          line: number;
          readerId: string;
          blind: string;
          kind: string;
          threshold: number;
          classes: readonly number[];
          slot: string;
        }[];
        readonly dummies: readonly string[];
        readonly manifest: string;
        readonly bodyHash: string;
        readonly signatureInput: string;
        readonly signature: string;
        readonly wraps: readonly { opening: OpeningJson; info: string; aad: string; plaintext: string }[];
        readonly sealed: string;
      }
    | {
        readonly operation: 'open';
        readonly sealed: string;
        readonly recordId: string;
        readonly authors: readonly string[];
        readonly as: readonly OpeningJson[];
        /** One list for each custodian. */
        readonly releases: readonly (readonly KeyJson[])[] | null;
        /** `null` where there is nothing for these readers. */
        readonly text?: string | null;
        readonly complete?: boolean;
        readonly fields?: readonly { path: string; text: string; classIndex: number }[];
        /** Of the owner: the ids of the readers who hold halves only. */
        readonly halved?: readonly string[];
      }
    | {
        readonly operation: 'grant';
        readonly grantor: Party;
        readonly grantee: string;
        readonly terms: TermsJson;
        readonly granted: GrantedJson;
        /** The statement and grantor of the grant that is passed on, if it is one. */
        readonly under: UnderJson | null;
        readonly randomness: string;
        readonly info: string;
        readonly aad: string;
        readonly plaintext: string;
        readonly wrap: string;
        readonly body: string;
        readonly statement: string;
      }
    | {
        readonly operation: 'open grant';
        readonly grantee: Party;
        readonly grantor: string;
        readonly recordId: string;
        readonly at: number;
        readonly under: UnderJson | null;
        readonly statement: string;
        readonly wrap: string;
        readonly granted?: GrantedJson;
      }
    | {
        readonly operation: 'verify disclosure';
        readonly recordId: string;
        readonly authors: readonly string[];
        readonly disclosure: string;
        readonly text?: string;
        readonly fields?: readonly { path: string; text: string; classIndex: number }[];
      }
    | {
        readonly operation: 'emergency';
        readonly clinician: Party;
        readonly recordId: string;
        readonly reason: string;
        readonly kem: number;
        readonly seed: string;
        readonly publicKey: string;
        readonly body: string;
        readonly statement: string;
      }
    | {
        readonly operation: 'capsule';
        readonly owner: Party;
        readonly team: OpeningJson;
        readonly content: string;
        readonly terms: CapsuleJson;
        readonly randomness: string;
        readonly key: string;
        readonly half: string;
        readonly keyCommit: string;
        readonly info: string;
        readonly aad: string;
        readonly digest: string;
        readonly seal: string;
        readonly printed: string;
        readonly capsule: string;
      }
    | { readonly operation: 'verify capsule'; readonly owner: string; readonly capsule: string }
    | {
        readonly operation: 'open capsule';
        readonly clinician: Party;
        readonly owner: string;
        readonly capsule: string;
        readonly as: OpeningJson;
        readonly seal: string;
        readonly reason: string;
        readonly time: number;
        readonly content?: string;
        readonly statement?: string;
      }
    | {
        readonly operation: 'verify capsule use';
        readonly clinician: string;
        readonly owner: string;
        readonly capsule: string;
        readonly statement: string;
      }
    | { readonly operation: 'read capsule seal'; readonly text: string; readonly seal?: string }
    | { readonly operation: 'verify emergency'; readonly clinician: string; readonly statement: string }
    | {
        readonly operation: 'release';
        readonly sealed: string;
        readonly recordId: string;
        readonly authors: readonly string[];
        readonly custodian: OpeningJson;
        readonly clinician: string;
        readonly statement: string;
        readonly context: ContextJson;
        readonly until: number;
        readonly randomness: string;
        readonly info: string;
        readonly aad: string;
        readonly plaintext: string;
        readonly release: ReleaseJson;
      }
    | {
        readonly operation: 'open release';
        readonly kem: number;
        readonly seed: string;
        readonly context: ContextJson;
        readonly at: number;
        readonly release: ReleaseJson;
        readonly shares?: readonly KeyJson[];
      }
    | {
        readonly operation: 'annex';
        readonly recordId: string;
        readonly docId: string;
        readonly mediaType: string;
        readonly plaintext: string;
        readonly key: string;
        readonly streamKey: string;
        readonly chunks: readonly string[];
        readonly ciphertext: string;
        readonly root: string;
        readonly annexName: string;
        readonly text: string;
      }
    | {
        readonly operation: 'open annex';
        readonly recordId: string;
        readonly docId: string;
        readonly text: string;
        readonly ciphertext: string;
        readonly plaintext?: string;
      }
  );

/** The file. */
export async function generate(): Promise<VectorFile<ViewsCase>> {
  const world = await createWorld(KEM_X25519, 'views vectors');
  return {
    description: 'Policies, sealed documents, openings, grants, break-glass and annexes, made and refused.',
    spec: 'spec/views.md',
    cases: [
      ...policyCases(),
      ...(await sealCases(world)),
      ...(await openCases(world)),
      ...(await forgedCases(world)),
      ...(await grantCases(world)),
      ...(await emergencyCases(world)),
      ...(await capsuleCases(world)),
      ...(await annexCases()),
      ...annexRangeCases(),
    ],
  };
}

const SMALL: PolicyDefinition = {
  name: 'small/1',
  rules: [
    { fields: ['/name'], readers: 'public' },
    { fields: ['/cost'], readers: ['insurer', 'emergency'], compartment: 'financial' },
  ],
  otherwise: ['emergency'],
};
const SMALL_DOCUMENT = '{"name":"Núria","cost":12.50,"notes":["a",1e2]}';

const RESTRICTION: PolicyRestriction = {
  within: '/*/*',
  labels: ['/label/*/code'],
  values: ['R'],
  readers: [],
  compartment: 'restricted',
};
const RESTRICTED: PolicyDefinition = {
  ...POLICY,
  restrictions: [
    {
      within: '',
      labels: ['/cost/**', '/name'],
      values: ['R', 'é'],
      readers: [{ s: '../x' }, 'emergency'],
      compartment: 'clinical',
    },
    { within: '/clinical/*', labels: ['/note'], values: ['V'], readers: [], compartment: 'inbox' },
  ],
};
// 128 patterns of 128 tokens; with the one of `otherwise`, a token more than there may be.
const LONG = [{ fields: Array.from({ length: 128 }, (_, i) => `${'/a'.repeat(127)}/${i}`), readers: [] }];

function refusedRestrictions(): [string, Partial<PolicyRestriction>][] {
  return [
    ['a restriction within no pattern', { within: 'a' }],
    ['a restriction without places for labels', { labels: [] }],
    ['a restriction with a label at the empty pattern', { labels: [''] }],
    ['a restriction without values', { values: [] }],
    ['a restriction with a value twice', { values: ['R', 'R'] }],
    ['a restriction with an empty value', { values: [''] }],
    ['a restriction to the public', { readers: ['public'] }],
    ['a restriction into the root', { compartment: '' }],
  ];
}

function policyCases(): ViewsCase[] {
  const { hash } = definePolicy(POLICY);
  const rules = [
    [['/name', '/speciality'], 'public', 'inbox'],
    [['/clinical/**'], [['speciality', '/speciality'], ['emergency']], 'clinical'],
    [['/cost'], [['insurer'], ['emergency']], 'financial'],
    [['/**'], [['emergency']], 'inbox'],
  ];
  const encoded = tuple('policy', 'test/1', rules, []);
  const restricted = tuple('policy', 'test/1', rules, [
    ['', ['/cost/**', '/name'], ['R', '\u00e9'], [['s', '../x'], ['emergency']], 'clinical'],
    ['/clinical/*', ['/note'], ['V'], [], 'inbox'],
  ]);
  const base: PolicyDefinition = { name: 'p/1', rules: [], otherwise: [] };
  const refused: (readonly [string, PolicyDefinition])[] = [
    ['no name', { ...base, name: '' }],
    ['a name without a version', { ...base, name: 'p' }],
    ['a version with a leading zero', { ...base, name: 'p/01' }],
    ['a pattern of 129 tokens', { ...base, rules: [{ fields: ['/a'.repeat(129)], readers: [] }] }],
    ['more tokens than a policy may have', { ...base, rules: LONG }],
    ['a rule without patterns', { ...base, rules: [{ fields: [], readers: 'public' }] }],
    ['a pattern without a slash', { ...base, rules: [{ fields: ['a'], readers: [] }] }],
    ['a misspelt escape', { ...base, rules: [{ fields: ['/~2'], readers: [] }] }],
    ['any depth five times', { ...base, rules: [{ fields: ['/**/**/**/**/**'], readers: [] }] }],
    [
      'one pattern in two rules',
      {
        ...base,
        rules: [
          { fields: ['/a'], readers: ['x'] },
          { fields: ['/a'], readers: ['y'] },
        ],
      },
    ],
    ['the public among others', { ...base, otherwise: ['public'] }],
    ['a reader of two pointers', { ...base, otherwise: [{ a: '/a', b: '/b' }] }],
    ['a pointer that starts nowhere', { ...base, otherwise: [{ a: 'b' }] }],
    ['the root as a compartment', { ...base, otherwiseCompartment: '' }],
    ...refusedRestrictions().map(
      ([name, changes]) => [name, { ...base, restrictions: [{ ...RESTRICTION, ...changes }] }] as const,
    ),
  ];
  const explained = (name: string, policy: PolicyDefinition, document: string): ViewsCase => ({
    name: `explain: ${name}`,
    operation: 'explain',
    policy,
    document,
    explained: explain(definePolicy(policy), readJson(document)).map(
      ({ pointer, rule, restrictions, readers, compartment }) => ({
        ...{ pointer, rule, restrictions, readers, compartment },
      }),
    ),
  });
  return [
    {
      name: 'policy: every kind of rule',
      operation: 'policy',
      policy: POLICY,
      encoded: hex(encoded),
      hash: hex(hash),
    },
    {
      name: 'policy: restrictions',
      operation: 'policy',
      policy: RESTRICTED,
      encoded: hex(restricted),
      hash: hex(definePolicy(RESTRICTED).hash),
    },
    ...refused.map(([name, policy]): ViewsCase => ({
      name: `policy: ${name}`,
      operation: 'policy',
      policy,
      error: 'VIEW_POLICY',
    })),
    explained('every kind of rule', POLICY, DOCUMENT),
    explained(
      'first match, relative pointers, wildcards',
      {
        name: 'p/1',
        rules: [
          { fields: ['/visits/*/price'], readers: ['insurer'], compartment: 'money' },
          { fields: ['/visits/**', '/**/note'], readers: [{ speciality: '../speciality' }] },
          { fields: ['/**/note/**'], readers: 'public' },
        ],
        otherwise: [],
      },
      '{"visits":[{"speciality":"cardiology","price":1,"note":"x"}],"speciality":"x","note":{"note":[]},"free":{}}',
    ),
    explained(
      'restrictions: nested, from the public, by a pointer, in the order of the list',
      {
        name: 'p/1',
        rules: [
          { fields: ['/open/**'], readers: 'public' },
          { fields: ['/visits/**'], readers: ['a', 'b', { s: '/s' }], compartment: 'clinical' },
        ],
        otherwise: ['b'],
        restrictions: [
          { ...RESTRICTION, readers: ['a', { s: '../s' }, 'c'], compartment: 'restricted' },
          {
            ...RESTRICTION,
            within: '/**',
            labels: ['/mark'],
            values: ['V'],
            readers: ['a'],
            compartment: 'very',
          },
        ],
      },
      '{"s":"x","open":[{"mark":"V","y":1},{"mark":"v","y":1}],"visits":[{"label":[{"code":"\\u0052"}],"s":"x","n":1},' +
        '{"label":[{"code":"R"}],"s":"y","in":{"mark":"V","n":[]}},{"label":["R"],"n":1},{"label":[{"code":["R"]}]}]}',
    ),
  ];
}

function readerJson(reader: Reader): ReaderJson {
  const { kind, name, epoch, kem, publicKey, id } = reader;
  return { kind, name, epoch, kem, publicKey: hex(publicKey), id: hex(id) };
}

function openingJson({ reader, key }: OpeningReader): OpeningJson {
  return { ...readerJson(reader), seed: seedOf(key) };
}

// All keys of the vectors live in memory.
function seedOf(key: Decapsulator): string {
  if (!(key instanceof SoftwareDecapsulator)) throw new TypeError('a software key');
  return hex(exposeSecret(key.secret));
}

function partyJson(identity: Identity): Party {
  const { signer, handshake, sealing } = identity as unknown as SoftwareKeys;
  return {
    kem: sealing.kem,
    algorithm: signer.algorithm,
    signingSecret: hex(exposeSecret(signer.secret)),
    handshakeSecret: seedOf(handshake),
    sealingSecret: seedOf(sealing),
    credential: hex(identity.credential.encoded),
  };
}

async function sealCases(world: World): Promise<ViewsCase[]> {
  const hybrid = await createWorld(KEM_XWING, 'views vectors hybrid');
  return [
    await sealCase(world, 'every kind of rule', DOCUMENT, POLICY),
    await sealCase(world, 'break-glass', SMALL_DOCUMENT, SMALL, { breakGlass: world.breakGlass }),
    await sealCase(world, 'break-glass by two custodians of three', '{"cost":1}', SMALL, {
      breakGlass: twoOfThree(world),
    }),
    await sealCase(world, 'a document that is one value, all of it public', '"\\u00e9"', {
      name: 'open/1',
      rules: [{ fields: ['/**'], readers: 'public' }],
      otherwise: [],
    }),
    await sealCase(world, 'a document that supersedes another', '{}', SMALL, { supersedes: true }),
    await sealCase(hybrid, 'X-Wing', '{"cost":1}', { ...SMALL, otherwise: [] }),
  ];
}

async function sealCase(
  world: World,
  name: string,
  document: string,
  policy: PolicyDefinition,
  other: { readonly breakGlass?: BreakGlass; readonly supersedes?: boolean } = {},
): Promise<ViewsCase> {
  const { random, taken } = recordedRandom(`views seal ${name}`);
  const breakGlass = other.breakGlass ?? null;
  const supersedes = other.supersedes === true ? new Uint8Array(32).fill(0xab) : new Uint8Array(32);
  const sealed = await sealIn(world, document, policy, { random, breakGlass, supersedes });
  const verified = verifySealed(sealed, { recordId: world.compartments.recordId, authors: world.authors });
  const { manifest, bodyHash } = verified;
  const root = await openOwnWrap(verified, keyOf(world, 'root'));
  if (!root?.owner) throw new Error('the root opens');
  const ownerKey = exposeSecret(root.owner.ownerKey);
  const dummies = dummyLines(ownerKey, manifest);
  const names = new Set(
    explain(definePolicy(policy), readJson(document)).flatMap(({ readers }) =>
      readers === 'public' ? [] : readers,
    ),
  );
  return {
    name: `seal: ${name}`,
    operation: 'seal',
    document,
    policy,
    policyHash: hex(definePolicy(policy).hash),
    recordId: hex(manifest.recordId),
    compartments: ['root', 'inbox', 'clinical', 'financial'].map((one) =>
      readerJson(keyOf(world, one).reader),
    ),
    readers: [...names].sort().map((named) => ({ named, reader: readerJson(keyOf(world, named).reader) })),
    breakGlass:
      breakGlass === null ? null : { ...breakGlass, custodians: breakGlass.custodians.map(readerJson) },
    author: partyJson(world.doctor),
    time: manifest.time,
    type: manifest.type,
    supersedes: hex(supersedes),
    randomness: taken(),
    docId: hex(manifest.docId),
    ownerKey: hex(ownerKey),
    classes: root.keys.map((key) => classJson(sealed, manifest, ownerKey, key)),
    slots: sealed.deliveries.map((delivery) => {
      const { readerId, kind, threshold, classes } = delivery;
      const blind = slotBlind(ownerKey, manifest, readerId);
      const slot = slotOf(manifest, blind, delivery);
      const line = manifest.slots.findIndex((one) => hex(one) === hex(slot));
      return { line, readerId: hex(readerId), blind: hex(blind), kind, threshold, classes, slot: hex(slot) };
    }),
    dummies: [...dummies.classes, ...dummies.slots].map(hex),
    manifest: hex(sealed.manifest),
    bodyHash: hex(bodyHash),
    signatureInput: hex(signedBytes(bodyHash, manifest.author)),
    signature: hex(sealed.signature),
    wraps: await Promise.all(sealed.wraps.map((wrap) => wrapJson(world, wrap, bodyHash))),
    sealed: hex(encodeSealed(sealed)),
  };
}

function classJson(
  sealed: SealedDocument,
  names: { readonly recordId: Uint8Array; readonly docId: Uint8Array },
  ownerKey: Uint8Array,
  { index, key }: ClassKey,
): ClassJson {
  const own = sealed.classes.find((one) => one.index === index);
  if (own === undefined) throw new Error('the class is there');
  const { recordId, docId } = names;
  const { readersHash, keyCommit, leavesHash, ciphertext } = own;
  const open = sealed.publicKeys.some((one) => one.index === index);
  const readers = sealed.deliveries
    .filter(({ classes }) => classes.includes(index))
    .map(({ readerId }) => hex(readerId));
  if (open) readers.push(hex(hashTuple('reader', 'public', '', 0, 0, new Uint8Array(0))));
  const { fields } = openClass(key, names, own);
  const saltsKey = deriveTuple(key, 'salts', recordId, docId);
  const salts = keyStream(saltsKey, 32 * fields.length);
  const contentKey = deriveTuple(key, 'class key', recordId, docId, readersHash, leavesHash);
  const aad = tuple('class aad', recordId, docId, readersHash, leavesHash);
  return {
    index,
    open,
    key: hex(key),
    keyCommit: hex(keyCommit),
    readers: readers.sort(),
    readersSalt: hex(deriveTuple(ownerKey, 'readers salt', recordId, docId, keyCommit)),
    readersHash: hex(readersHash),
    saltsKey: hex(saltsKey),
    fields: fields.map(({ path, text }, j) => {
      const salt = salts.subarray(32 * j, 32 * j + 32);
      return {
        path,
        text,
        salt: hex(salt),
        leaf: hex(hashTuple('leaf', recordId, docId, keyCommit, j, salt, path, text)),
      };
    }),
    leavesHash: hex(leavesHash),
    contentKey: hex(contentKey),
    aad: hex(aad),
    padded: hex(aeadOpen(contentKey, aad, ciphertext)),
    ciphertext: hex(ciphertext),
    commitment: hex(commitClass(own)),
  };
}

async function wrapJson(
  world: World,
  wrap: SealedDocument['wraps'][0],
  bodyHash: Uint8Array,
): Promise<{ opening: OpeningJson; info: string; aad: string; plaintext: string }> {
  const opening = [...world.keys.values()].find(({ reader }) => toHex(reader.id) === toHex(wrap.readerId));
  if (opening === undefined) throw new Error('every reader is known');
  const { kem, id } = opening.reader;
  const info = tuple('wrap', suite(kem), id);
  const aad = tuple('wrap aad', bodyHash);
  const shared = await opening.key.decapsulate(wrap.encapsulation);
  const { plaintext } = hpkeOpen(kem, shared, info, aad, wrap.ciphertext);
  return { opening: openingJson(opening), info: hex(info), aad: hex(aad), plaintext: hex(plaintext) };
}

/** One opening, with the result that the library gives or the code by which it is to be refused. */
async function openCase(
  world: World,
  name: string,
  sealed: SealedDocument | Uint8Array,
  as: readonly string[],
  other: {
    error?: ErrorCode;
    releases?: readonly (readonly ClassKey[])[];
    recordId?: Uint8Array;
    authors?: readonly Identity[];
  } = {},
): Promise<ViewsCase> {
  const releases = other.releases ?? null;
  const base = {
    name: `open: ${name}`,
    operation: 'open',
    sealed: hex(sealed instanceof Uint8Array ? sealed : encodeSealed(sealed)),
    recordId: hex(other.recordId ?? world.compartments.recordId),
    authors: (other.authors ?? [world.doctor]).map(({ credential }) => hex(credential.encoded)),
    as: as.map((one) => openingJson(keyOf(world, one))),
    releases: releases?.map((list) => list.map(({ index, key }) => ({ index, key: hex(key) }))) ?? null,
  } as const;
  if (other.error !== undefined) return { ...base, error: other.error };
  if (sealed instanceof Uint8Array) throw new TypeError('a document that opens is given as one');
  const view = await openIn(world, sealed, as, { releases });
  if (view === null) return { ...base, text: null };
  const fields = view.fields.map(({ path, text, classIndex }) => ({ path, text, classIndex }));
  const halved = view.account === null ? {} : { halved: view.account.halved.map(hex) };
  return { ...base, text: view.text, complete: view.complete, fields, ...halved };
}

async function openCases(world: World): Promise<ViewsCase[]> {
  const random = seededRandom('views open');
  const sealed = await sealIn(world, SMALL_DOCUMENT, SMALL, { random });
  const sibling = await sealIn(world, SMALL_DOCUMENT, SMALL, { random });
  const closed = await sealIn(world, '1', { ...SMALL, otherwise: ['insurer'] }, { random });
  const part = selectFor(sealed, [keyOf(world, 'insurer').reader.id], false);
  const by = (name: string) => {
    const id = toHex(keyOf(world, name).reader.id);
    return ({ readerId }: { readonly readerId: Uint8Array }): boolean => toHex(readerId) === id;
  };
  const not = (name: string) => (one: { readonly readerId: Uint8Array }) => !by(name)(one);
  const [own] = sealed.deliveries.filter(by('insurer'));
  const cost = own?.classes[0] ?? 0;
  const broken = async (
    name: string,
    error: ErrorCode,
    as: string,
    changes: Partial<SealedDocument>,
  ): Promise<ViewsCase> => openCase(world, name, { ...sealed, ...changes }, [as], { error });
  const damaged = sealed.classes.map((one) =>
    one.index === cost ? { ...one, ciphertext: flipped(one.ciphertext, 9) } : one,
  );
  const exchanged = sealed.classes.map((one, i) => ({ ...(sealed.classes[i ^ 1] ?? one), index: one.index }));
  const insurers = sealed.wraps.find(by('insurer')) ?? sealed.wraps[0]!;
  const verified = verifySealed(sealed, { recordId: world.compartments.recordId, authors: world.authors });
  const leaked = (await openOwnWrap(verified, keyOf(world, 'insurer')))?.keys ?? [];
  const bytes = encodeSealed(sealed);
  const lines = decodeManifest(sealed.manifest);
  const manifest = (changes: Readonly<Record<number, TupleItem>>): Uint8Array => {
    const { recordId, docId, author, time, type, supersedes, classes, slots } = lines;
    const items: TupleItem[] = [recordId, docId, author, time, type, supersedes, classes, slots];
    return tuple('manifest', ...Object.assign(items, changes));
  };
  const restated = (name: string, changes: Readonly<Record<number, TupleItem>>): Promise<ViewsCase> =>
    broken(name, 'VIEW_MANIFEST', 'root', { manifest: manifest(changes) });
  return [
    await openCase(world, 'the owner', sealed, ['root']),
    await openCase(world, 'a compartment', sealed, ['financial']),
    await openCase(world, 'a group', sealed, ['insurer']),
    await openCase(world, 'a group’s part alone', part, ['insurer']),
    await openCase(world, 'a group and a compartment', sealed, ['insurer', 'inbox']),
    await openCase(world, 'a reader of everything', sealed, ['emergency']),
    await openCase(world, 'the public', sealed, ['speciality:cardiology']),
    await openCase(world, 'nothing for this reader', closed, ['speciality:cardiology']),
    await openCase(world, 'bytes missing', bytes.subarray(0, -1), ['root'], { error: 'VIEW_MANIFEST' }),
    await openCase(world, 'bytes too many', concat(bytes, new Uint8Array(1)), ['root'], {
      error: 'VIEW_MANIFEST',
    }),
    await openCase(world, 'another record', sealed, ['root'], {
      error: 'VIEW_MANIFEST',
      recordId: new Uint8Array(16),
    }),
    await restated('a manifest of fifteen classes', { 6: lines.classes.slice(1) }),
    await restated('a manifest of seventeen slots', { 7: [...lines.slots, new Uint8Array(32)] }),
    await restated('a type of 65 bytes', { 4: 'x'.repeat(65) }),
    await openCase(world, 'an unknown author', sealed, ['root'], {
      error: 'VIEW_AUTHOR',
      authors: [world.colleague],
    }),
    await broken('a signature changed', 'VIEW_AUTHOR', 'root', { signature: flipped(sealed.signature, 0) }),
    await broken('a manifest changed', 'VIEW_AUTHOR', 'root', { manifest: flipped(sealed.manifest, 60) }),
    await broken('another document’s signature', 'VIEW_AUTHOR', 'root', { signature: sibling.signature }),
    await broken('a ciphertext changed', 'VIEW_COMMITMENT', 'root', { classes: damaged }),
    await broken('classes exchanged', 'VIEW_COMMITMENT', 'root', { classes: exchanged }),
    await broken('another document’s classes', 'VIEW_COMMITMENT', 'root', { classes: sibling.classes }),
    await broken('a class twice', 'VIEW_ORDER', 'root', {
      classes: [...sealed.classes, sealed.classes[0]!],
    }),
    await broken('a wrap twice', 'VIEW_ORDER', 'root', { wraps: [...sealed.wraps, sealed.wraps[0]!] }),
    await broken('classes in another order', 'VIEW_ORDER', 'root', {
      classes: [...sealed.classes].reverse(),
    }),
    await broken('wraps in another order', 'VIEW_ORDER', 'root', { wraps: [...sealed.wraps].reverse() }),
    await broken('deliveries in another order', 'VIEW_ORDER', 'root', {
      deliveries: [...sealed.deliveries].reverse(),
    }),
    await broken('a delivery’s classes in another order', 'VIEW_ORDER', 'root', {
      deliveries: sealed.deliveries.map((one) => ({ ...one, classes: [...one.classes].reverse() })),
    }),
    await broken('a delivery twice', 'VIEW_ORDER', 'root', {
      deliveries: [...sealed.deliveries, sealed.deliveries[0]!],
    }),
    await broken('a public key changed', 'VIEW_COMMITMENT', 'insurer', {
      publicKeys: sealed.publicKeys.map((one) => ({ ...one, key: flipped(one.key, 0) })),
    }),
    await broken('another reader’s wrap', 'VIEW_WRAP', 'emergency', {
      wraps: sealed.wraps.map((one) =>
        by('emergency')(one) ? { ...insurers, readerId: one.readerId } : one,
      ),
    }),
    await broken('another document’s wraps', 'VIEW_WRAP', 'insurer', { wraps: sibling.wraps }),
    await broken('a delivery of other classes', 'VIEW_WRAP', 'insurer', {
      deliveries: sealed.deliveries.map((one) => (by('insurer')(one) ? { ...one, classes: [] } : one)),
    }),
    await broken('a class of one’s own missing', 'VIEW_INCOMPLETE', 'insurer', {
      classes: sealed.classes.filter(({ index }) => index !== cost),
    }),
    await broken('a wrap missing whose delivery is there', 'VIEW_INCOMPLETE', 'insurer', {
      wraps: sealed.wraps.filter(not('insurer')),
    }),
    await broken('a delivery missing whose wrap is there', 'VIEW_INCOMPLETE', 'insurer', {
      deliveries: sealed.deliveries.filter(not('insurer')),
    }),
    await broken('the owner’s wrap withheld', 'VIEW_INCOMPLETE', 'root', {
      wraps: sealed.wraps.filter(not('root')),
      deliveries: sealed.deliveries.filter(not('root')),
    }),
    await broken('a delivery kept from the owner', 'VIEW_INCOMPLETE', 'root', {
      wraps: sealed.wraps.filter(not('insurer')),
      deliveries: sealed.deliveries.filter(not('insurer')),
    }),
    await broken('a public key kept from the owner', 'VIEW_INCOMPLETE', 'root', { publicKeys: [] }),
    await broken('a class published by its reader', 'VIEW_INCOMPLETE', 'root', {
      publicKeys: [...sealed.publicKeys, ...leaked].sort((a, b) => a.index - b.index),
    }),
  ];
}

async function forgedCases(original: World): Promise<ViewsCase[]> {
  const world = { ...original, random: seededRandom('views forged') };
  const [root, insurer, cardiology] = ['root', 'insurer', 'speciality:cardiology'].map(
    (name) => keyOf(world, name).reader,
  ) as [Reader, Reader, Reader];
  const { fields, skeleton } = fieldsOf(world, '{"x":1,"y":2}');
  const [x, y] = fields as [ForgedClass['fields'][0], ForgedClass['fields'][0]];
  const honest: readonly ForgedClass[] = [
    { readers: [root, insurer], fields: [x] },
    { readers: [root, cardiology], fields: [y] },
    { readers: [root], fields: [skeleton] },
  ];
  const is = (one: Reader, other: Reader): boolean => toHex(one.id) === toHex(other.id);
  const owner = async (
    name: string,
    error: ErrorCode,
    classes: readonly ForgedClass[],
    departures: Departures = {},
    as = 'root',
  ): Promise<ViewsCase> =>
    openCase(world, `an author who ${name}`, await forge(world, classes, departures), [as], { error });
  const told = { ...x, text: '666' };
  const reading = (name: string, list: ForgedClass['fields']): Promise<ViewsCase> =>
    owner(name, 'VIEW_EQUIVOCATION', [{ readers: [root, insurer], fields: list }], {}, 'insurer');
  return [
    await owner('tells one field in two ways', 'VIEW_EQUIVOCATION', [
      honest[0]!,
      { readers: [root, cardiology], fields: [told, y] },
      honest[2]!,
    ]),
    await owner('makes two classes for the same readers', 'VIEW_EQUIVOCATION', [
      honest[0]!,
      { readers: [root, insurer], fields: [y] },
      honest[2]!,
    ]),
    await owner('gives one reader two wraps', 'VIEW_ORDER', honest, {
      portions: (all) => [
        ...all,
        { ...all.find(({ reader }) => is(reader, insurer))!, keys: [], stated: [] },
      ],
    }),
    await owner('keeps a class from the owner', 'VIEW_INCOMPLETE', [
      ...honest,
      { readers: [insurer], fields: [{ path: '/z', text: '1' }] },
    ]),
    await owner('fills a line with something else', 'VIEW_INCOMPLETE', honest, {
      lines: (classes) => (classes[9] = new Uint8Array(32)),
    }),
    await owner('adds a slot', 'VIEW_INCOMPLETE', honest, {
      lines: (_, slots) => (slots[9] = new Uint8Array(32)),
    }),
    await owner('states a slot of other classes', 'VIEW_INCOMPLETE', honest, {
      portions: (all) => all.map((one) => (is(one.reader, insurer) ? { ...one, stated: [1] } : one)),
    }),
    await owner('states other readers', 'VIEW_INCOMPLETE', [
      { ...honest[0]!, stated: [root.id] },
      ...honest.slice(1),
    ]),
    await owner('publishes under the readers’ own hash', 'VIEW_INCOMPLETE', [
      { readers: [root], fields: [x, y], open: true, stated: [root.id] },
      honest[2]!,
    ]),
    await owner('keeps D from the owner', 'VIEW_INCOMPLETE', honest, { opening: () => null }),
    await owner('gives the owner another D', 'VIEW_INCOMPLETE', honest, {
      opening: (_, own) =>
        own === null ? null : { ...own, ownerKey: new Secret('document opening', new Uint8Array(32)) },
    }),
    await owner('leaves the skeleton out', 'VIEW_INCOMPLETE', [{ readers: [root], fields: [x, y] }]),
    await owner('writes a skeleton of other fields', 'VIEW_EQUIVOCATION', [
      { readers: [root], fields: [x, y, { ...skeleton, text: '"{\\"x\\":0}"' }] },
    ]),
    await owner(
      'says halves of whole keys',
      'VIEW_WRAP',
      honest,
      {
        portions: (all) =>
          all.map((one) =>
            is(one.reader, insurer) ? { ...one, statedKind: 'half', statedThreshold: 1 } : one,
          ),
      },
      'insurer',
    ),
    await owner(
      'says whole keys of halves',
      'VIEW_WRAP',
      honest,
      {
        portions: (all) =>
          all.map((one) =>
            is(one.reader, insurer)
              ? { ...one, kind: 'half', threshold: 1, statedKind: 'keys', statedThreshold: 0 }
              : one,
          ),
      },
      'insurer',
    ),
    await owner('gives the owner halves', 'VIEW_INCOMPLETE', honest, {
      portions: (all) =>
        all.map((one) => (is(one.reader, root) ? { ...one, kind: 'half', threshold: 1 } : one)),
    }),
    await owner(
      'states a slot that the reader’s wrap does not fit',
      'VIEW_WRAP',
      honest,
      { portions: (all) => all.map((one) => (is(one.reader, insurer) ? { ...one, stated: [1] } : one)) },
      'insurer',
    ),
    await owner(
      'hands D to another reader',
      'VIEW_WRAP',
      honest,
      {
        opening: (_, own) =>
          own ?? {
            ownerKey: new Secret('document opening', new Uint8Array(32)),
            policy: definePolicy(POLICY),
          },
      },
      'insurer',
    ),
    await reading('writes one path twice', [x, told]),
    await reading('writes a path below a leaf', [x, { path: '/x/y', text: '1' }]),
    await reading('writes a path without a slash', [x, { path: 'z', text: '1' }]),
    await reading('misspells an escape', [{ path: '/~2', text: '1' }]),
    await reading('mixes names and indices', [x, { path: '/~n0000000000000000', text: '1' }]),
    await reading('goes 129 levels deep', [{ path: '/a'.repeat(129), text: '1' }]),
    await reading('writes a value with white space', [{ path: '/x', text: ' 1' }]),
    await reading('writes a container as a value', [{ path: '/x', text: '[1]' }]),
  ];
}

function grantedJson(granted: Granted): GrantedJson {
  switch (granted.kind) {
    case 'compartment': {
      const { kind, name, epoch, kem } = granted;
      return { kind, name, epoch, kem, node: hex(exposeSecret(granted.node)) };
    }
    case 'classes': {
      const keys = granted.keys.map(({ index, key }) => ({ index, key: hex(exposeSecret(key)) }));
      return { kind: granted.kind, bodyHash: hex(granted.bodyHash), keys };
    }
    case 'fields':
      return { kind: granted.kind, disclosure: hex(granted.disclosure) };
  }
}

/** A statement's body, and the wrap's associated data in it. */
function statedIn(statement: Uint8Array): { body: Uint8Array; wrapHash: Uint8Array; aad: Uint8Array } {
  const outer = TupleReader.labelled(statement, 'signed statement');
  outer.bytes();
  const body = outer.bytes();
  const inner = TupleReader.labelled(body, 'grant');
  inner.bytes();
  return { body, wrapHash: inner.bytes(), aad: inner.bytes() };
}

async function grantCases(original: World): Promise<ViewsCase[]> {
  const world = { ...original, random: seededRandom('views granted') };
  const { patient, colleague, clinician } = world;
  const { recordId } = world.compartments;
  const terms: GrantTerms = {
    ...{ recordId, purpose: 'second opinion', from: 100, until: 200, mayPassOn: false },
  };
  const sealed = await sealIn(world, SMALL_DOCUMENT, SMALL, { random: world.random });
  const [view, insurers] = [await viewIn(world, sealed, 'root'), await viewIn(world, sealed, 'insurer')];
  const disclosure = disclose(sealed, view, ['/cost']);
  const node: Granted = {
    ...{ kind: 'compartment', name: 'clinical', epoch: 0, kem: KEM_X25519 },
    node: compartmentNode(world.root, 'clinical', 0),
  };
  const keys: Granted = { kind: 'classes', bodyHash: view.bodyHash, keys: insurers.keys };
  const fields: Granted = { kind: 'fields', disclosure };
  const made = async (name: string, granted: Granted, mayPassOn: boolean): Promise<ViewsCase> => {
    const { random, taken } = recordedRandom(`views grant ${name}`);
    const own = { ...terms, mayPassOn };
    const signed = await grant(patient, colleague.credential, { terms: own, granted }, random);
    return grantCase(
      `grant: ${name}`,
      { grantor: patient, grantee: colleague, terms: own, granted, signed },
      taken(),
    );
  };
  const grantCase = async (
    name: string,
    one: {
      readonly grantor: Identity;
      readonly grantee: Identity;
      readonly terms: GrantTerms;
      readonly granted: Granted;
      readonly signed: SignedGrant;
      readonly under?: UnderJson;
    },
    randomness: string,
  ): Promise<ViewsCase> => {
    const { body, aad } = statedIn(one.signed.statement);
    const info = tuple('grant wrap', suite(KEM_X25519), one.grantee.credential.id);
    const parts = new TupleReader(one.signed.wrap);
    const shared = await one.grantee.sealing.decapsulate(parts.bytes());
    const { plaintext } = hpkeOpen(KEM_X25519, shared, info, aad, parts.bytes());
    const stated: ViewsCase = {
      name,
      operation: 'grant',
      grantor: partyJson(one.grantor),
      grantee: hex(one.grantee.credential.encoded),
      terms: { ...one.terms, recordId: hex(recordId) },
      granted: grantedJson(one.granted),
      under: one.under ?? null,
      randomness,
      info: hex(info),
      aad: hex(aad),
      plaintext: hex(plaintext),
      wrap: hex(one.signed.wrap),
      body: hex(body),
      statement: hex(one.signed.statement),
    };
    return stated;
  };
  const signedOf = (one: ViewsCase): SignedGrant => {
    if (one.operation !== 'grant') throw new TypeError('a grant');
    return { statement: unhexed(one.statement), wrap: unhexed(one.wrap) };
  };
  const compartment = await made('a compartment', node, true);
  const classes = await made('classes of a document', keys, true);
  const shown = await made('fields of a document', fields, false);
  const under = { grantor: hex(patient.credential.encoded), statement: hex(signedOf(compartment).statement) };
  const recorded = recordedRandom('views grant passed on');
  const passing = {
    terms,
    granted: node,
    under: verifyGrant(signedOf(compartment).statement, patient.credential, null),
  };
  const second = await passOn(colleague, clinician.credential, passing, recorded.random);
  const passed = await grantCase(
    'grant: passed on',
    { grantor: colleague, grantee: clinician, terms, granted: node, signed: second, under },
    recorded.taken(),
  );

  const json = ({ statement, wrap }: SignedGrant): { statement: string; wrap: string } => {
    return { statement: hex(statement), wrap: hex(wrap) };
  };
  const opening = (name: string, changes: object = {}, granted: Granted | null = null): ViewsCase => ({
    name: `open grant: ${name}`,
    operation: 'open grant',
    grantee: partyJson(colleague),
    grantor: hex(patient.credential.encoded),
    recordId: hex(recordId),
    at: 150,
    under: null,
    ...json(signedOf(compartment)),
    ...changes,
    ...(granted === null ? { error: 'VIEW_GRANT' as const } : { granted: grantedJson(granted) }),
  });
  const { statement, wrap } = signedOf(compartment);
  const stated = decodeTerms(statedIn(statement).aad);
  const restated = async (changes: Partial<StatedTerms>, by = patient): Promise<object> => {
    const aad = encodeTerms({ ...stated, ...changes });
    const body = tuple('grant', colleague.credential.id, statedIn(statement).wrapHash, aad);
    return { statement: hex(await signStatement(by, body)) };
  };
  const again = await grant(
    patient,
    colleague.credential,
    { terms: { ...terms, mayPassOn: true }, granted: node },
    world.random,
  );
  const bySecond = {
    grantee: partyJson(clinician),
    grantor: hex(colleague.credential.encoded),
    ...json(second),
  };
  return [
    ...[compartment, classes, shown, passed],
    opening('within its time', {}, node),
    opening('on its first millisecond', { at: 100 }, node),
    opening('on its last millisecond', { at: 200 }, node),
    opening('classes', json(signedOf(classes)), keys),
    opening('fields', json(signedOf(shown)), fields),
    opening('passed on', { ...bySecond, under }, node),
    opening('passed on, and no grant that allows it', bySecond),
    opening('passed on under another grant', {
      ...bySecond,
      under: { grantor: under.grantor, statement: hex(again.statement) },
    }),
    opening('passed on under a grant without leave', {
      ...bySecond,
      under: { grantor: under.grantor, statement: hex(signedOf(shown).statement) },
    }),
    opening('not passed on, and held to be', { under }),
    opening('too early', { at: 99 }),
    opening('too late', { at: 201 }),
    opening('another grantee', { grantee: partyJson(clinician) }),
    opening('another grantor', { grantor: hex(world.doctor.credential.encoded) }),
    opening('another record', { recordId: '00'.repeat(16) }),
    opening('another grant’s wrap', { wrap: hex(again.wrap) }),
    opening('a wrap of classes', { wrap: hex(signedOf(classes).wrap) }),
    opening('a wrap changed', { wrap: hex(flipped(wrap, 50)) }),
    opening('a statement changed', { statement: hex(flipped(statement, 150)) }),
    opening('a longer time over the same wrap', await restated({ until: 4e12 })),
    opening(
      'another scope over the same wrap',
      await restated({ scope: { kind: 'compartment', name: 'financial', epoch: 0 } }),
    ),
    opening(
      'another epoch over the same wrap',
      await restated({ scope: { kind: 'compartment', name: 'clinical', epoch: 1 } }),
    ),
    opening('a parent over the same wrap', await restated({ parent: new Uint8Array(32).fill(1) })),
    opening('another grantor’s name', {
      ...(await restated({}, world.doctor)),
      grantor: hex(world.doctor.credential.encoded),
    }),
    ...disclosureCases(world, disclosure, sealed),
  ];
}

function disclosureCases(world: World, disclosure: Uint8Array, sealed: SealedDocument): ViewsCase[] {
  const authors = [hex(world.doctor.credential.encoded)];
  const { recordId } = world.compartments;
  const { text, fields } = verifyDisclosure(disclosure, { recordId, authors: world.authors });
  const base = { operation: 'verify disclosure', recordId: hex(recordId), authors } as const;
  const refused = (name: string, bytes: Uint8Array, error: ErrorCode, changes: object = {}): ViewsCase => ({
    name: `disclosure: ${name}`,
    ...base,
    disclosure: hex(bytes),
    error,
    ...changes,
  });
  const at = (needle: Uint8Array): number => Buffer.from(disclosure).indexOf(needle);
  const value = at(Buffer.from('12.50'));
  return [
    {
      name: 'disclosure: one field',
      ...base,
      disclosure: hex(disclosure),
      text,
      fields: fields.map(({ path, text: own, classIndex }) => ({ path, text: own, classIndex })),
    },
    refused('a value changed', flipped(disclosure, value), 'VIEW_DISCLOSURE'),
    refused('a salt changed', flipped(disclosure, value - 20), 'VIEW_DISCLOSURE'),
    refused('a manifest changed', flipped(disclosure, at(sealed.manifest) + 60), 'VIEW_AUTHOR'),
    refused('a signature changed', flipped(disclosure, at(sealed.signature)), 'VIEW_AUTHOR'),
    refused('bytes missing', disclosure.subarray(0, -1), 'VIEW_DISCLOSURE'),
    refused('bytes too many', concat(disclosure, new Uint8Array(1)), 'VIEW_DISCLOSURE'),
    refused('another record', disclosure, 'VIEW_DISCLOSURE', { recordId: '00'.repeat(16) }),
    refused('an unknown author', disclosure, 'VIEW_AUTHOR', { authors: [] }),
    refused('nothing', tuple('disclosure', sealed.manifest, sealed.signature, []), 'VIEW_DISCLOSURE'),
  ];
}

const unhexed = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

const releaseJson = ({ bodyHash, until, encapsulation, ciphertext }: Release): ReleaseJson => ({
  bodyHash: hex(bodyHash),
  until,
  encapsulation: hex(encapsulation),
  ciphertext: hex(ciphertext),
});

async function emergencyCases(world: World): Promise<ViewsCase[]> {
  const { clinician, bank } = world;
  const { recordId } = world.compartments;
  const reason = 'unconscious after an accident';
  const declared = await declareEmergency(
    clinician,
    { recordId, reason, kem: KEM_X25519 },
    seededRandom('views emergency'),
  );
  const { publicKey } = declared.key;
  const body = tuple('emergency', recordId, reason, KEM_X25519, publicKey);
  const seed = seedOf(declared.key);
  const verify = (name: string, statement: Uint8Array, by = clinician, error?: ErrorCode): ViewsCase => ({
    name: `verify emergency: ${name}`,
    operation: 'verify emergency',
    clinician: hex(by.credential.encoded),
    statement: hex(statement),
    ...(error === undefined ? {} : { error }),
  });
  const malformed: [string, Uint8Array][] = [
    ['without a reason', tuple('emergency', recordId, ' ', KEM_X25519, publicKey)],
    ['a reason of 513 bytes', tuple('emergency', recordId, 'x'.repeat(513), KEM_X25519, publicKey)],
    ['an unknown KEM', tuple('emergency', recordId, reason, 0x10, publicKey)],
    ['a key of 31 bytes', tuple('emergency', recordId, reason, KEM_X25519, publicKey.subarray(1))],
    ['another label', tuple('grant', recordId, reason, KEM_X25519, publicKey)],
  ];
  const sealed = await sealIn(world, SMALL_DOCUMENT, SMALL, {
    random: seededRandom('views break-glass'),
    breakGlass: world.breakGlass,
  });
  const other = await sealIn(world, SMALL_DOCUMENT, SMALL, {
    random: seededRandom('views break-glass of another'),
    breakGlass: world.breakGlass,
  });
  const secret = await sealIn(
    world,
    '{"cost":1}',
    { ...SMALL, rules: SMALL.rules.slice(1) },
    {
      random: seededRandom('views break-glass and nothing public'),
      breakGlass: world.breakGlass,
    },
  );
  const team = toHex(keyOf(world, 'emergency').reader.id);
  const restated = (kind: string): Uint8Array => {
    const deliveries = sealed.deliveries.map((one) =>
      // No other kind is a value of the type; one stands here for what a peer may write.
      toHex(one.readerId) === team ? { ...one, kind: kind as WrapKind } : one,
    );
    return encodeSealed({ ...sealed, deliveries });
  };
  const verified = verifySealed(sealed, { recordId, authors: world.authors });
  const custodian = keyOf(world, 'custodian');
  const context: ReleaseContext = {
    custodian: bank.credential.id,
    clinician: clinician.credential.id,
    emergencyHash: seededRandom('views emergency entry')(32),
  };
  const contextJson = {
    custodian: hex(context.custodian),
    clinician: hex(context.clinician),
    emergencyHash: hex(context.emergencyHash),
  };
  const until = 1000;
  const recorded = recordedRandom('views release');
  const emergency = verifyEmergency(declared.statement, clinician.credential);
  const released = await release(custodian, verified, emergency, { context, until, random: recorded.random });
  if (released === null) throw new Error('the custodian holds shares');
  const shares = plainShares(await openRelease(declared.key, released, { context, at: until }));
  const sharesJson = shares.map(({ index, key }) => ({ index, key: hex(key) }));
  const plaintext = tuple(
    'release shares',
    shares.map(({ index, key }) => [index, key]),
  );
  const opening = (name: string, changes: object = {}, refused = true): ViewsCase => ({
    name: `open release: ${name}`,
    operation: 'open release',
    kem: KEM_X25519,
    seed,
    context: contextJson,
    at: until,
    release: releaseJson(released),
    ...changes,
    ...(refused ? { error: 'VIEW_RELEASE' as const } : { shares: sharesJson }),
  });
  const fewer = shares.slice(1);
  const wrong = shares.map(({ index, key }) => ({ index, key: flipped(key, 9) }));
  return [
    {
      name: 'emergency: declared',
      operation: 'emergency',
      clinician: partyJson(clinician),
      recordId: hex(recordId),
      reason,
      kem: KEM_X25519,
      seed,
      publicKey: hex(publicKey),
      body: hex(body),
      statement: hex(declared.statement),
    },
    verify('as signed', declared.statement),
    verify('of another clinician', declared.statement, world.doctor, 'VIEW_RELEASE'),
    verify('changed', flipped(declared.statement, 90), clinician, 'VIEW_RELEASE'),
    ...(await Promise.all(
      malformed.map(async ([name, bytes]) =>
        verify(name, await signStatement(clinician, bytes), clinician, 'VIEW_RELEASE'),
      ),
    )),
    {
      name: 'release: a custodian’s shares',
      operation: 'release',
      sealed: hex(encodeSealed(sealed)),
      recordId: hex(recordId),
      authors: [hex(world.doctor.credential.encoded)],
      custodian: openingJson(custodian),
      clinician: hex(clinician.credential.encoded),
      statement: hex(declared.statement),
      context: contextJson,
      until,
      randomness: recorded.taken(),
      info: hex(tuple('release', suite(KEM_X25519), context.custodian, context.clinician)),
      aad: hex(tuple('release aad', context.emergencyHash, verified.bodyHash, until)),
      plaintext: hex(plaintext),
      release: releaseJson(released),
    },
    opening('on its last millisecond', {}, false),
    opening('too late', { at: until + 1 }),
    opening('another time', { release: { ...releaseJson(released), until: until + 1 } }),
    opening('another emergency', { context: { ...contextJson, emergencyHash: '00'.repeat(32) } }),
    opening('another custodian', { context: { ...contextJson, custodian: '00'.repeat(32) } }),
    opening('another clinician', { context: { ...contextJson, clinician: '00'.repeat(32) } }),
    opening('another document', { release: { ...releaseJson(released), bodyHash: '00'.repeat(32) } }),
    opening('another emergency’s key', { seed: '11'.repeat(32) }),
    opening('a ciphertext changed', {
      release: releaseJson({ ...released, ciphertext: flipped(released.ciphertext, 0) }),
    }),
    await openCase(world, 'break-glass: the team with the release', sealed, ['emergency'], {
      releases: [shares],
    }),
    ...(await custodyCases(world)),
    await openCase(world, 'break-glass: the owner', sealed, ['root']),
    await openCase(world, 'break-glass: the team alone', sealed, ['emergency']),
    await openCase(world, 'break-glass: the custodian alone', sealed, ['custodian']),
    await openCase(world, 'break-glass: the team alone, and nothing public', secret, ['emergency']),
    await openCase(world, 'break-glass: the team alone, and the insurer', sealed, ['emergency', 'insurer']),
    await openCase(world, 'break-glass: an empty release', sealed, ['emergency'], {
      error: 'VIEW_RELEASE',
      releases: [],
    }),
    await openCase(world, 'break-glass: a delivery that states a share', restated('share'), ['emergency'], {
      error: 'VIEW_WRAP',
    }),
    await openCase(world, 'break-glass: the owner, and a delivery restated', restated('share'), ['root'], {
      error: 'VIEW_INCOMPLETE',
    }),
    await openCase(world, 'break-glass: a delivery of neither kind', restated('both'), ['root'], {
      error: 'VIEW_MANIFEST',
    }),
    await openCase(
      world,
      'break-glass: a delivery of whole keys that takes a custodian',
      restated('keys'),
      ['root'],
      {
        error: 'VIEW_MANIFEST',
      },
    ),
    await openCase(world, 'break-glass: a share missing', sealed, ['emergency'], {
      error: 'VIEW_RELEASE',
      releases: [fewer],
    }),
    await openCase(world, 'break-glass: a share changed', sealed, ['emergency'], {
      error: 'VIEW_RELEASE',
      releases: [wrong],
    }),
    await openCase(world, 'break-glass: a release of another document', other, ['emergency'], {
      error: 'VIEW_RELEASE',
      releases: [shares],
    }),
  ];
}

function twoOfThree(world: World): BreakGlass {
  const custodians = ['custodian', 'custodian-2', 'custodian-3'].map((name) => keyOf(world, name).reader);
  return { names: ['emergency'], custodians, threshold: 2 };
}

// Two custodians of three, as their releases would bring their shares.
async function custodyCases(world: World): Promise<ViewsCase[]> {
  const sealed = await sealIn(world, '{"cost":1}', SMALL, {
    random: seededRandom('views two custodians of three'),
    breakGlass: twoOfThree(world),
  });
  const { recordId } = world.compartments;
  const verified = verifySealed(sealed, { recordId, authors: world.authors });
  const sharesOf = async (name: string): Promise<readonly ClassKey[]> =>
    (await openOwnWrap(verified, keyOf(world, name)))?.keys ?? [];
  const [first, second, third] = await Promise.all(['custodian', 'custodian-2', 'custodian-3'].map(sharesOf));
  if (first === undefined || second === undefined || third === undefined)
    throw new Error('three hold shares');
  const wrong = first.map(({ index, key }) => ({ index, key: flipped(key, 9) }));
  const refused = (name: string, releases: readonly (readonly ClassKey[])[]): Promise<ViewsCase> =>
    openCase(world, `custody: ${name}`, sealed, ['emergency'], { error: 'VIEW_RELEASE', releases });
  return [
    await openCase(world, 'custody: two of three', sealed, ['emergency'], { releases: [third, first] }),
    await openCase(world, 'custody: three of three', sealed, ['emergency'], {
      releases: [first, second, third],
    }),
    await openCase(world, 'custody: a false share among three', sealed, ['emergency'], {
      releases: [wrong, second, third],
    }),
    await refused('one of two', [first]),
    await refused('one twice', [first, first]),
    await refused('a false share among two', [wrong, second]),
    await openCase(world, 'custody: the owner', sealed, ['root']),
  ];
}

async function annexCases(): Promise<ViewsCase[]> {
  const context = { recordId: new Uint8Array(16).fill(1), docId: new Uint8Array(16).fill(2) };
  const plaintext = seededRandom('views annex plaintext')(300);
  const { ciphertext: stream, annex: promise } = sealAnnex(
    new Blob([new Uint8Array(plaintext)]).stream(),
    { ...context, mediaType: 'image/png' },
    seededRandom('views annex'),
  );
  const ciphertext = new Uint8Array(await new Response(stream).arrayBuffer());
  const annex = await promise;
  const streamKey = deriveTuple(annex.key, 'annex key', context.recordId, context.docId);
  const opening = (name: string, changes: object = {}, refused = true): ViewsCase => ({
    name: `open annex: ${name}`,
    operation: 'open annex',
    recordId: hex(context.recordId),
    docId: hex(context.docId),
    text: encodeAnnex(annex),
    ciphertext: hex(ciphertext),
    ...changes,
    ...(refused ? { error: 'VIEW_ANNEX' as const } : { plaintext: hex(plaintext) }),
  });
  const described = (changes: Partial<Annex>): object => ({ text: encodeAnnex({ ...annex, ...changes }) });
  const { key, length, mediaType, root } = JSON.parse(encodeAnnex(annex)) as Record<string, unknown>;
  // A padded plaintext of 304 bytes, whose last byte is not zero, under a root that fits.
  const padded = concat(plaintext, new Uint8Array(3), Uint8Array.of(1));
  const spoiled = chunkSeal(streamKey, 0, true, padded);
  const { leafHash } = await import('../../../src/crypto/index.ts');
  return [
    {
      name: 'annex: 300 bytes',
      operation: 'annex',
      recordId: hex(context.recordId),
      docId: hex(context.docId),
      mediaType: annex.mediaType,
      plaintext: hex(plaintext),
      key: hex(annex.key),
      streamKey: hex(streamKey),
      chunks: [hex(ciphertext)],
      ciphertext: hex(ciphertext),
      root: hex(annex.root),
      annexName: hex(annexName(annex.root)),
      text: encodeAnnex(annex),
    },
    opening('as sealed', {}, false),
    opening(
      'its description in another order',
      { text: JSON.stringify({ root, mediaType, key, length }) },
      false,
    ),
    opening('another record', { recordId: '00'.repeat(16) }),
    opening('another document', { docId: '00'.repeat(16) }),
    opening('cut off', { ciphertext: hex(ciphertext.subarray(0, -1)) }),
    opening('nothing', { ciphertext: '' }),
    opening('followed by more', { ciphertext: hex(concat(ciphertext, new Uint8Array(1))) }),
    opening('changed', { ciphertext: hex(flipped(ciphertext, 100)) }),
    opening('not its final chunk', { ciphertext: hex(chunkSeal(streamKey, 0, false, padded)) }),
    opening('padding that is not zero', {
      ciphertext: hex(spoiled),
      ...described({ root: leafHash(spoiled) }),
    }),
    opening('another root', described({ root: new Uint8Array(32) })),
    opening('another key', described({ key: new Uint8Array(32) })),
    opening('a shorter length', described({ length: 299 })),
    opening('a longer length', described({ length: 400 })),
    opening('a description with another member', {
      text: JSON.stringify({ key, length, mediaType, root, more: 1 }),
    }),
    opening('a description without a member', { text: JSON.stringify({ key, length, root }) }),
    opening('a description with a negative length', {
      text: JSON.stringify({ key, length: -1, mediaType, root }),
    }),
    opening('a description with a key of 3 bytes', {
      text: JSON.stringify({ key: 'AAAA', length, mediaType, root }),
    }),
  ];
}

async function capsuleCases(world: World): Promise<ViewsCase[]> {
  const { patient, clinician, doctor } = world;
  const [owner, team] = [patient.credential, keyOf(world, 'emergency')];
  const content = utf8('{"bloodType":"A+"}');
  const { recordId } = world.compartments;
  const terms = { recordId, number: 3, from: 100, until: 200 };
  const { random, taken } = recordedRandom('views capsule');
  const made = await makeCapsule(patient, team.reader, content, terms, random);
  const capsule = verifyCapsule(made.capsule, owner);
  const other = await makeCapsule(patient, team.reader, content, terms, seededRandom('views other capsule'));
  const [key, half] = [taken().slice(0, 64), taken().slice(64, 128)];
  const names = [recordId, 3, owner.id, team.reader.id, 100, 200] as const;
  const { keyCommit, wrap, digest } = capsule;
  const { encapsulation, ciphertext } = wrap;
  const right: TupleItem[] = [...names, keyCommit, [encapsulation, ciphertext], sha256(capsule.ciphertext)];
  const stated = async (changes: Readonly<Record<number, TupleItem>>): Promise<Uint8Array> => {
    const body = tuple('capsule', ...Object.assign([...right], changes));
    return tuple('sealed capsule', await signStatement(patient, body), capsule.ciphertext);
  };
  const verify = (
    title: string,
    bytes: Uint8Array,
    error?: ErrorCode,
    by: Identity = patient,
  ): ViewsCase => ({
    name: `verify capsule: ${title}`,
    operation: 'verify capsule',
    owner: hex(by.credential.encoded),
    capsule: hex(bytes),
    ...(error === undefined ? {} : { error }),
  });
  const rightUse = { as: team, seal: made.seal, reason: 'unconscious', time: 150 };
  const opened = await openCapsule(clinician, capsule, rightUse);
  const open = (
    title: string,
    changes: Partial<typeof rightUse>,
    bytes: Uint8Array = made.capsule,
    found?: { readonly content: Uint8Array; readonly statement: Uint8Array },
  ): ViewsCase => {
    const { as, seal, reason, time } = { ...rightUse, ...changes };
    return {
      name: `open capsule: ${title}`,
      operation: 'open capsule',
      clinician: partyJson(clinician),
      owner: hex(owner.encoded),
      capsule: hex(bytes),
      as: openingJson(as),
      seal: hex(exposeSecret(seal)),
      reason,
      time,
      ...(found === undefined
        ? { error: 'VIEW_CAPSULE' }
        : { content: hex(found.content), statement: hex(found.statement) }),
    };
  };
  const using = (changes: Readonly<Record<number, TupleItem>>): Promise<Uint8Array> => {
    const use: TupleItem[] = [recordId, 3, digest, 'unconscious', 150];
    return signStatement(clinician, tuple('capsule opened', ...Object.assign(use, changes)));
  };
  const verifyUse = (title: string, statement: Uint8Array, refused = true, by = clinician): ViewsCase => ({
    name: `verify capsule use: ${title}`,
    operation: 'verify capsule use',
    clinician: hex(by.credential.encoded),
    owner: hex(owner.encoded),
    capsule: hex(made.capsule),
    statement: hex(statement),
    ...(refused ? { error: 'VIEW_CAPSULE' } : {}),
  });
  const printed = encodeCapsuleSeal(made.seal);
  const read = (title: string, text: string, found = false): ViewsCase => ({
    name: `read capsule seal: ${title}`,
    operation: 'read capsule seal',
    text,
    ...(found ? { seal: hex(exposeSecret(made.seal)) } : { error: 'VIEW_CAPSULE' }),
  });
  const wrongSeal = new Secret('capsule seal', flipped(exposeSecret(made.seal), 31));
  const insurer = { reader: team.reader, key: keyOf(world, 'insurer').key };
  return [
    {
      name: 'capsule: for an emergency team',
      operation: 'capsule',
      owner: partyJson(patient),
      team: openingJson(team),
      content: hex(content),
      terms: { ...terms, recordId: hex(recordId) },
      randomness: taken(),
      key,
      half,
      keyCommit: hex(keyCommit),
      info: hex(tuple('capsule wrap', suite(team.reader.kem), team.reader.id)),
      aad: hex(tuple('capsule wrap aad', ...names, keyCommit)),
      digest: hex(digest),
      seal: hex(exposeSecret(made.seal)),
      printed,
      capsule: hex(made.capsule),
    },
    verify('as made', made.capsule),
    verify('of another owner', made.capsule, 'VIEW_CAPSULE', doctor),
    verify('its content changed', flipped(made.capsule, made.capsule.length - 1), 'VIEW_CAPSULE'),
    verify('its statement changed', flipped(made.capsule, 120), 'VIEW_CAPSULE'),
    verify('another owner inside', await stated({ 2: doctor.credential.id }), 'VIEW_CAPSULE'),
    verify('an end before its beginning', await stated({ 4: 201 }), 'VIEW_CAPSULE'),
    verify('the hash of other content', await stated({ 8: new Uint8Array(32) }), 'VIEW_CAPSULE'),
    verify('a wrap of nothing', await stated({ 7: [] }), 'VIEW_CAPSULE'),
    verify('a further part', await stated({ 9: '' }), 'VIEW_CAPSULE'),
    open('team and seal', {}, made.capsule, opened),
    open('another key than the team’s', { as: insurer }),
    open('another team', { as: keyOf(world, 'insurer') }),
    open('another seal', { seal: wrongSeal }),
    open('the seal of another capsule', { seal: other.seal }),
    open('a blank reason', { reason: ' ' }),
    open('a reason of 513 bytes', { reason: 'x'.repeat(513) }),
    open('too early', { time: 99 }),
    open('too late', { time: 201 }),
    open('another number, signed by the owner', {}, await stated({ 1: 4 })),
    open('a longer time, signed by the owner', { time: 250 }, await stated({ 5: 300 })),
    open('another commitment, signed by the owner', {}, await stated({ 6: new Uint8Array(32) })),
    verifyUse('as signed', opened.statement, false),
    verifyUse('changed', flipped(opened.statement, 90)),
    verifyUse('of another clinician', opened.statement, true, doctor),
    verifyUse('of another record', await using({ 0: new Uint8Array(16) })),
    verifyUse('of another number', await using({ 1: 4 })),
    verifyUse('of another capsule', await using({ 2: new Uint8Array(32) })),
    verifyUse('a blank reason', await using({ 3: ' ' })),
    verifyUse('a time outside', await using({ 4: 201 })),
    verifyUse('a further part', await using({ 5: '' })),
    read('as printed', printed, true),
    read('small letters, spaces', ` ${printed.toLowerCase().replaceAll('-', ' ')}`, true),
    read(
      'without hyphens, letters for digits',
      printed.replaceAll('-', '').replaceAll('0', 'O').replaceAll('1', 'l'),
      true,
    ),
    read('a sign wrong', `${printed.startsWith('0') ? '1' : '0'}${printed.slice(1)}`),
    read('a sign missing', printed.slice(1)),
    read('a sign that there is not', `U${printed.slice(1)}`),
    read('two hyphens', printed.replace('-', '--')),
    read('nothing', ''),
  ];
}
