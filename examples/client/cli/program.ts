/** The commands: what each takes, and which function does it. */

import { Command, CommanderError, Option } from 'commander';
import { hexId, port, positive, time, tokenKemOption, tokenWish, type TokenOptions } from './arguments.ts';
import { explain, statusOf, UsageError } from './error.ts';
import {
  bankConfig,
  openDirectoryOf,
  POLICIES,
  publishMembers,
  publishOwnCompartments,
  registerUsers,
  type PolicyName,
} from './founding.ts';
import {
  answer,
  authority,
  challenge,
  init,
  issue,
  join,
  renewSettings,
  request,
  status,
  type Say,
} from './issuing.ts';
import { owningCommands, type FindWallet } from './owning.ts';
import { PASSPHRASE_VARIABLE, passphraseFrom, PIN_VARIABLE, pinFrom } from './passphrase.ts';
import { exportToPkcs12, importFromPkcs12 } from './pkcs12-keys.ts';
import { judgingCommands } from './judging.ts';
import {
  accesses,
  add,
  audit,
  breakTheGlass,
  create,
  endGrants,
  exportOwn,
  grant,
  view,
  type ViewOptions,
} from './records.ts';
import { Wallet } from './wallet.ts';

/** Where a run prints and looks. */
export interface Surroundings {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly env: NodeJS.ProcessEnv;
}

/** Runs one command and resolves to its exit status: 0, 1, or 2 for one that was not written as it must be. */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const opened: Wallet[] = [];
  try {
    await createProgram(surroundings, opened).parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // it has said why
    surroundings.err(`muniment-client: ${explain(error)}\n`);
    return statusOf(error);
  } finally {
    for (const wallet of opened) wallet.close();
  }
}

function createProgram({ out, err, env }: Surroundings, opened: Wallet[]): Command {
  const program = new Command('muniment-client')
    .description('the reference client: plays the main job by hand, one command a step')
    .option('--wallet <dir>', "the user's folder", 'muniment-wallet')
    .option('--passphrase-file <file>', `else ${PASSPHRASE_VARIABLE}, else asked for`)
    .exitOverride()
    .configureOutput({ writeOut: out, writeErr: err });
  const say = (line: string): void => {
    out(`${line}\n`);
  };
  const wallet = (folder?: string, passphraseFile?: string): Wallet => {
    const options = program.opts<{ wallet: string; passphraseFile?: string }>();
    const passphrase = passphraseFrom(passphraseFile ?? options.passphraseFile, env);
    const made = new Wallet(folder ?? options.wallet, passphrase, pinFrom(env));
    opened.push(made);
    return made;
  };
  issuingCommands(program, wallet, say);
  keyFileCommands(program, wallet, say);
  foundingCommands(program, wallet, say);
  recordCommands(program, wallet, say);
  owningCommands(program, wallet, say);
  judgingCommands(program, say);
  return program;
}

function issuingCommands(program: Command, wallet: FindWallet, say: Say): void {
  program
    .command('init')
    .description('administrator: make the identity at which all trust ends')
    .requiredOption('--subject <name>', 'its name', 'administrator')
    .option('--days <n>', 'validity', positive, 3650)
    .action(({ subject, days }: { subject: string; days: number }) => init(wallet(), subject, days, say));
  program
    .command('authority')
    .description('administrator: TLS certificates for the server and these users, by a throw-away authority')
    .requiredOption('--out <dir>', 'new folder')
    .option('--host <name...>', "the server's names and addresses, instead of this machine's")
    .argument('<subjects...>')
    .action((subjects: string[], { out, host }: { out: string; host?: string[] }) =>
      authority(out, host, subjects, say),
    );
  program
    .command('request')
    .description('make keys, and ask for a credential over them')
    .requiredOption('--subject <name>', 'as the TLS certificate will name it too')
    .requiredOption('--role <role...>', 'such as patient, doctor, speciality:cardiology')
    .requiredOption('--out <file>')
    .option(
      '--pkcs11 <module>',
      `make the keys in a token, whose PIN comes from ${PIN_VARIABLE} or is asked for`,
    )
    .option('--token <label>', "the token's label")
    .addOption(tokenKemOption())
    .action(({ subject, role, out, ...where }: RequestOptions) =>
      request(wallet(), { subject, roles: role, out }, tokenWish(where), say),
    );
  program
    .command('challenge')
    .description('administrator: make what only the holder of the requested keys can answer')
    .argument('<request>')
    .requiredOption('--out <file>')
    .action((file: string, { out }: { out: string }) => challenge(wallet(), file, out, say));
  program
    .command('answer')
    .description('prove that one holds the requested keys')
    .argument('<challenge>')
    .requiredOption('--out <file>')
    .action((file: string, { out }: { out: string }) => answer(wallet(), file, out, say));
  program
    .command('issue')
    .description('administrator: sign a credential with exactly these roles')
    .argument('<request>')
    .argument('<answer>')
    .requiredOption('--role <role...>')
    .requiredOption('--out <file>')
    .option('--days <n>', 'validity', positive, 365)
    .action((asked: string, proof: string, options: { role: string[]; out: string; days: number }) =>
      issue(
        wallet(),
        { request: asked, answer: proof, out: options.out },
        { roles: options.role, days: options.days },
        say,
      ),
    );
  program
    .command('join')
    .description('take credential, settings and TLS certificate into the wallet')
    .option('--credential <file>', 'not for the administrator, who has one')
    .requiredOption('--settings <file>', "the bank's settings.json")
    .requiredOption('--tls <dir>', "the authority's folder")
    .requiredOption('--anchor-id <hex>', 'whom to trust, learnt by other means', hexId)
    .action((options: { credential?: string; settings: string; tls: string; anchorId: Uint8Array }) =>
      join(wallet(), { ...options, credential: options.credential }, say),
    );
  program
    .command('settings')
    .description("take the bank's new settings into the wallet, under the anchor that it trusts")
    .argument('<file>', "the bank's settings.json")
    .action((file: string) => {
      renewSettings(wallet(), file, say);
    });
  program
    .command('status')
    .description('whose wallet this is')
    .action(() => {
      status(wallet(), say);
    });
}

function keyFileCommands(program: Command, wallet: FindWallet, say: Say): void {
  const passphrase = ['--p12-passphrase-file <file>', "else the wallet's own passphrase"] as const;
  program
    .command('export-keys')
    .description('copy the keys to a PKCS#12 file')
    .requiredOption('--out <file>')
    .option(...passphrase)
    .action(({ out, p12PassphraseFile }: { out: string; p12PassphraseFile?: string }) =>
      exportToPkcs12(wallet(), out, p12PassphraseFile, say),
    );
  program
    .command('import-keys')
    .description('take the keys from a PKCS#12 file into a new wallet')
    .argument('<file>')
    .option(...passphrase)
    .action((file: string, { p12PassphraseFile }: { p12PassphraseFile?: string }) =>
      importFromPkcs12(wallet(), file, p12PassphraseFile, say),
    );
}

function foundingCommands(program: Command, wallet: FindWallet, say: Say): void {
  program
    .command('bank-config')
    .description("administrator: make the bank's identity and its server's configuration")
    .requiredOption('--out <dir>', 'new folder')
    .requiredOption('--tls <dir>', "the authority's folder")
    .requiredOption('--origin <name>', "the name of the bank's log")
    .requiredOption('--port <n>', '1 to 65535', port)
    .option('--host <address>', 'where it listens and is found', '127.0.0.1')
    .option('--days <n>', 'validity', positive, 365)
    .action((options: Parameters<typeof bankConfig>[1]) => bankConfig(wallet(), options, say));
  program
    .command('open-directory')
    .description("administrator: open the bank's directory, once")
    .action(() => openDirectoryOf(wallet(), say));
  program
    .command('register')
    .description('administrator: register users')
    .argument('<credentials...>')
    .action((files: string[]) => registerUsers(wallet(), files, say));
  program
    .command('publish-group')
    .description(
      'keeper: found a group, or begin its next epoch with a fresh key, with exactly these members',
    )
    .requiredOption('--name <group>', 'such as speciality:cardiology')
    .requiredOption('--member <subject...>')
    .option('--history', 'let who joins read what was sealed to the group before', false)
    .action(({ name, member, history }: { name: string; member: string[]; history: boolean }) =>
      publishMembers(wallet(), name, { members: member, history }, say),
    );
  program
    .command('publish-compartments')
    .description("patient: publish the parts of one's record")
    .addOption(policyOption().makeOptionMandatory())
    .action(({ policy }: { policy: PolicyName }) => publishOwnCompartments(wallet(), policy, say));
}

function recordCommands(program: Command, wallet: FindWallet, say: Say): void {
  program
    .command('create')
    .description("doctor: open a patient's record")
    .requiredOption('--patient <subject>')
    .action(({ patient }: { patient: string }) => create(wallet(), patient, say));
  program
    .command('add')
    .description("doctor or specialist: seal documents into a patient's record")
    .requiredOption('--patient <subject>')
    .option('--fhir <bundle>', 'a FHIR R4 bundle in JSON')
    .option('--index <n>', "which of the bundle's patients, from 1", positive)
    .option('--json <file>', 'a JSON document')
    .option('--amend <n>', 'the entry whose document it takes the place of; both stay', positive)
    .option('--annotate <n>', 'the entry whose document it is a note about', positive)
    .addOption(policyOption())
    .action(({ patient, ...options }: AddOptions & { patient: string }) =>
      add(wallet(), patient, sourceOf(options), say),
    );
  program
    .command('view')
    .description('read what one may of a record')
    .option('--patient <subject>', "else one's own")
    .addOption(new Option('--number <number>', "the record's number").conflicts('patient'))
    .option('--part <name>', 'only documents of this part')
    .option('--as-of <time>', 'only what the bank had taken by then, such as 2026-03-14T09:30:00Z', time)
    .option('--purpose <text>', 'for the log of accesses', 'reading')
    .option('--json', 'one JSON object', false)
    .action((options: ViewOptions) => view(wallet(), options, say));
  program
    .command('audit')
    .description('auditor: verify that a record is whole, without seeing anything in it')
    .argument('<number>', "the record's number")
    .option('--purpose <text>', 'for the log of accesses', 'audit')
    .action((number: string, { purpose }: { purpose: string }) => audit(wallet(), number, purpose, say));
  program
    .command('grant')
    .description('patient: let somebody read one part')
    .requiredOption('--to <subject>')
    .requiredOption('--scope <part>')
    .requiredOption('--purpose <text>')
    .requiredOption('--days <n>', 'for how long', positive)
    .action((terms: Parameters<typeof grant>[1]) => grant(wallet(), terms, say));
  program
    .command('end-grant')
    .description('patient: end what was granted to somebody')
    .requiredOption('--from <subject>')
    .action(({ from }: { from: string }) => endGrants(wallet(), from, say));
  program
    .command('break-glass')
    .description('emergency: read everything, for a reason that the patient will see')
    .requiredOption('--patient <subject>')
    .requiredOption('--reason <text>')
    .option('--json', 'one JSON object', false)
    .action(({ patient, ...how }: { patient: string; reason: string; json: boolean }) =>
      breakTheGlass(wallet(), patient, how, say),
    );
  program
    .command('accesses')
    .description("patient: who has read one's record")
    .action(() => accesses(wallet(), say));
  program
    .command('export')
    .description("patient: one's whole record as evidence")
    .requiredOption('--out <file>')
    .action(({ out }: { out: string }) => exportOwn(wallet(), out, say));
}

interface RequestOptions extends TokenOptions {
  readonly subject: string;
  readonly role: string[];
  readonly out: string;
}

interface AddOptions {
  readonly fhir?: string;
  readonly index?: number;
  readonly json?: string;
  readonly policy?: PolicyName;
  readonly amend?: number;
  readonly annotate?: number;
}

function sourceOf({ fhir, index, json, policy, amend, annotate }: AddOptions): Parameters<typeof add>[2] {
  const about =
    amend !== undefined
      ? ({ kind: 'amend', seq: amend } as const)
      : annotate !== undefined
        ? ({ kind: 'annotate', seq: annotate } as const)
        : undefined;
  if (amend !== undefined && annotate !== undefined)
    throw new UsageError('a document amends another one or annotates it, not both');
  if (fhir !== undefined && json === undefined && policy === undefined && about === undefined)
    return { fhir, index };
  if (json !== undefined && fhir === undefined && policy !== undefined && index === undefined)
    return { json, policy, about };
  throw new UsageError('add takes either --fhir BUNDLE or --json FILE with --policy');
}

function policyOption(): Option {
  return new Option('--policy <name>').choices(Object.keys(POLICIES));
}
