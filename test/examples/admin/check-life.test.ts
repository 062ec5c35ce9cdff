/** `check` on a bank that has lived: keys given anew, specialists, grants that ended, a death, an erasure ten years later. */

import { KEM_X25519, sha256, systemRandom } from 'muniment/crypto';
import { createAnchor, enrol, type Identity } from 'muniment/keys';
import {
  CREATE,
  decodeSignedEntry,
  encodeAuthorityStatement,
  encodeCreation,
  encodeErasure,
  encodeSignedEntry,
  EMPTY_CHAIN,
  ENTRY_KINDS,
  ERASE,
  hashEntry,
  headAfter,
  signEntry,
  TEN_YEARS_AFTER_DEATH,
  withoutRevocations,
  type Entry,
} from 'muniment/record';
import { annexName } from 'muniment/views';
import { toBase64url } from 'muniment/wire';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { checkBank } from '../../../examples/admin/check/check.ts';
import type { Entered } from '../../../examples/admin/check/chains.ts';
import type { Context } from '../../../examples/admin/check/context.ts';
import { Findings, type Checked } from '../../../examples/admin/check/findings.ts';
import * as rights from '../../../examples/admin/check/rights.ts';
import { readOutside, type Outside } from '../../../examples/admin/check/outside.ts';
import { followStatements, NOTHING_STATED } from '../../../examples/admin/check/statements.ts';
import type { BankTrust } from '../../../examples/admin/check/trust.ts';
import type { BankClient } from '../../../examples/client/bank.ts';
import { rekey } from '../../../examples/client/publishing.ts';
import { readRecord } from '../../../examples/client/reading.ts';
import { endGrant } from '../../../examples/client/sharing.ts';
import {
  append,
  sealDraft,
  statement,
  type RecordName,
  type Writing,
} from '../../../examples/client/writing.ts';
import { AnnexStore } from '../../../examples/server/annexes.ts';
import { mayWriteDirectory, mayWriteRecord } from '../../../examples/server/rights.ts';
import type { Engine } from '../../../examples/server/store/engine.ts';
import {
  audienceOf,
  draftIn,
  foundGroups,
  grantPart,
  headOf,
  KEEPER,
  openRecord,
  write,
} from '../a-record.ts';
import { foundBank, type InProcess } from '../in-process.ts';
import { refusalOf } from '../refusals.ts';
import { ENGINES, makeDatabase, type TestDatabase } from '../store/engines.ts';
import { ownerOfDatabase, type Owner } from './owner.ts';
import type { Tampering } from './tampering.ts';

const USERS = {
  doctor: ['doctor', 'speciality:cardiology'],
  nurse: ['specialist:nursing', 'speciality:nursing'],
  founder: ['doctor', ...KEEPER],
  patient: ['patient'],
} as const;
const DAY = 86_400_000;
/** Ten years, and all leap days that may lie in them. */
const TERM = 3653 * DAY;

/** A bank that has lived, and what was erased in it. */
interface Lived {
  readonly trust: BankTrust;
  readonly record: RecordName;
  readonly erased: readonly { readonly seq: number; readonly payload: Uint8Array }[];
  /** What lay beside the erased grant. */
  readonly attachment: Uint8Array;
  /** What lay beside the erased document. */
  readonly annex: { readonly name: Uint8Array; readonly bytes: Uint8Array };
  /** What others hold: the newest checkpoint, and the receipt of the tombstone. */
  readonly held: Outside;
}

describe.each(ENGINES)('on %s', (name) => {
  let database: TestDatabase;
  let engine: Engine;
  let owner: Owner;
  let lived: Lived;
  beforeAll(async () => {
    database = await makeDatabase(name);
    engine = await database.open();
    vi.useFakeTimers({ toFake: ['Date'] });
    lived = await live(engine);
    vi.useRealTimers();
    owner = await ownerOfDatabase(database);
  }, 120_000);
  afterAll(async () => {
    vi.useRealTimers();
    await owner.close();
    await engine.close();
    await database.remove();
  });

  const after = async (apply: Tampering['apply'], outside?: Outside): Promise<Checked> => {
    await apply(owner);
    try {
      return await checkBank(owner.source, lived.trust, outside);
    } finally {
      await owner.undo();
    }
  };

  it('finds nothing wrong, and has looked at all of it', async () => {
    const { counts, findings } = await after(() => Promise.resolve());
    expect(findings).toEqual([]);
    expect(counts).toMatchObject({
      authorities: 8,
      users: 5,
      uploads: 1,
      annexes: 1,
      attachments: 1,
      uses: 2,
    });
    expect(counts['capabilities']).toBeGreaterThan(0);
  });

  const zeros = (length: number): Uint8Array => new Uint8Array(length);
  const cases: [string, string, (owner: Owner) => Promise<void>][] = [
    [
      'a closing is denied',
      'authorities',
      (at) => at.run('DELETE FROM authorities WHERE seq = (SELECT max(seq) FROM authorities)'),
    ],
    [
      'a record stands as it did at first',
      'authorities',
      (at) =>
        at.run('UPDATE authorities SET authority = (SELECT authority FROM authorities ORDER BY seq LIMIT 1)'),
    ],
    [
      'somebody is made a guardian',
      'authorities',
      (at) => at.run('UPDATE authorities SET guardians = ? WHERE seq = 0', systemRandom(32)),
    ],
    [
      'an earlier state is slipped in as the newest',
      'authorities',
      (at) =>
        at.run(
          'INSERT INTO authorities SELECT record, 9999, authority, guardians FROM authorities WHERE seq = 0',
        ),
    ],
    [
      'an older credential stands for a subject again',
      'users',
      (at) => at.run("UPDATE users SET number = 7 WHERE subject = 'doctor' AND number = 0"),
    ],
    [
      'what was erased is there again',
      'payloads',
      (at) => {
        const [{ seq, payload }] = lived.erased as [Lived['erased'][0]];
        return at.run(
          "INSERT INTO payloads VALUES (?, 'content', ?, ?)",
          lived.record.recordId,
          seq,
          payload,
        );
      },
    ],
    [
      'what lay beside an erased entry is there again',
      'attachments',
      (at) => at.run('INSERT INTO attachments VALUES (?, ?)', sha256(lived.attachment), lived.attachment),
    ],
    [
      'a use by an erased entry is there again',
      'uses',
      (at) => {
        const [digest, { recordId }] = [sha256(lived.attachment), lived.record];
        const { seq } = lived.erased.at(-1)!;
        return at.run("INSERT INTO uses VALUES (?, ?, 'content', ?)", digest, recordId, seq);
      },
    ],
    [
      'an attachment is gone together with its payload, and no tombstone says so',
      'attachments',
      async (at) => {
        await at.run(
          `DELETE FROM payloads WHERE EXISTS (SELECT 1 FROM uses u JOIN attachments a ON a.digest = u.digest
           WHERE u.record = payloads.record AND u.chain = payloads.chain AND u.seq = payloads.seq)`,
        );
        await at.run('DELETE FROM attachments');
      },
    ],
    ['a use is forgotten', 'uses', (at) => at.run('DELETE FROM uses')],
    [
      'a use is slipped in',
      'uses',
      (at) => at.run("INSERT INTO uses SELECT name, ?, 'content', 0 FROM annexes", lived.record.recordId),
    ],
    [
      'a piece of an annex is changed',
      'annexes',
      (at) => at.run('UPDATE annex_chunks SET bytes = ?', zeros(9)),
    ],
    ['an annex is gone', 'annexes', (at) => at.run('DELETE FROM annexes')],
    ['the size of an annex is changed', 'annexes', (at) => at.run('UPDATE annexes SET size = size + 1')],
    [
      'an annex is slipped in',
      'annexes',
      (at) => at.run('INSERT INTO annexes VALUES (?, ?, 0)', zeros(32), zeros(16)),
    ],
    [
      'a piece of an annex is left out',
      'annex_chunks',
      (at) => at.run('UPDATE annex_chunks SET position = position + 1'),
    ],
    ["an upload is another's", 'uploads', (at) => at.run("UPDATE uploads SET subject = 'patient'")],
    ['an upload is of something else', 'uploads', (at) => at.run('UPDATE uploads SET name = ?', zeros(32))],
    ['an upload is longer', 'uploads', (at) => at.run('UPDATE uploads SET size = size + 1')],
    ['an upload has no number', 'uploads', (at) => at.run('UPDATE uploads SET upload = ?', zeros(15))],
    [
      'a capability is for something else',
      'capabilities',
      (at) => at.run('UPDATE capabilities SET names = ?', zeros(32)),
    ],
    [
      "a capability is nobody's",
      'capabilities',
      (at) => at.run('UPDATE capabilities SET holder = ?', zeros(32)),
    ],
    [
      'a capability is for nothing',
      'capabilities',
      (at) => at.run('UPDATE capabilities SET names = ?', zeros(0)),
    ],
    ['a table is not known', 'shadows', (at) => at.run('CREATE TABLE shadows (one integer)')],
    ['a table is gone', 'authorities', (at) => at.run('DROP TABLE authorities')],
    [
      'the tables are older than the check',
      'kysely_migration',
      (at) => at.run("DELETE FROM kysely_migration WHERE name = '0003-renewals'"),
    ],
  ];
  it.each(cases)('finds that %s', async (_, table, apply) => {
    const { findings } = await after(apply);
    expect(findings.map((one) => one.table)).toContain(table);
  });

  describe('with what others hold', () => {
    const nothing = (): Promise<void> => Promise.resolve();
    const found = async (apply: Tampering['apply'], outside: Partial<Outside>): Promise<string[]> => {
      const { findings } = await after(apply, { checkpoints: [], receipts: [], ...outside });
      return findings.map(({ table, row, check }) =>
        [check, table, ...(table === 'outside' ? [row] : [])].join(' '),
      );
    };

    it('finds nothing wrong with what the bank signed', async () => {
      const { counts, findings } = await after(nothing, lived.held);
      expect(findings).toEqual([]);
      expect(counts).toMatchObject({ 'receipts from outside': 1 });
    });

    it('believes nothing that this bank has not signed', async () => {
      const checkpoint = lived.held.checkpoints[0]!.text;
      const receipt = lived.held.receipts[0]!.text;
      const at = receipt.length - 9;
      const other = receipt.slice(0, at) + (receipt[at] === 'A' ? 'B' : 'A') + receipt.slice(at + 1);
      for (const text of [checkpoint.replace('bank.example', 'bank.exampel'), 'nothing', ''])
        expect(await found(nothing, { checkpoints: [{ text, from: 'x' }] })).toEqual([
          expect.stringMatching(/^RECORD_\w+ outside x$/),
        ]);
      expect(await found(nothing, { receipts: [{ text: other, from: 'x' }] })).toEqual([
        'RECORD_RECEIPT outside x',
      ]);
      expect(await found(nothing, { receipts: [{ text: '!', from: 'x' }] })).toHaveLength(1);
    });

    it('finds that a tombstone was taken back with all that tells of it', async () => {
      const setBack = (at: Owner): Promise<void> => setBackBefore(at, lived);
      expect(await found(setBack, { receipts: lived.held.receipts })).toEqual(
        expect.arrayContaining(['MISSING entries', 'ROOT outside a client']),
      );
      expect(await found(setBack, { checkpoints: lived.held.checkpoints })).toContain(
        'ROOT outside a witness',
      );
      expect(await found(setBack, {})).toEqual([]);
    });

    it('finds that another entry stands where a receipt was given', async () => {
      const last = "(SELECT max(seq) FROM entries WHERE record = ? AND chain = 'content')";
      const { recordId } = lived.record;
      const other = (at: Owner): Promise<void> =>
        at.run(
          `UPDATE entries SET hash = ? WHERE record = ? AND chain = 'content' AND seq = ${last}`,
          ...[zeros(32), recordId, recordId],
        );
      expect(await found(other, { receipts: lived.held.receipts })).toContain('RECEIPT_HELD entries');
    });
  });
});

/** Takes the tombstone back and all that came after it, with whatever would tell of it: the bank as it was on the day before. */
async function setBackBefore(
  at: Owner,
  { record: { recordId }, attachment, annex, erased }: Lived,
): Promise<void> {
  const { leaf } = (await at.source.row<{ leaf: number }>(
    "SELECT max(leaf) AS leaf FROM entries WHERE record = ? AND chain = 'content'",
    recordId,
  ))!;
  const { number } = (await at.source.row<{ number: number }>(
    'SELECT r.number FROM requests r JOIN entries e ON e.session = r.session WHERE e.leaf = ?',
    leaf,
  ))!;
  const place = 'e.record = t.record AND e.chain = t.chain AND e.seq = t.seq';
  await at.run(
    'DELETE FROM replies WHERE session IN (SELECT session FROM requests WHERE number >= ?)',
    number,
  );
  await at.run('DELETE FROM outcomes WHERE request >= ?', number);
  await at.run('DELETE FROM requests WHERE number >= ?', number);
  await at.run(
    `DELETE FROM payloads AS t WHERE EXISTS (SELECT 1 FROM entries e WHERE ${place} AND e.leaf >= ?)`,
    leaf,
  );
  await at.run(
    `DELETE FROM authorities AS t WHERE EXISTS (
       SELECT 1 FROM entries e WHERE e.record = t.record AND e.chain = 'content' AND e.seq = t.seq AND e.leaf >= ?)`,
    leaf,
  );
  await at.run('DELETE FROM entries WHERE leaf >= ?', leaf);
  await at.run('DELETE FROM leaves WHERE position >= ?', leaf);
  for (const { seq, payload } of erased)
    await at.run("INSERT INTO payloads VALUES (?, 'content', ?, ?)", recordId, seq, payload);
  const grant = erased.at(-1)!.seq;
  await at.run('INSERT INTO attachments VALUES (?, ?)', sha256(attachment), attachment);
  await at.run("INSERT INTO uses VALUES (?, ?, 'content', ?)", sha256(attachment), recordId, grant);
  // The erased annex is whole again.
  const { name, bytes } = annex;
  await at.run("INSERT INTO uses VALUES (?, ?, 'content', ?)", name, recordId, erased[0]!.seq);
  await at.run('INSERT INTO annexes VALUES (?, ?, ?)', name, new Uint8Array(16), bytes.length);
  await at.run('INSERT INTO annex_chunks VALUES (?, 0, ?)', new Uint8Array(16), bytes);
}

it('what others hold is read from files and wallets', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'muniment-outside-'));
  try {
    const at = (...names: string[]): string => path.join(folder, ...names);
    mkdirSync(at('wallet'));
    writeFileSync(at('wallet', 'receipts'), 'one\ntwo\n');
    writeFileSync(at('receipts'), 'three\n');
    writeFileSync(at('checkpoint'), 'four\n');
    expect(readOutside([at('checkpoint')], [at('wallet'), at('receipts')])).toEqual({
      checkpoints: [{ text: 'four\n', from: at('checkpoint') }],
      receipts: [
        { text: 'one', from: `${at('wallet', 'receipts')}:1` },
        { text: 'two', from: `${at('wallet', 'receipts')}:2` },
        { text: 'three', from: `${at('receipts')}:1` },
      ],
    });
    expect(() => readOutside([at('nowhere')], [])).toThrow('nowhere');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** All that may happen to a record, and what may not. */
async function live(engine: Engine): Promise<Lived> {
  const annexes = new AnnexStore(engine);
  const at = await foundBank(engine, { annexes, days: 20 * 365 });
  const users = await at.join(USERS);
  const { doctor, nurse, founder, patient } = users;
  await foundGroups(
    at,
    founder,
    Object.values(users).map(({ user }) => user.credential),
  );
  const record = await openRecord(at, patient, doctor);
  const { recordId } = record;
  const audience = await audienceOf(at, patient);
  const scan = await sealDraft(doctor, audience, withAnnex());
  await append(doctor, record, [scan]);
  await append(doctor, record, [await sealDraft(doctor, audience, withAnnex())]);
  const note = await sealDraft(nurse, audience, draftIn('specialistDocuments'));
  await write(at, nurse, recordId, note);
  const about = { kind: 'annotate', document: note.digest } as const;
  await write(at, nurse, recordId, await sealDraft(nurse, audience, draftIn('specialistDocuments', about)));
  const foreign = write(at, nurse, recordId, await sealDraft(nurse, audience, draftIn('treatments')));
  expect(await refusalOf(foreign)).toBe('PART');
  const [first] = await grantsOf(at, patient, record, nurse);
  await endGrant(patient, record, first!);
  const { credential: before } = doctor.user;
  const next = at.clientOf(await at.enrol('doctor', before.roles, Date.now()));
  const superseded = { reason: 'superseded', revokedAt: Date.now() } as const;
  await rekey(at.administrator, at.directory, { before, after: next.user.credential }, superseded);
  const announced = [{ name: systemRandom(32), size: 1000 }];
  await next.ask<'upload'>({ type: 'upload', recordId, annexes: announced });

  const close = (number: number, kind: 'closing' | 'reopening'): Writing => {
    const said = kind === 'closing' ? { kind, ground: 'death' as const, at: Date.now() } : { kind };
    const { kind: of, content } = encodeAuthorityStatement({ ...said, number });
    return statement('close', of, content);
  };
  await write(at, at.administrator, recordId, close(0, 'closing'));
  await write(at, patient, recordId, close(1, 'reopening')); // the owner is alive
  await write(at, at.administrator, recordId, close(2, 'closing'));
  const closed = write(at, next, recordId, await sealDraft(next, audience, draftIn('treatments')));
  expect(await refusalOf(closed)).toBe('RECORD_RIGHT');

  vi.setSystemTime(Date.now() + TERM);
  const kept = await engine.reading
    .selectFrom('entries')
    .innerJoin('payloads', (join) =>
      join
        .onRef('payloads.record', '=', 'entries.record')
        .onRef('payloads.chain', '=', 'entries.chain')
        .onRef('payloads.seq', '=', 'entries.seq'),
    )
    .select(['entries.seq', 'entries.entry', 'entries.hash', 'payloads.bytes', 'entries.attachments'])
    .where('entries.record', '=', recordId)
    .where('entries.chain', '=', 'content')
    .orderBy('entries.seq')
    .execute();
  const document = kept.find(({ entry }) => kindOf(entry) === 'insert')!;
  const grant = kept.find(({ entry }) => kindOf(entry) === 'grant')!;
  const attachment = await engine.reading
    .selectFrom('attachments')
    .select('bytes')
    .where('digest', '=', new Uint8Array(grant.attachments))
    .executeTakeFirstOrThrow();
  const doomed = [document, grant];
  await erase(
    at,
    recordId,
    doomed.map(({ seq, hash }) => ({ seq, entryHash: new Uint8Array(hash) })),
  );
  const { receipt } = await engine.reading
    .selectFrom('entries')
    .select('receipt')
    .where('record', '=', recordId)
    .where('chain', '=', 'content')
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow();
  await readRecord(patient, recordId, { purpose: 'what is left', releases: null });
  const { origin, anchor, bank, log } = at.trust;
  return {
    trust: { origin, anchor, bank, log, witnesses: [] },
    record,
    erased: doomed.map(({ seq, bytes }) => ({ seq, payload: new Uint8Array(bytes) })),
    attachment: new Uint8Array(attachment.bytes),
    annex: { name: annexName(scan.annexes![0]!.annex.root), bytes: scan.annexes![0]!.ciphertext },
    held: {
      checkpoints: [{ text: await at.bank.checkpoint(), from: 'a witness' }],
      receipts: [{ text: toBase64url(new Uint8Array(receipt)), from: 'a client' }],
    },
  };
}

function kindOf(entry: Uint8Array): string {
  return decodeSignedEntry(new Uint8Array(entry)).entry.kind;
}

function withAnnex(): Parameters<typeof sealDraft>[2] {
  const toJson = ([scan]: readonly string[]): string =>
    JSON.stringify({ speciality: 'cardiology', treatments: { scan } });
  return { type: 'note', annexes: [{ mediaType: 'image/png', bytes: systemRandom(3000) }], toJson };
}

// Two grants, of which one stays.
async function grantsOf(
  at: InProcess,
  patient: BankClient,
  record: RecordName,
  { user: { credential: grantee } }: BankClient,
): Promise<Uint8Array[]> {
  const first = await grantPart(at, patient, record, { grantee, part: 'treatments' });
  return [first, await grantPart(at, patient, record, { grantee, part: 'personalData' })];
}

async function erase(
  at: InProcess,
  recordId: Uint8Array,
  erased: readonly { readonly seq: number; readonly entryHash: Uint8Array }[],
): Promise<void> {
  const ruleVersion = TEN_YEARS_AFTER_DEATH.version;
  const said = { chain: 'content', erased, ground: 'retention', ruleVersion } as const;
  const { kind, payload, payloadType, digest } = statement('erase', ERASE, encodeErasure(said));
  const signed = await signEntry(at.administrator.user, await headOf(at, recordId), {
    ...{ origin: at.trust.origin, recordId, chain: 'content', kind, time: Date.now() },
    ...{ payloadType, payloadDigest: digest, seen: null },
  });
  const entry = encodeSignedEntry(signed);
  await at.administrator.ask<'erase'>({ type: 'erase', recordId, entry }, [payload]);
}

describe('rights, written a second time', () => {
  const ROLES = [
    'administrator',
    'patient',
    'doctor',
    'specialist:nursing',
    'emergency',
    'insurer',
    'auditor',
  ];
  const credentialOf = (roles: readonly string[], id: Uint8Array) =>
    ({ id, roles }) as unknown as Identity['credential'];
  const id = systemRandom(32);

  it('are those that the bank enforces', () => {
    let compared = 0;
    for (const kind of ENTRY_KINDS)
      for (const chain of ['content', 'access'] as const)
        for (const payloadType of ['sealed-document', 'statement', 'other'])
          for (const role of [...ROLES, 'bank', 'keeper:ward']) {
            const [entry, author] = [{ kind, chain, payloadType } as Entry, credentialOf([role], id)];
            const what = [kind, chain, payloadType, role].join(' ');
            expect(rights.mayWriteRecord(entry, author), what).toBe(mayWriteRecord(entry, author));
            if (payloadType === 'statement')
              expect(rights.mayWriteDirectory(entry, author), what).toBe(mayWriteDirectory(entry, author));
            compared++;
          }
    expect(compared).toBe(ENTRY_KINDS.length * 2 * 3 * 9);
  });
});

describe('what a record states', () => {
  it('is held against what stood before', async () => {
    const valid = { notBefore: 0, notAfter: 4e12 };
    const suite = { kem: KEM_X25519 };
    const anchor = await createAnchor(
      { subject: 'administrator', roles: ['administrator'], ...valid },
      suite,
    );
    const [patient, doctor] = [
      await enrol(anchor, { subject: 'patient', roles: ['patient'], ...valid }, suite),
      await enrol(anchor, { subject: 'doctor', roles: ['doctor'], ...valid }, suite),
    ];
    const all = [anchor, patient, doctor].map(({ credential }) => credential);
    const recordId = systemRandom(16);
    const findings = new Findings();
    const find = (id: Uint8Array) => all.find((one) => Buffer.from(one.id).equals(id)) ?? null;
    const people = { find, standing: withoutRevocations(find) };
    const scratch = { add: () => true };
    const context = { people, findings, scratch } as unknown as Context;
    let [head, said] = [EMPTY_CHAIN, NOTHING_STATED as ReturnType<typeof followStatements>];
    const put = async (user: Identity, { kind, payloadType, payload, digest }: Writing, time: number) => {
      const signed = await signEntry(user, head, {
        ...{ origin: 'bank.example/records', recordId, chain: 'content', kind, time },
        ...{ payloadType, payloadDigest: digest, seen: null },
      });
      const before = findings.checked().wrong;
      const hash = hashEntry(signed);
      const row = { leaf: 0, time } as Entered['row'];
      said = followStatements(context, { row, signed, hash, name: 'it' }, payload, said);
      head = headAfter(signed);
      return findings
        .checked()
        .findings.slice(before)
        .map(({ check }) => check);
    };
    const closing = (number: number): Writing => {
      const { kind, content } = encodeAuthorityStatement({
        kind: 'closing',
        ground: 'death',
        at: 1000,
        number,
      });
      return statement('close', kind, content);
    };
    const tombstone = (hash: Uint8Array): Writing => {
      const ruleVersion = TEN_YEARS_AFTER_DEATH.version;
      const erased = [{ seq: 1, entryHash: hash }];
      const content = encodeErasure({ chain: 'content', erased, ground: 'retention', ruleVersion });
      return statement('erase', ERASE, content);
    };
    const creation = encodeCreation({ owner: patient.credential.id, tagSalt: systemRandom(32) });
    expect(await put(doctor, statement('create', CREATE, creation), 1000)).toEqual([]);
    expect(await put(patient, statement('grant', 'grant', systemRandom(8)), 1000)).toEqual([]);
    const granted = head.hash;
    expect(await put(doctor, closing(0), 1001)).toEqual(['RECORD_RIGHT']);
    expect(await put(anchor, closing(1), 1002)).toEqual(['RECORD_RIGHT']);
    expect(await put(anchor, tombstone(granted), 1003)).toEqual(['RECORD_RETENTION']);
    expect(await put(anchor, closing(0), 1004)).toEqual([]);
    expect(await put(anchor, tombstone(granted), 1005)).toEqual(['RECORD_RETENTION']);
    expect(await put(anchor, tombstone(granted), 1004 + TERM)).toEqual([]);
  });
});
