/** `user renew`, `user revoke`, `key show` and `key renew`, and the list of revoked certificates that `init` begins, against a real server. */

import { systemRandom } from 'muniment/crypto';
import { createIdentity, createRoot, publishCompartments } from 'muniment/keys';
import { directoryId, NO_WITNESSES, verifyExport } from 'muniment/record';
import { toHex } from 'muniment/wire';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { nextCredential } from '../../../examples/admin/key/renewal.ts';
import type { PartyRow } from '../../../examples/admin/key/showing.ts';
import type { UserRow } from '../../../examples/admin/user/listing.ts';
import { readAccesses } from '../../../examples/client/accesses.ts';
import { breakGlass } from '../../../examples/client/emergency.ts';
import { fetchExport } from '../../../examples/client/exporting.ts';
import { publishCompartmentsOf } from '../../../examples/client/publishing.ts';
import { readRecord } from '../../../examples/client/reading.ts';
import {
  append,
  createRecord,
  sealDraft,
  statement,
  type RecordName,
} from '../../../examples/client/writing.ts';
import { run as client } from '../../../examples/client/cli/program.ts';
import { PARTS } from '../../../examples/policies/behc.ts';
import { Bank } from '../../../examples/server/bank.ts';
import { DIGESTS, ruleFor, OPENINGS } from '../../../examples/server/rights.ts';
import { audienceOf, draftIn, foundGroups, KEEPER, write } from '../a-record.ts';
import { foundBank } from '../in-process.ts';
import { ENGINES, makeDatabase } from '../store/engines.ts';
import { admin, FoundedBank, type Ran } from './by-commands.ts';

const DOCTOR = ['doctor', 'speciality:cardiology', ...KEEPER];

describe.each(ENGINES)('keys and users on %s', (engine) => {
  let bank: FoundedBank;
  let record: RecordName;

  beforeAll(async () => {
    bank = await FoundedBank.found(engine, '--days', '30');
    await bank.start();
    await bank.ok('user', 'add', 'doctor', '--role', ...DOCTOR);
    await bank.ok('user', 'add', 'medic', '--role', 'doctor', 'emergency');
    await bank.ok('user', 'add', 'patient', '--role', 'patient');
    const { origin, directorySalt: tagSalt } = bank.folder.user('doctor').settings();
    const directory = { recordId: directoryId(origin), tagSalt };
    const owned = { root: createRoot(), recordId: systemRandom(16), names: PARTS };
    await bank.as('patient', (patient) => publishCompartmentsOf(patient, directory, owned));
    await bank.as('doctor', async (doctor) => {
      const medic = await bank.as('medic', ({ user }) => Promise.resolve(user.credential));
      await foundGroups({ directory }, doctor, [doctor.user.credential, medic]);
      record = await createRecord(doctor, 'patient');
    });
    await writeAs('doctor');
  });
  afterAll(async () => {
    vi.useRealTimers();
    await bank.end();
  });

  /** Somebody writes a document into the record. */
  const writeAs = (name: string): Promise<void> =>
    bank.as(name, async (doctor) => {
      const audience = await bank.as('patient', (patient) => audienceOf({ trust: doctor.trust }, patient));
      await append(doctor, record, [await sealDraft(doctor, audience, draftIn('treatments'))]);
    });
  const refused = async (...args: string[]): Promise<string> => {
    const { status, err } = await bank.run('user', ...args);
    expect(status).toBe(1);
    return err;
  };
  const users = async (subject: string): Promise<UserRow[]> => {
    const rows = JSON.parse(await bank.ok('user', 'list', '--json')) as UserRow[];
    return rows.filter((row) => row.subject === subject);
  };
  const wallets = (): string[] => readdirSync(bank.folder.at('users')).sort();

  describe('a user', () => {
    it('is not added twice, and not renewed unless it was added', async () => {
      const before = wallets();
      expect(await refused('add', 'doctor', '--role', 'doctor')).toContain('is registered');
      expect(await refused('renew', 'nobody')).toContain('nobody is not registered');
      expect(wallets()).toEqual(before);
    });

    it('gets a next credential in a new wallet, and the one before goes on until it is taken back', async () => {
      const said = await bank.ok('user', 'renew', 'doctor', '--days', '60');
      expect(said).toContain(path.join('users', 'doctor-2'));
      const [first, second, ...others] = await users('doctor');
      expect(others).toEqual([]);
      expect(said).toContain(`--credential ${first!.id}`);
      expect(second).toMatchObject({ roles: DOCTOR, state: 'valid' });
      expect(toHex(bank.folder.user('doctor-2').credential().id)).toBe(second!.id);
      await writeAs('doctor');
      await writeAs('doctor-2'); // which remembers the record: it came with the wallet before
      await bank.ok('user', 'revoke', 'doctor', '--reason', 'superseded', '--credential', first!.id);
      expect((await users('doctor')).map(({ state }) => state)).toEqual(['revoked', 'valid']);
      await expect(writeAs('doctor')).rejects.toThrow();
      await writeAs('doctor-2');
      expect(await refused('revoke', 'doctor', '--credential', '00'.repeat(32))).toContain(
        'no such credential',
      );
      expect(await refused('revoke', 'patient', '--credential', second!.id)).toContain('no such credential');
    });

    it('loses all credentials that are valid, and its certificates once the list is there', async () => {
      await bank.ok('user', 'add', 'nurse', '--role', 'specialist:nursing');
      await bank.ok('user', 'renew', 'nurse', '--role', 'specialist:nursing', 'speciality:nursing');
      expect(await refused('revoke', 'nurse')).toContain('nurse has several credentials');
      const said = await bank.ok('user', 'revoke', 'nurse', '--reason', 'ceased', '--all');
      expect(said).toContain('revoked 2 credentials of nurse, and 2 TLS certificates');
      expect((await users('nurse')).map(({ state }) => state)).toEqual(['revoked', 'revoked']);
      expect(await refused('revoke', 'nurse')).toContain('no valid credential');
      const look = (): Promise<string> =>
        bank
          .as('nurse-2', (nurse) =>
            nurse.ask<'lookup'>({ type: 'lookup', subjects: [], ids: [], groups: [] }),
          )
          .then(
            () => 'served',
            (error: unknown) => (error as Error).name,
          );
      expect(await look()).toBe('Refused'); // who is let in, and known no more
      const list = bank.folder.at('server', 'authority.crl');
      await bank.done('ca', '--folder', bank.folder.at('authority'), 'crl', '--out', list);
      expect(statSync(list).mode & 0o777).toBe(0o644);
      // The server looks every few seconds.
      while ((await look()) !== 'ConnectionError') await setTimeout(100);
      await writeAs('doctor-2');
    });

    it('is taken back where there is no database by the newest credential, and older ones by name', async () => {
      await bank.ok('user', 'add', 'locum', '--role', 'doctor');
      await bank.ok('user', 'renew', 'locum');
      const config = bank.folder.at('server', 'server.json');
      const said = await bank.without(config, () => bank.ok('user', 'revoke', 'locum'));
      expect(said).toContain('revoked 1 credential of locum, and 2 TLS certificates\n');
      expect(said).toContain('only the newest credential is known');
      expect((await users('locum')).map(({ state }) => state)).toEqual(['valid', 'revoked']);
    });
  });

  it('are looked for in no folder that is no bank’s, and are opened by one passphrase', async () => {
    const none = path.join(bank.root, 'none');
    for (const args of [
      ['user', '--folder', none, 'list'],
      ['user', '--folder', none, 'add', 'x', '--role', 'doctor'],
      ['key', '--folder', none, 'show'],
      ['retention', '--folder', none, 'list'],
    ])
      expect(await admin(...args)).toEqual({
        ...{ status: 1, out: '', err: `muniment-admin: ${none} is no bank's folder: \`init\` makes one\n` },
      });
    writeFileSync(path.join(bank.root, 'wrong'), 'a wrong one');
    const add = ['user', '--folder', bank.folder.path, 'add', 'x', '--role', 'doctor'];
    const wrong = await admin('--passphrase-file', path.join(bank.root, 'wrong'), ...add);
    const keys = bank.folder.at('administrator', 'keys.json');
    expect(wrong.err).toBe(`muniment-admin: the passphrase does not open ${keys}\n`);
  });

  describe('the keys of the bank', () => {
    const keys = async (): Promise<PartyRow[]> =>
      JSON.parse(await bank.ok('key', 'show', '--json')) as PartyRow[];
    const cli = async (name: string, ...args: string[]): Promise<Ran> => {
      let [out, err] = ['', ''];
      const files = [
        '--wallet',
        bank.folder.at('users', name),
        '--passphrase-file',
        bank.folder.at('users', `${name}.passphrase`),
      ];
      const into = { out: (text: string) => (out += text), err: (text: string) => (err += text), env: {} };
      return { status: await client([...files, ...args], into), out, err };
    };

    it('are shown by their public halves, and how long they last', async () => {
      const rows = await keys();
      expect(rows.map(({ party }) => party)).toEqual(['anchor', 'bank', 'log']);
      expect(rows[1]).toMatchObject({ subject: 'bank', daysLeft: 29 });
      expect(rows[0]!.id).toBe(toHex(bank.folder.anchorId()));
      expect(rows.flatMap((row) => row.keys)).toHaveLength(8);
      expect(rows[2]!.keys[0]!.use).toMatch(/^bank\.example\/records\+[0-9a-f]{8}\+/);
      const text = await bank.ok('key', 'show');
      expect(text).toContain('WARNING: the credential of the bank ends in 29 days');
      const told = rows[2]!.keys[1]!;
      expect(told.use.length).toBeGreaterThan(1_700);
      expect(text).toMatch(
        new RegExp(
          `${told.digest} {2}bank\\.example/records\\+[0-9a-f]{8}\\+.{16}… \\(whole with --json\\)\n`,
        ),
      );
      expect(text).toContain(rows[2]!.keys[0]!.use);
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 28 * 86_400_000 });
      expect(await bank.ok('key', 'show')).toContain('WARNING: the credential of the bank ends in 1 day\n');
      vi.setSystemTime(Date.now() + 12 * 86_400_000);
      expect(await bank.ok('key', 'show')).toContain('WARNING: the credential of the anchor has ended');
      vi.useRealTimers();
    });

    it('get a next credential; who has the old settings is told so, and what was signed before holds', async () => {
      const settings = bank.folder.at('server', 'settings.json');
      const before = JSON.parse(readFileSync(settings, 'utf8')) as { bank: string };
      const said = await bank.ok('key', 'renew', 'bank', '--days', '400');
      const rows = await keys();
      expect(rows.map(({ party }) => party)).toEqual(['anchor', 'bank', 'former bank', 'log']);
      expect(said).toContain(rows[1]!.id);
      expect(rows[1]!.keys).toEqual(rows[2]!.keys);
      expect(await bank.ok('key', 'show')).not.toContain('of the bank ends');
      await writeAs('doctor-2'); // the server has not been told yet
      await bank.stop();
      await bank.start();
      const old = await cli('doctor-2', 'view', '--patient', 'patient', '--purpose', 'to see');
      expect(old.status).toBe(1);
      expect(old.err).toContain('settings');
      for (const name of ['doctor-2', 'medic', 'patient'])
        expect((await cli(name, 'settings', settings)).status).toBe(0);
      const { bank: renewed } = JSON.parse(
        readFileSync(bank.folder.at('users', 'patient', 'settings.json'), 'utf8'),
      ) as {
        bank: string;
      };
      expect(renewed).not.toBe(before.bank);
      await writeAs('doctor-2');
      await bank.as('medic', async (medic) => {
        const { releases } = await breakGlass(medic, record.recordId, 'found unconscious');
        const seen = await readRecord(medic, record.recordId, { purpose: 'emergency', releases });
        expect(seen.documents).toHaveLength(7); // sealed to the custodian under either Id
        expect(seen.fields).toBeGreaterThan(0);
      });
      await bank.as('patient', async (patient) => {
        const view = await readRecord(patient, record.recordId, { purpose: 'all of it', releases: null });
        expect(view.broken).toEqual([]);
        const { proven, unproven } = await readAccesses(patient, record.recordId);
        expect(unproven).toEqual([]);
        expect(proven.map(({ action }) => action)).toEqual(expect.arrayContaining(['read', 'break-glass']));
        const text = await fetchExport(patient, record.recordId);
        const { anchor, origin } = patient.trust;
        const verified = await verifyExport(text, {
          ...{ anchorId: anchor.id, origin, witnesses: NO_WITNESSES, digests: DIGESTS, openings: OPENINGS },
          ...{ rule: ruleFor, renewalLogs: [] },
        });
        expect(new Set(verified.access.map(({ entry }) => toHex(entry.author.id))).size).toBe(2);
      });
      const receipts = ['doctor', 'doctor-2', 'patient'].map((name) => bank.folder.at('users', name));
      const config = bank.folder.at('server', 'server.json');
      expect(await bank.done('check', '--config', config, '--receipts', ...receipts)).toContain(
        'all of it holds',
      );
      // The administrator has the new settings already, and so has whoever is enrolled from now on.
      await bank.ok('user', 'add', 'insurer', '--role', 'insurer');
    });

    it('get the one after it too, and settings of another bank are not taken', async () => {
      await bank.ok('key', 'renew', 'bank');
      expect((await keys()).map(({ party }) => party)).toEqual([
        'anchor',
        'bank',
        'former bank',
        'former bank',
        'log',
      ]);
      await bank.stop();
      await bank.start();
      await cli('doctor-2', 'settings', bank.folder.at('server', 'settings.json'));
      await cli('patient', 'settings', bank.folder.at('server', 'settings.json'));
      await writeAs('doctor-2');
      expect(await bank.check()).toContain('all of it holds');
      const other = await FoundedBank.found('sqlite');
      const foreign = await cli('doctor-2', 'settings', other.folder.at('server', 'settings.json'));
      expect(foreign.status).toBe(1);
      await other.end();
    });

    it('of administrator and authority are sealed under another passphrase, in one go or in two', async () => {
      const next = path.join(bank.root, 'next');
      writeFileSync(next, 'another passphrase\n');
      const change = ['passphrase', '--new-passphrase-file', next];
      const authority = bank.folder.at('authority', 'authority.key');
      const [before, memory] = [readFileSync(authority), bank.folder.at('administrator', 'tls.key')];
      const wrong = await admin(
        '--passphrase-file',
        path.join(bank.root, 'wrong'),
        'key',
        '--folder',
        bank.folder.path,
        ...change,
      );
      expect(wrong.err).toContain('neither passphrase opens administrator/keys.json');
      expect(readFileSync(authority)).toEqual(before);
      const said = await bank.ok('key', ...change);
      for (const name of ['keys.json', 'tls.key', 'authority.key']) expect(said).toContain(name);
      // As if it had been interrupted before the last file.
      writeFileSync(authority, before);
      const again = await bank.ok('key', ...change);
      expect(again).not.toContain('keys.json');
      expect(again).toContain('authority.key');
      expect(await bank.ok('key', ...change)).toContain('nothing');
      expect(readFileSync(memory, 'utf8')).toContain('ENCRYPTED');
      expect((await bank.run('user', 'add', 'late', '--role', 'auditor')).err).toContain('passphrase');
      await bank.done(
        '--passphrase-file',
        next,
        'user',
        '--folder',
        bank.folder.path,
        'add',
        'late',
        '--role',
        'auditor',
      );
    });
  });
});

it('a bank completes under its next Id what it was asked under the one before', async () => {
  const database = await makeDatabase('sqlite');
  const engine = await database.open();
  let turns = Infinity; // before the disk goes
  const brittle = new Proxy(engine, {
    get: (target, property) =>
      property === 'lock' && turns-- <= 0
        ? () => Promise.reject(new RangeError('the disk is gone'))
        : (Reflect.get(target, property) as unknown),
  });
  const at = await foundBank(brittle);
  const { patient } = await at.join({ patient: ['patient'] });
  const owned = { root: createRoot(), recordId: systemRandom(16), names: ['treatments'] };
  const list = await publishCompartments(patient.user, owned.root, owned);
  turns = 1; // to look up the head: the request itself is archived, and no more
  const { recordId } = at.directory;
  await expect(write(at, patient, recordId, statement('key', 'compartments', list))).rejects.toThrow();
  const { identity: keys } = at.parts;
  const { credential: before } = keys;
  const credential = await nextCredential(at.administrator.user, { keys, before }, 30);
  const parts = { ...at.parts, engine, identity: createIdentity(keys, credential) };
  expect(await new Bank(parts).recover()).toBe(0); // who does not know the Id of before takes it for another's
  expect(await new Bank({ ...parts, former: [before] }).recover()).toBe(1);
  expect(await new Bank({ ...parts, former: [before] }).recover()).toBe(0);
  await engine.close();
  await database.remove();
});
