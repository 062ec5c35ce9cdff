/** What the operator sees: health, readiness, metrics, the request log, and the explanation. On both engines. */

import { createRoot, type Identity } from 'muniment/keys';
import { KEM_XWING, systemRandom } from 'muniment/crypto';
import { definePolicy } from 'muniment/views';
import { toBase64url } from 'muniment/wire';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Refused } from '../../examples/client/bank.ts';
import { lookUp } from '../../examples/client/people.ts';
import {
  openDirectory,
  publishCompartmentsOf,
  publishGroupOf,
  register,
} from '../../examples/client/publishing.ts';
import { readRecord } from '../../examples/client/reading.ts';
import { append, createRecord, sealDraft } from '../../examples/client/writing.ts';
import { meditrackPolicy } from '../../examples/policies/index.ts';
import { explainEvents } from '../../examples/server/explain.ts';
import { describeApi, OPENAPI_FILE } from '../../examples/server/openapi.ts';
import { converseOnce, TestBank } from './http-bank.ts';
import { ENGINES } from './store/engines.ts';

/** Each is in a field, a name, a purpose or a text of a request, and in no log. */
const MARKED = ['MARKED-FIELD-7391', 'MARKED-PURPOSE-7391', 'marked-patient', 'marked-doctor'] as const;

describe.each(ENGINES)('a bank on %s', (store) => {
  let bank: TestBank;
  let doctor: Identity;
  const explained: string[] = [];
  let endExplaining: () => void;

  const operations = (path: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${String(bank.ports.operations)}${path}`);
  const metrics = async (): Promise<string> => (await operations('/metrics')).text();

  beforeAll(async () => {
    endExplaining = explainEvents((line) => explained.push(line));
    bank = await TestBank.start({ store });
    const groups = ['speciality:cardiology', 'insurer', 'emergency'];
    doctor = await bank.enrol(
      'marked-doctor',
      'doctor',
      ...groups,
      ...groups.map((name) => `keeper:${name}`),
    );
    const patient = await bank.enrol('marked-patient', 'patient');
    for (const name of ['administrator', 'marked-doctor', 'marked-patient']) await bank.certify(name);
    const administrator = bank.clientOf(bank.administrator);
    const directory = await openDirectory(administrator);
    await register(administrator, directory, [doctor.credential, patient.credential]);
    const client = bank.clientOf(doctor);
    for (const name of groups)
      await publishGroupOf(client, directory, { name, kem: KEM_XWING, members: [doctor.credential] });
    const names = ['personal', 'urgent', 'medical', 'financial'];
    const compartments = { root: createRoot(), recordId: systemRandom(16), names };
    await publishCompartmentsOf(bank.clientOf(patient), directory, compartments);
    const record = await createRecord(client, 'marked-patient');
    const people = await lookUp(client, { subjects: ['marked-patient'], groups });
    const audience = {
      policy: definePolicy(meditrackPolicy),
      owner: people.compartments.get('marked-patient')!,
      groups: people.groups,
      custodian: bank.trust.bank,
    };
    const text = JSON.stringify({ patient: { bloodType: MARKED[0] } });
    await append(client, record, [
      await sealDraft(client, audience, { type: 'record', annexes: [], toJson: () => text }),
    ]);
    await readRecord(bank.clientOf(patient), record.recordId, { purpose: MARKED[1], releases: null });
  });

  afterAll(async () => {
    endExplaining();
    await bank.end();
  });

  it('is healthy, and ready for each reason', async () => {
    const health = await operations('/healthz');
    expect([health.status, await health.text()]).toEqual([200, 'ok\n']);
    const readiness = await operations('/readyz');
    const good = { ok: true, note: null };
    expect([readiness.status, await readiness.json()]).toEqual([
      200,
      {
        ready: true,
        checks: { database: good, log: good, credential: good, certificate: good, revocations: good },
      },
    ]);
  });

  it('counts what happens under codes and types', async () => {
    const before = await metrics();
    expect(before).toMatch(/^muniment_conversations_total\{type="append",outcome="served"\} [1-9]/m);
    expect(before).toMatch(/^muniment_conversation_seconds_count\{type="read"\} [1-9]/m);
    for (const of of ['ledger', 'archive']) {
      expect(before).toMatch(new RegExp(`^muniment_commit_changes_count\\{of="${of}"\\} [1-9]`, 'm'));
      expect(before).toMatch(new RegExp(`^muniment_commit_seconds_sum\\{of="${of}"\\} 0?\\.?\\d`, 'm'));
    }
    expect(before).toMatch(new RegExp(`^muniment_log_leaves ${String(bank.bank.ledger.size)}$`, 'm'));
    expect(before).toMatch(/^muniment_revocations_end_seconds \d/m);
    expect(before).toMatch(/^process_resident_memory_bytes \d/m);
    const count = (text: string, type: string, outcome: string): number =>
      Number(new RegExp(`\\{type="${type}",outcome="${outcome}"\\} (\\d+)`).exec(text)?.[1] ?? 0);
    await converseOnce(bank.clientOf(doctor));
    const unknown = bank.clientOf(await bank.enrol('nobody', 'doctor'), 'marked-doctor');
    await expect(converseOnce(unknown)).rejects.toThrow(Refused);
    const after = await metrics();
    expect(count(after, 'lookup', 'served')).toBe(count(before, 'lookup', 'served') + 1);
    expect(count(after, 'unknown', 'SESSION_PEER')).toBe(count(before, 'unknown', 'SESSION_PEER') + 1);
    const connection = await bank.clientOf(doctor).connect();
    await expect(connection.post('/session', new Uint8Array(40))).rejects.toMatchObject({
      code: 'SESSION_MESSAGE',
    });
    await connection.close();
    expect(await metrics()).toMatch(/^muniment_handshakes_refused_total\{code="SESSION_MESSAGE"\} 1$/m);
  });

  it('has no user, record, purpose or field in metrics, log or explanation', async () => {
    const told = [await metrics(), bank.logged.join(''), explained.join('\n')];
    expect(told.map(({ length }) => length).every((length) => length > 1000)).toBe(true);
    for (const text of told) {
      for (const secret of MARKED) {
        expect(text).not.toContain(secret);
        expect(text).not.toContain(toBase64url(Buffer.from(secret)).slice(2, -2));
        expect(text).not.toContain(Buffer.from(secret).toString('hex'));
      }
    }
  });

  it('writes one line for each request, under an id that the answer bears; the refusal bears none', async () => {
    const connection = await bank.clientOf(doctor).connect();
    await expect(connection.post('/session', new Uint8Array(40))).rejects.toThrow();
    await connection.close();
    const lines = bank.logged
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(
        ({ event, route }) => event === 'request' && String(route).startsWith('/') && route !== '/tile/*',
      );
    const ids = lines.map(({ id }) => String(id));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => /^[0-9a-f]{12}-[12]$/.test(id))).toBe(true);
    const refused = lines.at(-1);
    expect(refused).toMatchObject({ route: '/session', status: 400, code: 'SESSION_MESSAGE' });
    expect(lines.find(({ type }) => type === 'append')).toMatchObject({
      route: '/request',
      status: 200,
      outcome: 'served',
    });
  });

  it('explains each step of a conversation under its id, in their order', async () => {
    explained.length = 0;
    await readRecord(bank.clientOf(doctor), (await recordOf(bank))!, { purpose: 'own', releases: null });
    const read = explained.findIndex((line) => line.includes('request "read"'));
    const id = explained[read]!.split('  ')[0]!;
    expect(id).toMatch(/^[0-9a-f]{12}-2$/);
    const own = explained.filter((line) => line.startsWith(id)).map((line) => line.slice(id.length + 2));
    const steps = [
      /^message 3: \d+ bytes/,
      /^request "read": \d+ characters and 0 documents, signed by its author; data [0-9a-f]{12}…/,
      /^stored before it is served: request \d+, \d+ bytes of evidence, durable$/,
      /^entry \d+ of the record's access chain, [0-9a-f]{12}…: leaf \d+ of the log; receipt signed/,
      /^checkpoint signed: the log has \d+ leaves under the root/,
      /^reply "served": \d+ characters and \d+ documents, signed by the bank/,
      /^done/,
    ];
    let at = 0;
    for (const step of steps) {
      const found = own.slice(at).findIndex((line) => step.test(line));
      expect({ step: String(step), found: found >= 0, own }).toMatchObject({ found: true });
      at += found + 1;
    }
    expect(explained.find((line) => line.startsWith(id.replace(/2$/, '1')))).toMatch(/message 1: \d+ bytes/);
  });

  it('is not ready once its own credential has ended', async () => {
    bank.clock.ahead = 31 * 86_400_000;
    const readiness = await operations('/readyz');
    expect(readiness.status).toBe(503);
    expect(await readiness.json()).toMatchObject({
      checks: { credential: { ok: false, note: 'KEY_CREDENTIAL' } },
    });
    bank.clock.ahead = 0;
  });
});

async function recordOf(bank: TestBank): Promise<Uint8Array | undefined> {
  const row = await bank.engine.reading.selectFrom('compartments').select('record').executeTakeFirst();
  return row === undefined ? undefined : new Uint8Array(row.record);
}

describe('the OpenAPI description', () => {
  it('is what the routes say today', async () => {
    expect(await describeApi()).toBe(readFileSync(OPENAPI_FILE, 'utf8'));
  });
});
