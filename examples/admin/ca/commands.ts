/** `ca …`: the bank's certificate authority, one command a step. docs/administration.md. */

import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { UsageError } from '../../client/cli/error.ts';
import { refuseExisting, writeNew, writeWhole } from '../../client/cli/files.ts';
import type { AskPassphrase } from '../../client/cli/passphrase.ts';
import { plainly } from '../../client/cli/show.ts';
import { counted } from '../../server/counted.ts';
import { Authority, dayOf, foundAuthority, pemOf, type Standing } from './authority.ts';
import { REASONS, type Reason } from './folder.ts';
import { LOOPBACK_HOSTS, type Kind } from './profile.ts';
import { KEY_TYPES, makeKey, requestedKey, type KeyType } from './subject-key.ts';

/** What commands need of their surroundings. */
export interface CaSurroundings {
  readonly say: (line: string) => void;
  readonly passphrase: AskPassphrase;
}

interface IssueOptions {
  readonly out: string;
  readonly host?: string[];
  readonly csr?: string;
  readonly keyType?: KeyType;
  readonly days: number;
}

/** The command `ca`, with its own below it. */
export function caCommand(surroundings: () => CaSurroundings): Command {
  const ca = new Command('ca')
    .description('the certificate authority of servers and clients')
    .option('--folder <dir>', "the authority's folder", 'muniment-authority');
  const folder = (): string => ca.opts<{ folder: string }>().folder;
  const authority = (): Authority => new Authority(folder(), surroundings().passphrase);

  ca.command('init')
    .description('make the authority: its key under a passphrase, and the root certificate to trust')
    .requiredOption('--name <text>', 'as certificates will name their issuer')
    .option('--days <n>', 'validity of the root', positive, 3650)
    .action((terms: { name: string; days: number }) => init(folder(), terms, surroundings()));
  ca.command('issue')
    .description('issue a certificate: OUT.crt, and OUT.key unless a request brings the key')
    .addArgument(new Argument('<kind>').choices(['server', 'client']))
    .argument('<subject>', "a client's is the subject of its credential")
    .requiredOption('--out <path>', 'name of the new files, without ending')
    .option('--host <name...>', "a server's names and addresses, instead of this machine's")
    .option('--csr <file>', 'certificate request in PEM, whose key is taken')
    .addOption(keyTypeOption())
    .option('--days <n>', 'validity', positive, 90)
    .action((kind: Kind, subject: string, options: IssueOptions) =>
      issue(authority(), { kind, subject }, options, surroundings()),
    );
  ca.command('renew')
    .description('issue the same certificate anew, for the same key unless a request brings another')
    .argument('<serial>', 'see list', serial)
    .requiredOption('--out <path>', 'OUT.crt is written, in the place of an older one')
    .option('--csr <file>', 'certificate request in PEM, whose key is taken')
    .option('--days <n>', 'validity', positive, 90)
    .action((number: string, options: { out: string; csr?: string; days: number }) =>
      renew(authority(), number, options, surroundings()),
    );
  ca.command('revoke')
    .description('revoke a certificate for good; servers hear of it by the next crl')
    .argument('<serial>', 'see list', serial)
    .addOption(new Option('--reason <why>').choices(REASONS).default('unspecified'))
    .action((number: string, { reason }: { reason: Reason }) => {
      const { subject } = authority().revoke(number, reason);
      surroundings().say(`revoked ${number}, ${plainly(subject)}: now run \`ca crl\``);
    });
  ca.command('crl')
    .description('sign the list of all revocations: authority.crl in the folder')
    .option('--out <file>', 'and a copy here, in the place of an older one')
    .option('--days <n>', 'for how long it can be used', positive, 7)
    .action((options: { out?: string; days: number }) => crl(authority(), options, surroundings()));
  ca.command('list')
    .description('all certificates that were issued, the first to end first')
    .option('--json', 'one JSON array', false)
    .action(({ json }: { json: boolean }) => {
      const rows = authority().list().map(rowOf);
      if (json) surroundings().say(JSON.stringify(rows));
      else for (const row of rows) surroundings().say(lineOf(row));
    });
  return ca;
}

async function init(
  folder: string,
  terms: { readonly name: string; readonly days: number },
  { passphrase, say }: CaSurroundings,
): Promise<void> {
  const root = await foundAuthority(folder, terms, passphrase);
  say(`${folder}: authority ${plainly(terms.name)}, until ${dayOf(root.notAfter)}`);
  say(`servers and clients trust ${folder}/authority.crt; back the folder up, and its passphrase elsewhere`);
}

async function issue(
  authority: Authority,
  { kind, subject }: { readonly kind: Kind; readonly subject: string },
  { out, host, csr, keyType, days }: IssueOptions,
  { say }: CaSurroundings,
): Promise<void> {
  if (kind === 'client' && host !== undefined) throw new UsageError('--host is for servers only');
  if (csr !== undefined && keyType !== undefined)
    throw new UsageError('--key-type is for keys that are made here: the request brings its own');
  refuseExisting(`${out}.crt`);
  const hosts = kind === 'server' ? (host ?? LOOPBACK_HOSTS) : [];
  const made = csr === undefined ? makeKey(keyType ?? 'p256') : null;
  if (made !== null) refuseExisting(`${out}.key`);
  const publicKey = made?.publicKey ?? (await requestedKey(csr ?? ''));
  const certificate = await authority.issue({ subject, kind, hosts, days, publicKey });
  if (made !== null) writeNew(`${out}.key`, made.privateKey);
  writeNew(`${out}.crt`, pemOf(certificate));
  say(
    `${out}.crt: ${kind} ${plainly(subject)}, ${certificate.serialNumber}, until ${dayOf(certificate.notAfter)}`,
  );
  if (made !== null) say(`${out}.key: its private key, unencrypted; hand it over in private`);
}

async function renew(
  authority: Authority,
  number: string,
  { out, csr, days }: { readonly out: string; readonly csr?: string; readonly days: number },
  { say }: CaSurroundings,
): Promise<void> {
  const publicKey = csr === undefined ? null : await requestedKey(csr);
  const certificate = await authority.renew(number, days, publicKey);
  writeWhole(`${out}.crt`, pemOf(certificate));
  say(`${out}.crt: ${certificate.serialNumber}, until ${dayOf(certificate.notAfter)}`);
}

async function crl(
  authority: Authority,
  { out, days }: { readonly out?: string; readonly days: number },
  { say }: CaSurroundings,
): Promise<void> {
  const before = authority.listedUntil();
  const { pem, number, count, until } = await authority.publish(days);
  if (out !== undefined) writeWhole(out, pem, 0o644); // a list is for everybody, and the server may be another user
  say(`list ${number}: ${count} revoked, good for ${counted(days, 'day')}, until ${until.toISOString()}`);
  if (before !== null && until < before)
    say(
      `the list before was good until ${dayOf(before)}, this one ends sooner: sign the next by then, from a timer, or give more --days`,
    );
}

interface Row {
  readonly serial: string;
  readonly kind: Kind;
  readonly subject: string;
  readonly hosts: readonly string[];
  readonly until: string;
  readonly state: string;
}

function rowOf({ serial: number, kind, subject, hosts, certificate, revocation }: Standing): Row {
  const { notAfter } = certificate;
  const state =
    revocation !== null
      ? `revoked ${dayOf(revocation.time)} ${revocation.reason}`
      : notAfter.getTime() < Date.now()
        ? 'expired'
        : 'valid';
  return { serial: number, kind, subject, hosts, until: dayOf(notAfter), state };
}

function lineOf({ serial: number, kind, subject, hosts, until, state }: Row): string {
  const names = hosts.length === 0 ? '' : ` (${hosts.map(plainly).join(', ')})`;
  return `${number}  ${kind}  until ${until}  ${state}  ${plainly(subject)}${names}`;
}

function keyTypeOption(): Option {
  return new Option('--key-type <name>', 'of a key that is made here, else p256').choices(KEY_TYPES);
}

function positive(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new InvalidArgumentError('a whole number from 1 to 99999');
  return Number(text);
}

function serial(text: string): string {
  if (!/^[0-9a-f]{32}$/i.test(text)) throw new InvalidArgumentError('32 hexadecimal digits');
  return text.toLowerCase();
}
