/**
 * `retention` over real TLS and a real server: a record that is closed, opened again, closed for a death, and erased ten
 * years later, annex and all; and an export of what is left, which says what was erased.
 */

import { KEM_XWING, systemRandom } from 'muniment/crypto';
import { createRoot } from 'muniment/keys';
import {
  directoryId,
  ERASURE_LIMIT,
  NO_WITNESSES,
  TEN_YEARS_AFTER_DEATH,
  verifyExport,
} from 'muniment/record';
import { grant } from 'muniment/views';
import { toHex } from 'muniment/wire';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openSource } from '../../../examples/admin/check/config.ts';
import type { ClosedRow } from '../../../examples/admin/retention/listing.ts';
import { fetchExport } from '../../../examples/client/exporting.ts';
import { publishCompartmentsOf } from '../../../examples/client/publishing.ts';
import { readRecord } from '../../../examples/client/reading.ts';
import {
  append,
  createRecord,
  sealDraft,
  statement,
  type RecordName,
  type Writing,
} from '../../../examples/client/writing.ts';
import { PARTS } from '../../../examples/policies/behc.ts';
import { printNumber, recordNumber } from '../../../examples/server/record-number.ts';
import { DIGESTS, ruleFor, OPENINGS } from '../../../examples/server/rights.ts';
import { judgeExport } from '../../../examples/verifier/judge.ts';
import { audienceOf, draftIn, foundGroups, KEEPER } from '../a-record.ts';
import { ENGINES } from '../store/engines.ts';
import { admin, FoundedBank } from './by-commands.ts';

const DAY = 86_400_000;
/** Ten years, with all leap days that may lie in them, and one day more. */
const TERM = 3654 * DAY;
const SCAN = new Uint8Array(600_000).fill(7); // three chunks of the bank

describe.each(ENGINES)('retention on %s', (engine) => {
  /** Beside three documents: on one engine so many that, once two of the documents are gone, what is left takes two tombstones. */
  const GRANTS = engine === 'sqlite' ? ERASURE_LIMIT : 1;
  /** Where the entries after them stand. */
  const NEXT = 4 + GRANTS;
  let bank: FoundedBank;
  let record: RecordName;
  let number: string;
  /** The root of the annex. */
  let root: Uint8Array;

  beforeAll(async () => {
    bank = await FoundedBank.found(engine, '--days', '7000');
    await bank.start();
    const roles = ['doctor', 'speciality:cardiology', ...KEEPER];
    await bank.ok('user', 'add', 'doctor', '--role', ...roles, '--days', '7000');
    await bank.ok('user', 'add', 'patient', '--role', 'patient', '--days', '7000');
    const { origin, directorySalt: tagSalt } = bank.folder.user('doctor').settings();
    const directory = { recordId: directoryId(origin), tagSalt };
    await bank.as('patient', (client) =>
      publishCompartmentsOf(client, directory, {
        ...{ root: createRoot(), recordId: systemRandom(16), names: PARTS },
      }),
    );
    await bank.as('doctor', async (doctor) => {
      await foundGroups({ directory }, doctor, [doctor.user.credential]);
      record = await createRecord(doctor, 'patient');
      const audience = await bank.as('patient', (patient) => audienceOf({ trust: doctor.trust }, patient));
      const scan = {
        ...{ type: 'note', annexes: [{ mediaType: 'image/png', bytes: SCAN }] },
        toJson: ([image]: readonly string[]) =>
          JSON.stringify({ speciality: 'cardiology', treatments: { image } }),
      };
      // Entries 1 to 3.
      const sealed = await sealDraft(doctor, audience, scan);
      await append(doctor, record, [sealed, await sealDraft(doctor, audience, draftIn('treatments'))]);
      await append(doctor, record, [await sealDraft(doctor, audience, draftIn('personalData'))]);
      ({ root } = sealed.annexes![0]!.annex);
    });
    await bank.as('patient', async (patient) => {
      const terms = { recordId: record.recordId, purpose: 'to see', from: 0, until: 4e12, mayPassOn: false };
      const part = { kind: 'compartment', name: 'treatments', epoch: 0, kem: KEM_XWING } as const;
      const granted = { ...part, node: createRoot() };
      const { statement: signed, wrap } = await grant(patient.user, patient.trust.bank, { terms, granted });
      const writing = { ...statement('grant', 'grant', signed), attachments: [wrap] };
      await append(patient, record, Array<Writing>(GRANTS).fill(writing));
    });
    number = recordNumber(record.recordId);
  });
  afterAll(async () => {
    vi.useRealTimers();
    await bank.end();
  });

  const list = async (): Promise<ClosedRow[]> =>
    JSON.parse(await bank.ok('retention', 'list', '--json')) as ClosedRow[];
  const refused = async (...args: string[]): Promise<string> => {
    const { status, err } = await bank.run('retention', ...args);
    expect(status).toBe(1);
    return err;
  };
  const erase = (...args: string[]): string[] => ['erase', number, '--ground', 'retention', ...args];
  const stored = async (table: 'annexes' | 'annex_chunks' | 'attachments'): Promise<number> => {
    const source = await openSource(bank.folder.at('server', 'server.json'));
    const row = await source.row<{ count: number }>(`SELECT count(*) AS count FROM ${table}`);
    await source.close();
    return Number(row?.count);
  };

  it('closes and reopens, says how records stand, and erases nothing of one that is open or whose term runs', async () => {
    expect(await list()).toEqual([]);
    expect(await bank.ok('retention', 'list')).toBe('no record is closed\n');
    expect(await refused(...erase())).toContain('not closed for a death');
    expect(await refused('reopen', number)).toContain('the record is open');
    expect(await bank.ok('retention', 'close', printNumber(number), '--ground', 'ended')).toBe(
      `closed ${printNumber(number)} (ended): entry ${NEXT} of its chain\n`,
    );
    expect(await list()).toMatchObject([
      { number, ground: 'ended', earliest: null, due: false, erasable: 3 + GRANTS, erased: 0 },
    ]);
    expect(await refused('close', number, '--ground', 'moved')).toContain('closed already (ended)');
    expect(await bank.ok('retention', 'reopen', number)).toBe(
      `opened ${printNumber(number)} again: entry ${NEXT + 1} of its chain\n`,
    );
    expect(await list()).toEqual([]);
    const death = ['close', number, '--ground', 'death'];
    expect(await refused(...death, '--at', '2026-03-14')).toContain('and was alive then');
    expect(await refused(...death, '--at', '2126-03-14')).toContain('has not come');
    await bank.ok('retention', 'close', number, '--ground', 'moved', '--at', '2026-03-14');
    await bank.ok('retention', ...death); // stated of a record that moved
    const [row] = await list();
    expect(row).toMatchObject({ ground: 'death', due: false, erasable: 3 + GRANTS });
    const { earliest } = TEN_YEARS_AFTER_DEATH;
    const stated = Date.parse(row!.stated);
    const from = new Date(earliest('retention', { at: 0, stated })!).toISOString();
    expect(row!.earliest).toBe(from);
    expect(await bank.ok('retention', 'list')).toMatch(/death of \S+, stated \S+ {2}from \S+ {2}\d+ /);
    expect(await refused(...erase())).toContain(`before ${from}`);
    for (const ground of ['order', 'request'])
      expect(await refused('erase', number, '--ground', ground)).toContain(`on the ground ${ground}`);
  });

  it('works where there is no database, by a survey, in which nothing is written of what the record holds', async () => {
    const file = path.join(bank.root, 'survey.json');
    await bank.ok('retention', 'survey', number, '--out', file);
    const elsewhere = bank.folder.at('server', 'server.json');
    const config = readFileSync(elsewhere, 'utf8');
    writeFileSync(elsewhere, '');
    try {
      expect(await refused('reopen', number)).toContain('server.json');
      expect(await refused(...erase('--survey', file))).toContain('before 20');
      await bank.ok('retention', 'reopen', number, '--survey', file);
      // It is of before that now.
      expect(await refused('reopen', number, '--survey', file)).toContain('RECORD_STALE');
    } finally {
      writeFileSync(elsewhere, config);
    }
    const survey = JSON.parse(readFileSync(file, 'utf8')) as { entries: { payload: string | null }[] };
    const shown = survey.entries.flatMap(({ payload }, seq) => (payload === null ? [] : [seq]));
    expect(shown).toEqual([0, NEXT, NEXT + 1, NEXT + 2, NEXT + 3]);
    // Whoever carries it can leave nothing out and slip nothing in.
    const [creation, , ...rest] = survey.entries;
    writeFileSync(`${file}.cut`, JSON.stringify({ ...survey, entries: [creation, ...rest] }));
    expect(await refused('reopen', number, '--survey', `${file}.cut`)).toContain('RECORD_LINK');
    await bank.ok('retention', 'close', number, '--ground', 'death');
  });

  it('says what a wrong number, entry or survey is', async () => {
    const wrong = `${number.slice(0, -1)}${number.endsWith('0') ? '1' : '0'}`;
    const { status, err } = await admin('retention', 'reopen', wrong);
    expect(status).toBe(2);
    expect(err).toContain('look at its digits again');
    const other = recordNumber(systemRandom(16));
    expect(await refused('reopen', other)).toContain('there is no record');
    const file = path.join(bank.root, 'survey.json');
    expect(await refused('reopen', other, '--survey', file)).toContain('is of the record');
  });

  describe('when the term is over', () => {
    beforeAll(async () => {
      await bank.stop();
      // The authority and its list have ended by then; nobody is on it.
      bank.configure((config) => ({ ...config, tls: { ...(config['tls'] as object), revocations: null } }));
      await bank.start(TERM);
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + TERM });
    });

    let annexAgain: () => Promise<ArrayBuffer>;
    const annexBytes = (): Promise<Uint8Array> =>
      bank.as('patient', async (patient) => {
        const stored = await readRecord(patient, record.recordId, {
          ...{ purpose: 'a last look', releases: null },
          onPage: (documents, fetchAnnex) => {
            if (documents.length > 0) annexAgain = () => new Response(fetchAnnex(root)).arrayBuffer();
            return Promise.resolve();
          },
        });
        expect(stored.documents).toHaveLength(3);
        return new Uint8Array(await annexAgain());
      });

    it('erases what is named, and then all that is left, with the annex, and nothing twice', async () => {
      expect(await list()).toMatchObject([{ due: true, erasable: 3 + GRANTS, erased: 0 }]);
      expect(await bank.ok('retention', 'list')).toContain(
        `  DUE  ${3 + GRANTS} payloads to erase, 0 erased`,
      );
      for (const seq of ['0', String(NEXT), '9999'])
        expect(await refused(...erase('--entries', seq))).toContain(`entry ${seq} cannot be erased`);
      expect(await stored('annexes')).toBe(1);
      const before = await annexBytes();
      expect(before.length).toBeGreaterThan(SCAN.length);
      const tombstones = await bank.ok('retention', ...erase('--entries', '1', '3'));
      expect(tombstones).toBe(
        `erased 2 payloads of ${printNumber(number)}: the tombstone is entry ${NEXT + 6} of its chain\n`,
      );
      expect([await stored('annexes'), await stored('annex_chunks')]).toEqual([0, 0]);
      // By the very capability by which it was fetched.
      await expect(annexAgain()).rejects.toThrow('VIEW_ANNEX');
      expect(await list()).toMatchObject([{ due: true, erasable: 1 + GRANTS, erased: 2 }]);
      expect(await refused(...erase('--entries', '1'))).toContain('entry 1 cannot be erased');
      const sizes = engine === 'sqlite' ? [`${ERASURE_LIMIT} payloads`, '1 payload'] : ['2 payloads'];
      expect(await bank.ok('retention', ...erase())).toBe(
        sizes
          .map(
            (size, i) =>
              `erased ${size} of ${printNumber(number)}: the tombstone is entry ${NEXT + 7 + i} of its chain\n`,
          )
          .join(''),
      );
      expect(await stored('attachments')).toBe(0);
      expect(await list()).toMatchObject([{ due: false, erasable: 0, erased: 3 + GRANTS }]);
      expect(await refused(...erase())).toContain('nothing left to erase');
    });

    it('leaves a record that its owner reads and that checks, without what was erased', async () => {
      await bank.as('patient', async (patient) => {
        const view = await readRecord(patient, record.recordId, { purpose: 'what is left', releases: null });
        expect(view.documents).toEqual([]);
        expect(view.chain).toHaveLength(NEXT + (engine === 'sqlite' ? 9 : 8));
      });
      expect(await bank.check()).toContain('all of it holds');
    });

    it('leaves an export that verifies offline and calls what was erased erased, and not withheld', async () => {
      const text = await bank.as('patient', (patient) => fetchExport(patient, record.recordId));
      const { origin, anchor, user } = await bank.as('patient', (client) =>
        Promise.resolve({ ...client.trust, user: client.user.credential }),
      );
      const verified = await verifyExport(text, {
        ...{ anchorId: anchor.id, origin, witnesses: NO_WITNESSES, digests: DIGESTS, openings: OPENINGS },
        ...{ rule: ruleFor, renewalLogs: [] },
      });
      const states = verified.content.map(({ state }) => state);
      expect(states.slice(0, 4)).toEqual(['given', 'erased', 'erased', 'erased']);
      expect(states.filter((state) => state === 'withheld')).toEqual([]);
      expect(verified.content[1]!.erasedBy).toMatchObject({ seq: NEXT + 6, ground: 'retention' });
      expect(verified.content[2]!.erasedBy).toMatchObject({ seq: NEXT + 7 });
      // The page says so to whoever opens the file.
      const typed = {
        anchorId: toHex(anchor.id),
        ownerId: toHex(user.id),
        origin,
        witnesses: '',
        renewalLogs: '',
      };
      const { verdict, chains } = await judgeExport(text, typed, () => undefined);
      expect(verdict).toBe('verified');
      const shown = chains.content.map(({ payload }) => payload);
      expect(shown.slice(1, 4)).toEqual(Array(3).fill(expect.stringContaining('erased by entry')));
      // Whoever takes the tombstone's word away has no export any more.
      const parsed = JSON.parse(text) as { content: { payload: string | null }[] };
      const mute = parsed.content.map((entry, i) => (i === NEXT + 6 ? { ...entry, payload: null } : entry));
      const without = verifyExport(JSON.stringify({ ...parsed, content: mute }), {
        ...{ anchorId: anchor.id, origin, witnesses: NO_WITNESSES, digests: DIGESTS, openings: OPENINGS },
        ...{ rule: ruleFor, renewalLogs: [] },
      });
      await expect(without).rejects.toThrow('RECORD_PAYLOAD');
    });
  });
});
