/** The reference client as a person uses it: every command, in temporary wallets, against the real server. */

import { spawn } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createKeys } from 'muniment/keys';
import { formatNoteKey, witnessKey } from 'muniment/record';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../examples/client/cli/program.ts';
import { createAuthority, encryptKey } from '../../examples/demo/authority.ts';
import { startServer, type RunningServer } from '../../examples/demo/server-process.ts';

const PASSPHRASE = 'of the tests';
const VISIT =
  '{"patient":{"userId":"000000417","name":"Aina Example","bloodType":"B-","knownAllergies":["Penicillin"],' +
  '"consultationRecords":[{"date":"2024-02-19","medicalSpeciality":"cardiology","doctorName":"Dr. Example",' +
  '"treatmentSummary":"Bisoprolol 2.5 mg daily.\u009b2J","treatmentCost":15.00}]}}';
const BUNDLE = {
  resourceType: 'Bundle',
  type: 'collection',
  entry: [
    { fullUrl: 'urn:uuid:p', resource: { resourceType: 'Patient', id: 'p', birthDate: '1987-11-03' } },
    {
      resource: {
        resourceType: 'Observation',
        subject: { reference: 'urn:uuid:p' },
        valueQuantity: { value: 1 },
      },
    },
  ],
};

let folder: string;
let server: RunningServer;
let port: number;
let anchorId: string;
/** What came of commands before what they need was published. */
let early: Record<'create' | 'add' | 'view', Ran>;

/** What a command did. */
interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

const at = (...names: string[]): string => path.join(folder, ...names);

/** Runs a command in this process. */
async function as(who: string, ...args: string[]): Promise<Ran> {
  let [out, err] = ['', ''];
  const status = await run(['--wallet', at(who), ...args], {
    out: (text) => (out += text),
    err: (text) => (err += text),
    env: { MUNIMENT_PASSPHRASE: PASSPHRASE },
  });
  return { status, out, err };
}

/** The same, and it must succeed. */
async function done(who: string, ...args: string[]): Promise<string> {
  const { status, out, err } = await as(who, ...args);
  expect({ command: args[0], status, err }).toEqual({ command: args[0], status: 0, err: '' });
  return out;
}

/** Runs a command as a process of its own. */
async function spawned(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  const main = fileURLToPath(new URL('../../examples/client/main.ts', import.meta.url));
  const inherited = { ...process.env };
  delete inherited['MUNIMENT_PASSPHRASE'];
  const child = spawn(
    process.execPath,
    ['-C', 'muniment-source', '--import', import.meta.resolve('tsx'), main, ...args],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...inherited, ...env } },
  );
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const [status] = (await once(child, 'close')) as [number];
  return { status, out, err };
}

/** One line that says this, exit status 1, and nothing else. */
function refusal(message: string | RegExp): unknown {
  const line = typeof message === 'string' ? `muniment-client: ${message}\n` : expect.stringMatching(message);
  return { status: 1, out: '', err: line };
}

function enrol(name: string, ...roles: string[]): Promise<void> {
  return enrolAs(name, name, ...roles);
}

/** Enrols a subject in a wallet. */
async function enrolAs(subject: string, name: string, ...roles: string[]): Promise<void> {
  await done(name, 'request', '--subject', subject, '--role', ...roles, '--out', at(`${name}.request`));
  const asked = await done(
    'administrator',
    'challenge',
    at(`${name}.request`),
    '--out',
    at(`${name}.challenge`),
  );
  expect(asked).toContain(`${subject} asks for the roles ${roles.join(', ')}`);
  await done(name, 'answer', at(`${name}.challenge`), '--out', at(`${name}.answer`));
  const files = [at(`${name}.request`), at(`${name}.answer`)];
  await done('administrator', 'issue', ...files, '--role', ...roles, '--out', at(`${name}.credential`));
  await join(name, '--credential', at(`${name}.credential`));
}

async function join(name: string, ...more: string[]): Promise<string> {
  const given = ['--settings', at('bank', 'settings.json'), '--tls', at('tls'), '--anchor-id', anchorId];
  return done(name, 'join', ...given, ...more);
}

function idOf(who: string): Promise<string> {
  return done(who, 'status').then((out) => /own id ([0-9a-f]{64})/.exec(out)?.[1] ?? '');
}

/** A wallet like another, but for some settings. */
function copyOf(who: string, name: string, settings: Record<string, unknown> = {}): string {
  cpSync(at(who), at(name), { recursive: true });
  const file = at(name, 'settings.json');
  const before = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...before, ...settings }));
  return name;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port: free } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return free;
}

function start(): Promise<RunningServer> {
  return startServer(at('bank', 'server.json'), at('log'));
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'muniment-client-test-'));
  port = await freePort();
  await done('administrator', 'init');
  anchorId = readFileSync(at('administrator', 'anchor-id'), 'utf8').trim();
  const subjects = ['administrator', 'patient-1', 'patient-2', 'doctor-1', 'doctor-2', 'emergency-1'];
  await done('administrator', 'authority', '--out', at('tls'), ...subjects);
  const bank = ['--out', at('bank'), '--tls', at('tls'), '--origin', 'bank.example/test'];
  await done('administrator', 'bank-config', ...bank, '--port', String(port));
  await join('administrator');
  server = await start();
  await done('administrator', 'open-directory');
  await enrol('patient-1', 'patient');
  await enrol('patient-2', 'patient');
  await enrol('doctor-1', 'doctor', 'speciality:cardiology', 'keeper:speciality:cardiology');
  await enrol('doctor-2', 'doctor', 'speciality:dermatology');
  await enrol('emergency-1', 'emergency', 'keeper:emergency', 'keeper:insurer');
  const credentials = subjects.slice(1).map((name) => at(`${name}.credential`));
  await done('administrator', 'register', ...credentials);
  writeFileSync(at('visit.json'), VISIT);
  writeFileSync(at('bundle.json'), JSON.stringify(BUNDLE));
  const patient = ['--patient', 'patient-1'];
  const add = ['add', ...patient, '--json', at('visit.json'), '--policy', 'meditrack'];
  const create = await as('doctor-1', 'create', ...patient);
  await done('patient-1', 'publish-compartments', '--policy', 'meditrack');
  await done('patient-2', 'publish-compartments', '--policy', 'fhir');
  await done('doctor-1', 'create', ...patient);
  early = { create, add: await as('doctor-1', ...add), view: await as('doctor-1', 'view', ...patient) };
  const group = ['--name', 'speciality:cardiology', '--member', 'doctor-1'];
  await done('doctor-1', 'publish-group', ...group);
  await done('emergency-1', 'publish-group', '--name', 'emergency', '--member', 'emergency-1');
  await done('emergency-1', 'publish-group', '--name', 'insurer', '--member', 'emergency-1');
  await done('doctor-1', ...add);
});

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Viewed {
  readonly entries: number;
  readonly fields: number;
  readonly documents: readonly { readonly complete: boolean; readonly document: unknown }[];
}

async function viewed(who: string, ...args: string[]): Promise<Viewed> {
  return JSON.parse(await done(who, 'view', ...args, '--json')) as Viewed;
}

describe('the main job by hand', () => {
  it('gives the patient the document digit for digit, and moves no cursor', async () => {
    expect(await done('patient-1', 'view', '--json')).toContain(`"document":${VISIT}`);
    const shown = await done('patient-1', 'view');
    expect(shown).toContain('/patient/consultationRecords/0/treatmentCost: 15.00\n');
    expect(shown).toContain('daily.\\u009b2J');
    expect(shown).not.toContain('\u009b');
  });

  it('gives each doctor its part, and by a grant one more', async () => {
    const own = await viewed('doctor-1', '--patient', 'patient-1');
    const before = await viewed('doctor-2', '--patient', 'patient-1');
    expect([own.fields, before.fields]).toEqual([6, 4]);
    const terms = ['--scope', 'urgent', '--purpose', 'second opinion', '--days', '7'];
    await done('patient-1', 'grant', '--to', 'doctor-2', ...terms);
    const after = await viewed('doctor-2', '--patient', 'patient-1', '--purpose', 'second opinion');
    expect(after.fields).toBe(6);
    expect(JSON.stringify(after.documents)).toContain('Penicillin');
    expect(JSON.stringify(after.documents)).not.toContain('Bisoprolol');
    const wrong = await as('patient-1', 'grant', '--to', 'doctor-2', '--scope', 'none', ...terms.slice(2));
    expect(wrong).toEqual(
      refusal('there is no part none; there are inbox, personal, urgent, medical, financial'),
    );
  });

  it('opens everything to the emergency doctor, for a reason that the patient sees', async () => {
    expect((await viewed('emergency-1', '--patient', 'patient-1')).fields).toBe(4);
    const reason = 'unconscious after an accident';
    const broken = await done('emergency-1', 'break-glass', '--patient', 'patient-1', '--reason', reason);
    expect(broken).toContain('9 fields');
    const accesses = await done('patient-1', 'accesses');
    expect(accesses).toMatch(new RegExp(`emergency-1 {2}BROKE THE GLASS {2}"${reason}"`));
    expect(accesses).toMatch(/doctor-2 {2}read {2}"second opinion"/);
  });

  it('exports what verifies offline, against the right anchor, origin and owner only', async () => {
    const file = at('record.export');
    await done('patient-1', 'export', '--out', file);
    const [owner, other] = [await idOf('patient-1'), await idOf('doctor-2')];
    const right = { 'anchor-id': anchorId, origin: 'bank.example/test', 'owner-id': owner };
    const against = (expected: Record<string, string>): string[] =>
      Object.entries({ ...right, ...expected }).flatMap(([name, value]) => [`--${name}`, value]);
    const verified = await done('nobody', 'verify', file, ...against({}));
    expect(verified).toMatch(/^verified: record [0-9a-f]{32} at bank\.example\/test\n/);
    for (const [expected, message] of [
      [{ 'owner-id': other }, /^muniment-client: (the export is of another owner|RECORD_RIGHT: .*)\n$/],
      [{ 'anchor-id': other }, /^muniment-client: KEY_CREDENTIAL: .*\n$/],
      [{ origin: 'bank.example/other' }, /^muniment-client: RECORD_EXPORT: .*\n$/],
    ] as const) {
      expect(await as('nobody', 'verify', file, ...against(expected))).toEqual(refusal(message));
    }
    const witness = formatNoteKey(witnessKey({ name: 'witness.example/1', signer: createKeys().signer }));
    for (const [policy, message] of [
      [`1\n${witness}\n`, /^muniment-client: RECORD_WITNESS: .*\n$/],
      ['none', /^muniment-client: .* is no policy of witnesses\n$/],
    ] as const) {
      writeFileSync(at('policy'), policy);
      const { status, err } = await as('nobody', 'verify', file, ...against({}), '--witnesses', at('policy'));
      expect(status).toBeGreaterThan(0);
      expect(err).toMatch(message);
    }
    writeFileSync(at('cut.export'), readFileSync(file).subarray(0, 1000));
    expect(await as('nobody', 'verify', at('cut.export'), ...against({}))).toEqual(
      refusal(/^muniment-client: (RECORD_EXPORT|WIRE_JSON): .*\n$/),
    );
  });

  it('takes a FHIR bundle, where the parts fit its policy', async () => {
    const fhir = ['--fhir', at('bundle.json')];
    await done('doctor-1', 'create', '--patient', 'patient-2');
    await done('doctor-1', 'add', '--patient', 'patient-2', ...fhir);
    expect(JSON.stringify(await viewed('patient-2'))).toContain('1987-11-03');
    expect(await as('doctor-1', 'add', '--patient', 'patient-1', ...fhir)).toEqual(
      refusal(/^muniment-client: the record of patient-1 has no part .*\n$/),
    );
  });

  it('remembers receipts and the newest checkpoint', async () => {
    interface Remembered {
      readonly newest: { readonly size: number };
    }
    const memory = (): Remembered =>
      JSON.parse(readFileSync(at('patient-1', 'memory.json'), 'utf8')) as Remembered;
    const receipts = (): number => readFileSync(at('patient-1', 'receipts'), 'utf8').split('\n').length - 1;
    const [size, kept] = [memory().newest.size, receipts()];
    await done('patient-1', 'view');
    expect(memory().newest.size).toBeGreaterThan(size);
    expect(receipts()).toBe(kept + 1);
  });
});

describe('a patient goes on under another key', () => {
  const opened = async (who: string): Promise<number> => (await viewed(who)).documents.length;

  it('by its own word, and the key before is spent', async () => {
    const documents = await opened('patient-2');
    expect(documents).toBeGreaterThan(0);
    await enrolAs('patient-2', 'patient-2-next', 'patient');
    await done('administrator', 'register', at('patient-2-next.credential'));
    expect(await as('patient-2', 'renew', '--from', at('patient-2'))).toEqual(
      refusal(`${at('patient-2')} is no other wallet of patient-2`),
    );
    const said = await done('patient-2-next', 'renew', '--from', at('patient-2'));
    expect(said).toContain(`the record of patient-2 goes on under ${await idOf('patient-2-next')}`);
    expect(await opened('patient-2-next')).toBe(documents);
    expect(await as('patient-2', 'view')).toEqual(
      refusal('the bank refuses: FORBIDDEN (there is no such record, or it is not for you)'),
    );
    await done('doctor-1', 'add', '--patient', 'patient-2', '--fhir', at('bundle.json'));
    expect(await opened('patient-2-next')).toBeGreaterThan(documents);
    await done('patient-2-next', 'export', '--out', at('renewed.export'));
    for (const who of ['patient-2', 'patient-2-next']) {
      const trust = ['--anchor-id', anchorId, '--origin', 'bank.example/test'];
      await done('anybody', 'verify', at('renewed.export'), ...trust, '--owner-id', await idOf(who));
    }
  });

  it('by the word of its guardians, if that key is lost', async () => {
    const documents = await opened('patient-2-next');
    const names = ['doctor-1', 'doctor-2', 'patient-1'];
    const told = await Promise.all(names.map(async (name) => `${name}=${await idOf(name)}`));
    const terms = ['--threshold', '2'];
    const said = await done('patient-2-next', 'appoint-guardians', '--guardian', ...told, ...terms);
    expect(said).toMatch(/^any 2 of these /);
    for (const one of told) expect(said).toContain(one.replace('=', '  own id '));
    await enrolAs('patient-2', 'patient-2-back', 'patient');
    await done('administrator', 'register', at('patient-2-back.credential'));
    await done('patient-2-back', 'ask-recovery', '--out', at('recovery'));
    const claimant = ['--claimant-id', await idOf('patient-2-back')];
    for (const who of ['doctor-2', 'patient-1'])
      await done(who, 'approve-recovery', at('recovery'), ...claimant, '--out', at(`${who}.approval`));
    const wrong = ['--claimant-id', await idOf('patient-2'), '--out', at('no.approval')];
    expect(await as('doctor-1', 'approve-recovery', at('recovery'), ...wrong)).toEqual(
      refusal(/^muniment-client: KEY_RECOVERY: .*\n$/),
    );
    expect(await as('patient-2-back', 'recover', at('recovery'), at('doctor-2.approval'))).toEqual(
      refusal(/^muniment-client: KEY_RECOVERY: .*\n$/),
    );
    const both = [at('doctor-2.approval'), at('patient-1.approval')];
    await done('patient-2-back', 'recover', at('recovery'), ...both);
    expect(await opened('patient-2-back')).toBe(documents);
    expect((await as('patient-2-next', 'view')).status).toBe(1);
  });
});

describe('what is refused', () => {
  it('guardians by name alone, or whose newest key is not the one that they have told', async () => {
    const appoint = [
      'appoint-guardians',
      '--threshold',
      '2',
      '--guardian',
      `doctor-1=${await idOf('doctor-1')}`,
    ];
    for (const untold of ['emergency-1', 'emergency-1=', '=', `=${await idOf('emergency-1')}`])
      expect(await as('patient-2-back', ...appoint, untold)).toMatchObject({ status: 2, out: '' });
    const id = await idOf('emergency-1');
    expect(await as('patient-2-back', ...appoint, `emergency-2=${id}`)).toEqual(
      refusal('emergency-2 is not registered'),
    );
    // The administrator registers a later key of its own under the name of somebody whom the patient trusts.
    await enrolAs('emergency-1', 'emergency-1-false', 'emergency');
    await done('administrator', 'register', at('emergency-1-false.credential'));
    expect(await as('patient-2-back', ...appoint, `emergency-1=${id}`)).toEqual(
      refusal(
        'the newest credential of emergency-1 has another id than you were told: ask emergency-1 itself, in person, for its own id',
      ),
    );
    // Nobody is appointed by that: those of before are asked.
    await enrolAs('patient-2', 'patient-2-later', 'patient');
    await done('administrator', 'register', at('patient-2-later.credential'));
    await done('patient-2-later', 'ask-recovery', '--out', at('later'));
    const approving = ['approve-recovery', at('later'), '--claimant-id', await idOf('patient-2-later')];
    await done('doctor-2', ...approving, '--out', at('later.approval'));
    expect(await as('emergency-1-false', ...approving, '--out', at('false.approval'))).toMatchObject({
      status: 1,
    });
  });

  it('another passphrase, none, and an empty one', async () => {
    const view = ['--wallet', at('patient-1'), 'view'];
    expect(await spawned(view, { MUNIMENT_PASSPHRASE: 'another' })).toEqual(
      refusal(`the passphrase does not open ${at('patient-1', 'keys.json')}`),
    );
    expect(await spawned(view)).toEqual(
      refusal('no passphrase: give --passphrase-file FILE or set MUNIMENT_PASSPHRASE'),
    );
    writeFileSync(at('empty'), '\n');
    expect(await as('patient-1', '--passphrase-file', at('empty'), 'view')).toEqual(
      refusal('the passphrase is empty'),
    );
    writeFileSync(at('passphrase'), `${PASSPHRASE}\n`);
    expect(await as('patient-1', '--passphrase-file', at('passphrase'), 'view')).toMatchObject({ status: 0 });
    expect(await as('patient-1', '--passphrase-file', at('visit.json'), 'view')).toEqual(
      refusal(`the passphrase does not open ${at('patient-1', 'keys.json')}`),
    );
    copyOf('patient-1', 'resealed'); // as if its keys were in a token
    const key = createPrivateKey({ key: readFileSync(at('resealed', 'tls.key')), passphrase: PASSPHRASE });
    const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
    writeFileSync(at('resealed', 'tls.key'), encryptKey(pem, 'another'));
    expect(await as('resealed', 'view')).toEqual(
      refusal(`the passphrase does not open ${at('resealed', 'tls.key')}`),
    );
  });

  it('to begin before parts and groups are published, or without saying whose record', async () => {
    expect(early.create).toEqual(
      refusal(
        'patient-1 has not published the parts of a record: that takes its own `publish-compartments` first',
      ),
    );
    expect(early.add).toEqual(
      refusal(
        'the policy names groups that are not published: emergency, insurer; their keepers run `publish-group` first',
      ),
    );
    expect(early.view.out).toMatch(/ of patient-1: 1 entry, 0 documents open for you, 0 fields\n$/);
    expect(await as('doctor-1', 'view')).toEqual({
      ...{ status: 2, out: '', err: 'muniment-client: whose record? that takes --patient or --number\n' },
    });
  });

  it('what is not a command, with exit status 2', async () => {
    for (const args of [['sing'], ['view', '--loud'], ['create'], ['grant', '--days', '0'], []]) {
      const { status, out, err } = await as('patient-1', ...args);
      expect({ args, status, out }).toEqual({ args, status: 2, out: '' });
      expect(err).not.toBe('');
    }
    const both = ['--json', at('visit.json'), '--fhir', at('bundle.json')];
    expect(await as('doctor-1', 'add', '--patient', 'patient-1', ...both)).toMatchObject({ status: 2 });
    expect(await as('patient-1', '--help')).toMatchObject({ status: 0, err: '' });
  });

  it('to write over keys, folders or credentials', async () => {
    const keys = readFileSync(at('patient-1', 'keys.json'));
    const again = ['request', '--subject', 'x', '--role', 'patient', '--out', at('x.request')];
    const there = (name: string): unknown => refusal(`${name} is there already, and is left as it is`);
    expect(await as('patient-1', ...again)).toEqual(there(at('patient-1', 'keys.json')));
    expect(await as('administrator', 'init')).toEqual(there(at('administrator', 'keys.json')));
    expect(await as('administrator', 'authority', '--out', at('tls'), 'x')).toEqual(there(at('tls')));
    expect(readFileSync(at('patient-1', 'keys.json'))).toEqual(keys);
    expect(existsSync(at('x.request'))).toBe(false);
  });

  it('to issue what was not asked for, or twice for one challenge', async () => {
    const files = [at('doctor-2.request'), at('doctor-2.answer'), '--out', at('second.credential')];
    const none = refusal(/cannot be read\n$/);
    expect(await as('administrator', 'issue', ...files, '--role', 'doctor')).toEqual(none);
    await done('administrator', 'challenge', at('doctor-2.request'), '--out', at('again.challenge'));
    expect(await as('administrator', 'issue', ...files, '--role', 'administrator')).toEqual(
      refusal('the request does not ask for administrator'),
    );
    expect(await as('administrator', 'issue', ...files, '--role', 'doctor')).toEqual(
      refusal(/^muniment-client: KEY_POSSESSION: .*\n$/), // the answer is to the first challenge
    );
    expect(await as('doctor-1', 'challenge', at('doctor-2.request'), '--out', at('x'))).toEqual(
      refusal(`${at('doctor-1')} is not an administrator's wallet`),
    );
    expect(existsSync(at('second.credential'))).toBe(false);
  });

  it("to join another anchor's bank", async () => {
    const given = ['--settings', at('bank', 'settings.json'), '--tls', at('tls')];
    const credential = ['--credential', at('patient-1.credential'), '--anchor-id', await idOf('patient-1')];
    expect(await as('patient-1', 'join', ...given, ...credential)).toEqual(
      refusal(/^muniment-client: KEY_CREDENTIAL: .*\n$/),
    );
  });

  it('what the bank refuses, with its code', async () => {
    expect(await as('patient-2', 'view', '--patient', 'patient-1')).toEqual(
      refusal('the bank refuses: FORBIDDEN (there is no such record, or it is not for you)'),
    );
    expect(await as('doctor-1', 'view', '--patient', 'stranger')).toEqual(
      refusal('stranger is not registered'),
    );
    expect(await as('doctor-1', 'create', '--patient', 'patient-1')).toEqual(
      refusal(/^muniment-client: the bank refuses: RECORD_EXISTS .*\n$/),
    );
  });

  it('a server that cannot be trusted, and an address where nobody answers', async () => {
    const { certificate } = await createAuthority('another authority');
    copyOf('patient-1', 'mistrustful', { authority: certificate });
    expect(
      await spawned(['--wallet', at('mistrustful'), 'view'], { MUNIMENT_PASSPHRASE: PASSPHRASE }),
    ).toEqual(refusal("the server's certificate is not trusted"));
    copyOf('patient-1', 'lost', { port: await freePort() });
    expect(await as('lost', 'view')).toEqual(refusal('nobody answers at that address'));
  });

  it('a memory that is broken: without one, an older history would pass', async () => {
    copyOf('patient-1', 'forgetful');
    writeFileSync(at('forgetful', 'memory.json'), '{"newest":');
    expect(await as('forgetful', 'view')).toEqual(refusal(`${at('forgetful', 'memory.json')} is not JSON`));
  });
});

/** Stands before the server, and cuts its power in the middle of the n-th connection. */
async function cutAt(
  connections: number,
): Promise<{ readonly proxy: Server; readonly cut: () => Promise<void> }> {
  let count = 0;
  let killed: Promise<void> | null = null;
  const proxy = createServer((client) => {
    const last = ++count === connections;
    const upstream = connect(port, '127.0.0.1');
    upstream.on('error', () => undefined).on('close', () => client.destroy());
    client.on('error', () => undefined).on('close', () => upstream.destroy());
    upstream.pipe(client);
    let sent = 0;
    client.on('data', (chunk: Buffer) => {
      sent += chunk.length;
      // More than the TLS handshake takes: the first message is on its way.
      if (last && sent > 4096) killed ??= server.kill();
      else upstream.write(chunk);
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    proxy,
    cut: async () => {
      await killed;
    },
  };
}

describe('when the server goes away', () => {
  it('in the middle: one line, nothing half-written, and it starts again', async () => {
    const { proxy, cut } = await cutAt(3);
    const wallet = copyOf('patient-1', 'cut', { port: (proxy.address() as AddressInfo).port });
    const file = at('cut-off.export');
    const files = readdirSync(at(wallet));
    const { status, out, err } = await as(wallet, 'export', '--out', file);
    await cut();
    proxy.close();
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toMatch(/^muniment-client: the server went away in the middle: .*\n$/);
    expect(existsSync(file)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    expect(readdirSync(at(wallet))).toEqual(files);
    server = await start();
    await done('patient-1', 'export', '--out', file);
  });
});

describe('a bank that goes back in time', () => {
  it('is found out by who has seen more, also when it has grown again', async () => {
    await server.stop();
    cpSync(at('bank', 'data'), at('older'), { recursive: true });
    cpSync(at('doctor-1'), at('doctor-then'), { recursive: true });
    server = await start();
    await done('doctor-1', 'view', '--patient', 'patient-1');
    await done('patient-1', 'view');

    await server.stop();
    rmSync(at('bank', 'data'), { recursive: true });
    cpSync(at('older'), at('bank', 'data'), { recursive: true });
    server = await start();
    const shrunk = /^muniment-client: the bank refuses: RECORD_CONSISTENCY \(.*\)\n$/;
    expect(await as('patient-1', 'view')).toEqual(refusal(shrunk));
    // Somebody with an older memory notices nothing, and the log grows past what the patient has seen: another log.
    for (let i = 0; i < 3; i++) await done('doctor-then', 'view', '--patient', 'patient-1');
    expect(await as('patient-1', 'view')).toEqual(refusal(/^muniment-client: RECORD_CONSISTENCY: .*\n$/));

    // Where the bank signed against itself, the patient can prove it to whoever knows anchor and origin.
    const proofs = (): string[] => readdirSync(at('patient-1')).filter((name) => name.startsWith('fraud-'));
    expect(proofs()).toEqual([]);
    const proven = /^muniment-client: RECORD_CONSISTENCY: .* a fraud file proves it\n$/;
    expect(await as('patient-1', 'accesses')).toEqual(refusal(proven));
    const [proof] = proofs();
    const trust = ['--anchor-id', anchorId, '--origin'];
    const file = at('patient-1', proof!);
    expect(await done('nobody', 'judge', file, ...trust, 'bank.example/test')).toMatch(
      /^convicted: bank, of two places\n/,
    );
    expect(await as('nobody', 'judge', file, ...trust, 'bank.example/other')).toEqual(
      refusal(/^muniment-client: RECORD_FRAUD: .*\n$/),
    );
  });
});
