/** `npm run demo [-- [--json] [--pkcs11 MODULE --token LABEL] [FHIR-BUNDLE.json …]]`: the main job, played end to end on a real server. */

import { Command, Option } from 'commander';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { PIN_VARIABLE, pinFrom } from '../client/cli/passphrase.ts';
import { FhirImportError, readBundle } from '../client/fhir.ts';
import { DEFAULT_TOKEN_KEM, TOKEN_KEMS, type TokenKem } from '../client/keystores/pkcs11.ts';
import { attack, type AttackResult } from './attacks.ts';
import type { Engine } from '../server/store/engine.ts';
import { countLeaks, filesUnder, sealedTexts } from './leaks.ts';
import type { Count, Viewer } from './counting.ts';
import { readMachines, type Machines } from './machines.ts';
import { must } from './must.ts';
import { play, type Played } from './play.ts';
import { createReport, type Report } from './report.ts';
import type { SearchedFile } from './search.ts';
import { controlSubject, fhirSubject, syntheticSubject, type Subject } from './subject.ts';
import { createTokenDoctor, type TokenDoctor } from './token-doctor.ts';
import { createWorld, type World } from './world.ts';

/** What `--json` prints of one record. */
interface Result {
  readonly entries: number;
  readonly fields: number;
  readonly views: Readonly<Record<Viewer, Count>>;
  readonly grants: Played['grants'];
  readonly breakGlass: Played['breakGlass'];
  readonly accesses: number;
  readonly chain: { readonly verified: number; readonly head: string };
  readonly attacks: readonly AttackResult[];
  readonly plaintextHits: number;
  readonly durationMs: number;
}

const STORES: Readonly<Record<Engine['name'], string>> = {
  sqlite: 'SQLite',
  postgres: 'a PostgreSQL server of its own',
};

const program = new Command('muniment-demo')
  .description('plays the main job of Muniment: seal, sign, chain, share, break the glass, verify, attack')
  .addOption(
    new Option('--store <name>', "the bank's database").choices(Object.keys(STORES)).default('sqlite'),
  )
  .option(
    '--machines <file>',
    'server and PostgreSQL on machines of their own: see deploy/three-machines; takes one record',
  )
  .option('--json', 'print one JSON object and nothing else')
  .option(
    '--pkcs11 <module>',
    `the doctor's keys are made in a PKCS#11 token; its PIN comes from ${PIN_VARIABLE} or is asked for`,
  )
  .option('--token <label>', "the token's label")
  .addOption(
    new Option('--kem <name>', 'of the keys in the token')
      .choices(Object.keys(TOKEN_KEMS))
      .default(DEFAULT_TOKEN_KEM),
  )
  .argument('[bundles...]', 'FHIR R4 bundles in JSON; without one, a synthetic record is used')
  .parse();
const {
  json = false,
  store,
  machines: machinesFile,
  ...tokenOptions
} = program.opts<{ json?: boolean; store: Engine['name']; machines?: string } & TokenOptions>();

interface TokenOptions {
  readonly pkcs11?: string;
  readonly token?: string;
  readonly kem: TokenKem;
}

async function main(files: readonly string[]): Promise<void> {
  const doctor = await findDoctor(tokenOptions);
  try {
    await demonstrate(files, doctor);
  } finally {
    doctor?.end();
  }
}

async function findDoctor({ pkcs11: module, token, kem }: TokenOptions): Promise<TokenDoctor | null> {
  if (module === undefined && token === undefined) return null;
  if (module === undefined || token === undefined)
    throw new UsageError('a doctor with a token takes --pkcs11 MODULE and --token LABEL');
  const pin = await pinFrom(process.env)();
  // The server's process inherits the environment, and has no business with the doctor's PIN.
  Reflect.deleteProperty(process.env, PIN_VARIABLE);
  return createTokenDoctor({ module, token, kem }, pin);
}

async function demonstrate(files: readonly string[], doctor: TokenDoctor | null): Promise<void> {
  const report = createReport(json);
  const machines = findMachines(machinesFile);
  const subjects = files.length === 0 ? [syntheticSubject()] : files.flatMap(readSubjects);
  if (machines !== undefined && subjects.length > 1)
    throw new UsageError('--machines takes one record: their database is filled once');
  const results: Result[] = [];
  for (const subject of subjects) {
    report.heading(`Muniment on ${subject.label}`);
    results.push(await run(subject, { doctor, machines }, report));
  }
  if (json) {
    const single = files.length < 2 && results.length === 1;
    process.stdout.write(`${JSON.stringify(single ? results[0] : { records: results })}\n`);
  } else {
    process.stdout.write('\nEvery step held.\n');
  }
}

function findMachines(file: string | undefined): Machines | undefined {
  if (file === undefined) return undefined;
  try {
    return readMachines(file);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'unknown error');
  }
}

function readSubjects(file: string): Subject[] {
  let bytes;
  try {
    bytes = readFileSync(file);
  } catch {
    throw new UsageError(`${file} cannot be read`);
  }
  try {
    const records = readBundle(bytes);
    const name = path.basename(file);
    return records.map((record, i) => {
      const which = records.length === 1 ? '' : `, patient ${String(i + 1)} of ${String(records.length)}`;
      return fhirSubject(record, `${name}${which}`);
    });
  } catch (error) {
    if (error instanceof FhirImportError) throw new FhirImportError(`${file}: ${error.message}`);
    throw error;
  }
}

async function run(
  subject: Subject,
  { doctor, machines }: { readonly doctor: TokenDoctor | null; readonly machines: Machines | undefined },
  report: Report,
): Promise<Result> {
  const started = performance.now();
  const world = await report.step(
    'An authority, TLS certificates, identities and the server',
    async (say) => {
      const made = await createWorld(subject.specialities, {
        ...{ store, doctor: doctor?.keys, machines },
        witnesses: machines === undefined ? 2 : 0, // the server's machine speaks to none but its neighbours
      });
      const { host, port } = made.endpoint;
      const where = machines === undefined ? STORES[store] : 'PostgreSQL on a machine of its own';
      say(`the bank listens on ${host}:${String(port)}: TLS 1.3, client certificates required, ${where}`);
      const watched =
        machines === undefined
          ? 'two witnesses cosign, and every client demands both'
          : 'there are no witnesses';
      say(`the log's own keys, Ed25519 and ML-DSA-44, are chartered; ${watched}`);
      say(
        'administrator, bank, patient, another patient, two doctors, insurer, emergency doctor: X-Wing and Ed25519',
      );
      if (doctor !== null) say(`but the first doctor's keys ${doctor.described}`);
      return made;
    },
  );
  try {
    const played = await play(world, subject, report);
    const attacks = await report.step('Attacks', async (say, progress) => {
      progress.start('attacking', 30);
      const results = await attack(world, played, () => {
        progress.advance();
      });
      for (const { name, refused, code, convicted } of results)
        say(
          `${refused ? 'refused' : 'NOT REFUSED'}  ${name}: ${code}${convicted ? '; the bank is convicted, by one file' : ''}`,
        );
      must(
        results.every(({ refused }) => refused),
        'every attack is refused',
      );
      return results;
    });
    const plaintextHits = await report.step(
      'No sealed text in anything that the server wrote',
      async (say) => {
        const { searched, hits, bytes } = await searchServer(world, subject, played);
        say(
          `${String(searched)} texts searched for in ${String(bytes)} bytes, in plain, base64 and hex: ${String(hits)} found`,
        );
        must(hits === 0, 'no sealed text is found');
        return hits;
      },
    );
    const { content, access } = played.verified.heads;
    return {
      entries: played.entries,
      fields: played.fields,
      views: played.views,
      grants: played.grants,
      breakGlass: played.breakGlass,
      accesses: played.accesses,
      chain: { verified: content.size + access.size, head: Buffer.from(content.hash).toString('hex') },
      attacks,
      plaintextHits,
      durationMs: Math.round(performance.now() - started),
    };
  } finally {
    await world.end();
  }
}

// Before and after the server stops: the write-ahead log goes into the database file when it does.
async function searchServer(
  world: World,
  subject: Subject,
  played: Played,
): Promise<{ searched: number; hits: number; bytes: number }> {
  const control = await controlFiles(subject);
  const texts = sealedTexts(played.whole);
  const running = countLeaks(texts, filesOf(world), control);
  must((await world.server.stop()) === 0, 'the server stops cleanly on SIGTERM');
  const stopped = countLeaks(texts, filesOf(world), control);
  const bytes = [...filesOf(world)].reduce((sum, file) => sum + file.bytes.length, 0);
  return { searched: running.searched, hits: running.hits + stopped.hits, bytes };
}

function* filesOf({ serverFolder, databaseFolder }: World): Generator<SearchedFile> {
  yield* filesUnder(serverFolder);
  if (databaseFolder !== null) yield* filesUnder(databaseFolder);
}

// What the same server writes for a patient who is somebody else.
async function controlFiles(subject: Subject): Promise<SearchedFile[]> {
  const world = await createWorld(subject.specialities, { store });
  try {
    await play(world, controlSubject(subject), createReport(true));
    await world.server.stop();
    return [...filesUnder(world.serverFolder)];
  } finally {
    await world.end();
  }
}

/** A mistake in what was asked: exit status 2. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

// Ends through `exit`, where the server is reaped.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

try {
  await main(program.args);
} catch (error) {
  process.stderr.write(`muniment-demo: ${error instanceof Error ? error.message : 'unknown error'}\n`);
  process.exitCode = error instanceof FhirImportError || error instanceof UsageError ? 2 : 1;
}
