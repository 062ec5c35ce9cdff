/** The demo as a program: what it prints, on which stream, and with which exit status. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeCorpus } from '../corpora/corpora.ts';

const MAIN = fileURLToPath(new URL('../../examples/demo/main.ts', import.meta.url));
const KEYS = [
  'entries',
  'fields',
  'views',
  'grants',
  'breakGlass',
  'accesses',
  'chain',
  'attacks',
  'plaintextHits',
  'durationMs',
];

interface Count {
  readonly opened: number;
  readonly withheld: number;
}

/** What `--json` prints of a record. */
interface Result {
  readonly entries: number;
  readonly fields: number;
  readonly views: Readonly<Record<string, Count>>;
  readonly grants: { readonly scope: string; readonly before: number; readonly after: number };
  readonly breakGlass: { readonly logged: boolean; readonly opened: number };
  readonly accesses: number;
  readonly chain: { readonly verified: number; readonly head: string };
  readonly attacks: readonly {
    readonly name: string;
    readonly refused: boolean;
    readonly code: string;
    readonly convicted: boolean;
  }[];
  readonly plaintextHits: number;
}

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

async function demo(...args: string[]): Promise<Ran> {
  const child = spawn(
    process.execPath,
    ['-C', 'muniment-source', '--import', import.meta.resolve('tsx'), MAIN, ...args],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const [status] = (await once(child, 'close')) as [number];
  return { status, out, err };
}

/** Nothing but one line of JSON, and a success. */
function single(ran: Ran): unknown {
  expect({ status: ran.status, err: ran.err }).toEqual({ status: 0, err: '' });
  expect(ran.out).toMatch(/^\{.*\}\n$/);
  return JSON.parse(ran.out);
}

/** What holds of every record. */
function expectPlayed(value: unknown): Result {
  expect(Object.keys(value as object)).toEqual(KEYS);
  const result = value as Result;
  const { patient, ...others } = result.views;
  expect(patient).toEqual({ opened: result.fields, withheld: 0 });
  for (const { opened, withheld } of Object.values(others)) {
    expect(opened + withheld).toBe(result.fields);
    expect(withheld).toBeGreaterThan(0);
  }
  expect(result.grants.after).toBeGreaterThan(result.grants.before);
  expect(result.breakGlass).toEqual({ logged: true, opened: result.fields });
  expect(result.chain.head).toMatch(/^[0-9a-f]{64}$/);
  expect(result.chain.verified).toBe(result.entries + result.accesses + 1); // and the export's own read
  expect(result.attacks.filter(({ refused }) => !refused)).toEqual([]);
  expect(result.attacks.length).toBeGreaterThan(30);
  const convicted = result.attacks.filter((one) => one.convicted).map(({ name }) => name);
  expect(convicted).toEqual([
    "the last entry dropped from the server's own database",
    'two histories for two readers',
  ]);
  expect(result.plaintextHits).toBe(0);
  return result;
}

const patient = (id: string): object => ({
  fullUrl: `urn:uuid:${id}`,
  resource: { resourceType: 'Patient', id, name: [{ family: `Familyname-${id}` }] },
});
const unknown = (id: string): object => ({
  resource: {
    resourceType: 'Contraption',
    subject: { reference: `urn:uuid:${id}` },
    remark: `never seen before by anybody ${id}`,
  },
});
const TWO = {
  resourceType: 'Bundle',
  type: 'collection',
  entry: [
    patient('one'),
    patient('two'),
    unknown('one'),
    unknown('two'),
    { resource: { resourceType: 'Encounter', id: 'e', subject: { reference: 'urn:uuid:two' } } },
  ],
};

let folder: string;
const file = (name: string, content: string): string => {
  const written = path.join(folder, name);
  writeFileSync(written, content);
  return written;
};

// The long runs go on beside each other and beside the short ones.
let synthetic: Promise<Ran>;
let onPostgres: Promise<Ran>;
let two: Promise<Ran>;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'muniment-demo-test-'));
  synthetic = demo('--json');
  onPostgres = demo('--json', '--store', 'postgres');
  two = demo('--json', file('two.json', JSON.stringify(TWO)));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('demo on what is no bundle of a patient', () => {
  it.each([
    ['not JSON', 'nonsense', /not JSON$/],
    ['no bundle', '{"resourceType":"Patient"}', /not a FHIR Bundle/],
    ['no patient', '{"resourceType":"Bundle","entry":[]}', /holds no Patient/],
    ['a missing file', null, /cannot be read$/],
  ])('%s: one line on stderr, exit status 2', async (name, content, message) => {
    const bundle = content === null ? path.join(folder, 'missing') : file(`${name}.json`, content);
    const { status, out, err } = await demo('--json', bundle);
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(err).toMatch(/^muniment-demo: [^\n]+\n$/);
    expect(err.trimEnd()).toMatch(message);
  });
});

describe('demo --json', () => {
  it('prints one object for the synthetic record', async () => {
    const result = expectPlayed(single(await synthetic));
    expect(result.grants.scope).toBe('urgent');
  });

  it('plays the same on PostgreSQL', async () => {
    expectPlayed(single(await onPostgres));
  });

  it('prints one for each patient of a bundle, and loses no unknown type', async () => {
    const printed = single(await two);
    expect(Object.keys(printed as object)).toEqual(['records']);
    const { records } = printed as { records: unknown[] };
    expect(records).toHaveLength(2);
    for (const record of records) expectPlayed(record);
  });
});

describeCorpus('fhir', (corpus) => {
  it("plays on one of Synthea's patients", async () => {
    const [bundle] = corpus.files('synthea-r4').filter((name) => name.includes('Clemente'));
    const whole = path.join(folder, 'clemente.json');
    writeFileSync(whole, corpus.bytes(bundle!));
    const result = expectPlayed(single(await demo('--json', whole)));
    expect(result.fields).toBeGreaterThan(1000);
  });
});
