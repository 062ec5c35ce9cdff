/**
 * A record sealed for four readers, and opened and verified by each of the four. Its fields stand in four sections: one
 * for the owner and one compartment of its tree, one for these two and an insurer, one for these two and a medical team,
 * one for all. So a field has two to four readers, and there are exactly four wraps: the owner's root is one of the
 * four, the compartment takes everything and leaves nothing to the inbox. The skeleton, which no peer has, is one more
 * class, for the root alone.
 *
 * Text in, text out: a row begins with the record's JSON text and ends in text, base64url where the format is bytes;
 * opening begins with the text of each reader's part, which was cut out before, and ends in plain values. Keys are
 * imported once. Bytes are compared as text, which is what XML and JSON carry, and as bytes among those that have bytes.
 */

import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { forceBackend, KEM_X25519, KEM_XWING, systemRandom, type KemId } from 'muniment/crypto';
import {
  compartmentNode,
  createAnchor,
  createRoot,
  enrol,
  nodeKey,
  publishCompartments,
  verifyCompartments,
} from 'muniment/keys';
import {
  compartmentReader,
  decodeSealed,
  definePolicy,
  encodeSealed,
  open,
  partyReader,
  seal,
  selectFor,
  type OpeningReader,
} from 'muniment/views';
import { fromBase64url, toBase64url } from 'muniment/wire';
import * as bare from '../bare.ts';
import type { Contest, CountedContest, Row } from '../measure.ts';
import * as peers from '../sealed-records.ts';
import { READERS, READERS_OF, SECTIONS, type ReaderName, type SealedRecords } from '../sealed-records.ts';

const RECORDS = [
  { name: '20 × 40 B', fields: 20, length: 40 },
  { name: '1,000 × 40 B', fields: 1000, length: 40 },
  { name: '200 × 1 KiB', fields: 200, length: 1024 },
];
/** As many are sealed and opened in turn, so that nothing that is kept of the last one helps with the next. */
const TEXTS = 8;
/** From here on, whoever takes public-key operations by the field takes seconds, and does so twice only. */
const MANY_FIELDS = 100;

export async function* views(): AsyncGenerator<Contest> {
  try {
    for (const { name, fields, length } of RECORDS) {
      const texts = Array.from({ length: TEXTS }, () => recordText(fields, length));
      const few = fields < MANY_FIELDS ? texts : texts.slice(0, 1);
      const rounds = fields < MANY_FIELDS ? undefined : 2;
      const native = () => forceBackend('node');
      native(); // keys are imported into the backend that is forced meanwhile
      const [core, panva] = [await peers.hpkeCore(), await peers.hpkePanva()];
      const strange = [await peers.hpkeCore(), await peers.hpkePanva()] as const;
      const entrants = [
        await enter('X25519', texts, await munimentRecords(KEM_X25519), await munimentRecords(KEM_X25519), {
          before: native,
        }),
        await enter('X-Wing', texts, await munimentRecords(KEM_XWING), await munimentRecords(KEM_XWING), {
          before: native,
        }),
        await enter('jose per reader', texts, await peers.joseCompact(), await peers.joseCompact()),
        await enter('jose per field', few, await peers.joseGeneral(), await peers.joseGeneral(), { rounds }),
        await enter('@hpke/core per reader', texts, core.reader, strange[0].reader),
        await enter('@hpke/core per field', few, core.field, strange[0].field, { rounds }),
        await enter('hpke per reader', texts, panva.reader, strange[1].reader),
        await enter('hpke per field', few, panva.field, strange[1].field, { rounds }),
        await enter('age-encryption', texts, await peers.ageFiles(), await peers.ageFiles()),
        await enter('sealed boxes', texts, await peers.sealedBoxes(), await peers.sealedBoxes()),
        await enter('@sd-jwt/core', texts, peers.sdJwt(), peers.sdJwt()),
      ];
      const floors = { bare: bareRecords(bare.freshX25519Kem, texts), ...latticeFloor(texts) };
      for (const operation of ['seal', 'open'] as const) {
        const rows = Object.fromEntries([
          ...Object.entries(floors).map(([title, floor]) => [title, floor[operation]] as const),
          ...entrants.map((entrant) => [entrant.title, entrant[operation]] as const),
        ]);
        yield { name: `${operation} ${name}`, baseline: 'bare', rows };
      }
      yield counted(
        `${name} as text`,
        entrants.map(({ title, text }) => [title, text]),
      );
      yield counted(
        `${name} as bytes`,
        entrants.map(({ title, binary }) => [title, binary]),
      );
    }
  } finally {
    forceBackend(null);
  }
}

/** JSON text of a record whose fields are spread evenly over the sections. */
function recordText(fields: number, length: number): string {
  const each = fields / SECTIONS.length;
  const section = () =>
    Object.fromEntries(
      Array.from({ length: each }, (_, i) => [
        `field${String(i).padStart(3, '0')}`,
        randomBytes(length).toString('base64').slice(0, length),
      ]),
    );
  return JSON.stringify(Object.fromEntries(SECTIONS.map((name) => [name, section()])));
}

/** A patient's record. The library's calls stand here and nowhere else in this job. */
async function munimentRecords(kem: KemId): Promise<SealedRecords> {
  const validity = { notBefore: 0, notAfter: Date.UTC(2100, 0) };
  const hospital = await createAnchor(
    { subject: 'Hospital', roles: ['administrator'], ...validity },
    { kem },
  );
  const person = (subject: string, role: string) =>
    enrol(hospital, { subject, roles: [role], ...validity }, { kem });
  const [author, patient] = [await person('Dr. Ruiz', 'doctor'), await person('Bob', 'patient')];
  const [insurer, team] = [await person('Insurer', 'insurer'), await person('Team', 'team')];
  const [root, recordId] = [createRoot(), systemRandom(16)];
  const signed = await publishCompartments(patient, root, { recordId, names: ['care'] });
  const owner = verifyCompartments(signed, patient.credential);
  const own = (name: string): OpeningReader => {
    const compartment = owner.list.find((candidate) => candidate.name === name);
    if (compartment === undefined) throw new Error(`no compartment ${name}`);
    const key = nodeKey(compartmentNode(root, name, compartment.epoch), kem);
    return { reader: compartmentReader(compartment), key };
  };
  const keys: Record<ReaderName, OpeningReader> = {
    owner: own(''),
    care: own('care'),
    insurer: { reader: partyReader(insurer.credential), key: insurer.sealing },
    team: { reader: partyReader(team.credential), key: team.sealing },
  };
  const parties = new Map(
    [insurer, team].map((party, i) => [['insurer', 'team'][i], partyReader(party.credential)]),
  );
  const rules = SECTIONS.map((section) => ({
    fields: [`/${section}/*`],
    readers: READERS_OF[section].filter((name) => parties.has(name)),
    compartment: 'care',
  }));
  const policy = definePolicy({ name: 'bench/1', rules, otherwise: [], otherwiseCompartment: 'care' });
  const readers = (name: string) => parties.get(name) ?? null;
  const options = { policy, owner, readers, breakGlass: null, author, time: 1e12, type: 'visit' };
  const authors = () => author.credential;

  return {
    seal: async (text) => toBase64url(encodeSealed(await seal(text, options))),
    part(stored, reader) {
      const part = selectFor(
        decodeSealed(fromBase64url(stored)),
        [keys[reader].reader.id],
        reader === 'owner',
      );
      return toBase64url(encodeSealed(part));
    },
    async open(part, reader) {
      const document = decodeSealed(fromBase64url(part));
      const view = await open(document, { recordId, authors, as: [keys[reader]], releases: null });
      if (view === null) throw new Error('nothing for this reader');
      return view.value;
    },
    binaryLength: (stored) => fromBase64url(stored).length,
  };
}

interface Entrant {
  readonly title: string;
  readonly seal: Row;
  readonly open: Row;
  readonly text: number;
  readonly binary: number | null;
}

/** Every scheme must first read what it wrote, each reader its own part and no more, and a stranger nothing. */
async function enter(
  title: string,
  texts: readonly string[],
  scheme: SealedRecords,
  stranger: SealedRecords,
  row: Pick<Row, 'before' | 'rounds'> = {},
): Promise<Entrant> {
  const stored: string[] = [];
  const parts: Record<ReaderName, string>[] = [];
  for (const text of texts) {
    const sealed = await scheme.seal(text);
    const cut = await Promise.all(
      READERS.map(async (name) => [name, await scheme.part(sealed, name)] as const),
    );
    stored.push(sealed);
    parts.push(Object.fromEntries(cut) as Record<ReaderName, string>);
    for (const [name, part] of cut) {
      const expected = peers.visible(JSON.parse(text) as peers.FieldsRecord, name);
      const read = JSON.parse(JSON.stringify(await scheme.open(part, name))) as unknown; // with prototypes
      if (!isDeepStrictEqual(read, expected)) throw new Error(`${title}: ${name} reads otherwise`);
    }
  }
  for (const name of READERS) {
    if (await opens(stranger, parts[0]?.[name] ?? '', name)) throw new Error(`${title}: a stranger reads`);
  }
  let [sealed, opened] = [0, 0];
  return {
    title,
    seal: { ...row, run: () => scheme.seal(texts[sealed++ % texts.length] ?? '') },
    open: {
      ...row,
      async run() {
        const part = parts[opened++ % parts.length];
        for (const name of READERS) await scheme.open(part?.[name] ?? '', name);
      },
    },
    text: average(stored.map((wire) => wire.length)),
    binary:
      scheme.binaryLength(stored[0] ?? '') === null
        ? null
        : average(stored.map((wire) => scheme.binaryLength(wire) ?? NaN)),
  };
}

async function opens(scheme: SealedRecords, part: string, reader: ReaderName): Promise<boolean> {
  try {
    await scheme.open(part, reader);
    return true;
  } catch {
    return false;
  }
}

function counted(name: string, all: readonly (readonly [string, number | null])[]): CountedContest {
  const bytes = Object.fromEntries(
    all.flatMap(([title, count]) => (count === null ? [] : [[title, count] as const])),
  );
  return { name, baseline: 'X25519', unit: 'bytes', counts: bytes };
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function latticeFloor(texts: readonly string[]): Record<string, ReturnType<typeof bareRecords>> {
  return bare.HAS_LATTICES ? { 'bare, X-Wing': bareRecords(bare.freshXWingKem, texts) } : {};
}

/**
 * The platform's calls and nothing around them: an encapsulation for each reader, an encryption for each section, a hash
 * for each field, one signature; and what each reader does with its part. The shared secrets are thrown away.
 */
function bareRecords(makeKem: () => bare.BareKem, texts: readonly string[]): { seal: Row; open: Row } {
  const kems = READERS.map(makeKem);
  const seed = randomBytes(32);
  const signer = bare.bareEd25519(seed, new Uint8Array(32));
  const key = createSecretKey(randomBytes(32));
  const record = JSON.parse(texts[0] ?? '') as peers.FieldsRecord;
  const sections = SECTIONS.map((name) => {
    const fields = Object.values(record[name] ?? {}).map((value) =>
      Buffer.concat([randomBytes(168), Buffer.from(value)]),
    );
    const plaintext = Buffer.from(JSON.stringify(record[name]));
    return { name, fields, plaintext, ciphertext: bare.bareSeal(key, AAD, plaintext) };
  });
  const encapsulations = kems.map((kem) => kem.encapsulate().encapsulation);
  const signature = signer.sign(AAD);
  return {
    seal: {
      run() {
        for (const kem of kems) kem.encapsulate();
        for (const { fields, plaintext } of sections) {
          for (const field of fields) bare.bareSha256(field);
          bare.bareSeal(freshKey(), AAD, plaintext);
        }
        signer.sign(AAD);
      },
    },
    open: {
      run() {
        READERS.forEach((reader, i) => {
          if (!signer.verify(AAD, signature)) throw new Error('not signed');
          kems[i]?.decapsulate(encapsulations[i] ?? AAD);
          for (const { name, fields, ciphertext } of sections) {
            if (!READERS_OF[name].includes(reader)) continue;
            bare.bareOpen(key, AAD, ciphertext);
            for (const field of fields) bare.bareSha256(field);
          }
        });
      },
    },
  };
}

const AAD = randomBytes(32);

function freshKey(): KeyObject {
  return createSecretKey(randomBytes(32));
}
