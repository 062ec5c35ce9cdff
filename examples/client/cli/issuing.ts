/** Commands by which people get identities: keys of their own, a request, a proof of possession, a credential. */

import {
  answerChallenge,
  challengePossession,
  createAnchor,
  createKeys,
  exposeSecret,
  issueCredential,
  readAnchor,
  readCredentialRequest,
  readUnverifiedCredential,
  requestCredential,
  Secret,
  type Credential,
} from 'muniment/keys';
import { sha256, systemRandom } from 'muniment/crypto';
import { fromBase64url, toBase64url, toHex } from 'muniment/wire';
import { rmSync } from 'node:fs';
import { z } from 'zod';
import { createAuthority } from '../../demo/authority.ts';
import { CliError, UsageError } from './error.ts';
import { readBytes, readForm, readText, refuseExisting, writeFolder, writeWhole } from './files.ts';
import { settingsForm } from './settings.ts';
import { plainly } from './show.ts';
import type { TokenWish } from './token-keys.ts';
import type { Wallet } from './wallet.ts';

const DAY = 86_400_000;
/** Credentials start in the past, so that a peer whose clock is a little behind accepts them. */
const BACKDATE = 5 * 60_000;
const REQUEST = 'request';

const challengeForm = z.strictObject({
  format: z.literal('muniment challenge 1'),
  challenge: z.string(),
  issuer: z.string(),
});

/** Prints a line. */
export type Say = (line: string) => void;

/** `init`: an administrator's own identity, at which all trust ends. */
export async function init(wallet: Wallet, subject: string, days: number, say: Say): Promise<void> {
  wallet.refuseKeys();
  const anchor = await createAnchor({ subject, roles: ['administrator'], ...validFor(days) });
  await wallet.keepKeys(anchor);
  wallet.keepAnchor(anchor.credential);
  say(`made the administrator ${plainly(subject)} in ${wallet.folder}`);
  say(`anchor id ${toHex(anchor.credential.id)}: give it to everybody by a way that nobody can alter`);
}

type Claim = Parameters<typeof requestCredential>[1];

/** `request`: keys, and a request for a credential over them. */
export async function request(
  wallet: Wallet,
  claim: Claim & { readonly out: string },
  token: TokenWish | null,
  say: Say,
): Promise<void> {
  wallet.refuseKeys();
  const asked =
    token === null ? await softwareRequest(wallet, claim) : await tokenRequest(wallet, claim, token);
  writeWhole(wallet.at(REQUEST), asked);
  writeWhole(claim.out, asked);
  say(
    `made keys in ${token === null ? wallet.folder : `the token ${plainly(token.token)}`}; give ${claim.out} to the administrator`,
  );
}

async function softwareRequest(wallet: Wallet, claim: Claim): Promise<Uint8Array> {
  const keys = createKeys();
  const asked = await requestCredential(keys, claim);
  await wallet.keepKeys(keys);
  return asked;
}

async function tokenRequest(wallet: Wallet, claim: Claim, token: TokenWish): Promise<Uint8Array> {
  return requestCredential(await wallet.makeTokenKeys(token, claim.subject), claim);
}

/** `challenge`: what only the holder of the requested keys can answer. */
export async function challenge(wallet: Wallet, file: string, out: string, say: Say): Promise<void> {
  const issuer = await wallet.administrator();
  const asked = readBytes(file);
  const { subject, roles } = readCredentialRequest(asked);
  const made = challengePossession(asked, issuer.credential);
  writeWhole(expectedFile(wallet, asked), exposeSecret(made.expected));
  const content = {
    format: 'muniment challenge 1',
    challenge: toBase64url(made.challenge),
    issuer: toBase64url(issuer.credential.encoded),
  };
  writeWhole(out, `${JSON.stringify(content)}\n`);
  say(`${plainly(subject)} asks for the roles ${roles.map(plainly).join(', ')}`);
  say(`give ${out} to them; only the holder of the requested keys can answer it`);
}

/** `answer`: the proof that the wallet holds the keys that it asked a credential for. */
export async function answer(wallet: Wallet, file: string, out: string, say: Say): Promise<void> {
  const form = readForm(file, challengeForm);
  const encoded = fromBase64url(form.issuer);
  // Whoever that is: the answer is bound to it, and `join` is where the user says whom to trust.
  const issuer = readAnchor(encoded, readUnverifiedCredential(encoded).id);
  const proof = await answerChallenge(
    await wallet.keys(),
    readBytes(wallet.at(REQUEST)),
    fromBase64url(form.challenge),
    issuer,
  );
  writeWhole(out, proof);
  say(`give ${out} to the administrator`);
}

/** `issue`: a signed credential for a request whose challenge was answered. */
export async function issue(
  wallet: Wallet,
  files: { readonly request: string; readonly answer: string; readonly out: string },
  terms: { readonly roles: readonly string[]; readonly days: number },
  say: Say,
): Promise<void> {
  const issuer = await wallet.administrator();
  const asked = readBytes(files.request);
  const expectedAt = expectedFile(wallet, asked);
  const expected = new Secret('possession answer', readBytes(expectedAt));
  const proof = { expected, answer: readBytes(files.answer) };
  const { roles, days } = terms;
  const { roles: claimed } = readCredentialRequest(asked);
  const extra = roles.filter((role) => !claimed.includes(role));
  if (extra.length > 0) throw new CliError(`the request does not ask for ${extra.map(plainly).join(', ')}`);
  const granted = { roles, ...validFor(days), serial: systemRandom(16) };
  const credential = await issueCredential(issuer, asked, proof, granted);
  writeWhole(files.out, credential.encoded);
  rmSync(expectedAt); // one challenge, one credential
  say(`${files.out}: ${describe(credential)}`);
}

/** `join`: the wallet takes its credential, the bank's settings and its TLS certificate. */
export async function join(
  wallet: Wallet,
  given: {
    readonly credential: string | undefined;
    readonly settings: string;
    readonly tls: string;
    readonly anchorId: Uint8Array;
  },
  say: Say,
): Promise<void> {
  const credential = await wallet.join({
    credential: given.credential === undefined ? null : readBytes(given.credential),
    settings: readForm(given.settings, settingsForm),
    settingsText: readText(given.settings),
    anchorId: given.anchorId,
    tls: given.tls,
  });
  say(`${wallet.folder} is ${describe(credential)}`);
  say(`own id ${toHex(credential.id)}`);
}

/** `settings`: the wallet takes the bank's new settings. */
export function renewSettings(wallet: Wallet, file: string, say: Say): void {
  wallet.renewSettings(readForm(file, settingsForm), readText(file));
  say(`${wallet.folder} has the bank's new settings`);
}

/** `authority`: TLS certificates for the bank and its users, by an authority whose key nobody keeps. */
export async function authority(
  out: string,
  hosts: readonly string[] | undefined,
  subjects: readonly string[],
  say: Say,
): Promise<void> {
  const odd = [...subjects].find(
    (subject) => !/^[\w][\w.-]*$/.test(subject) || ['server', 'authority'].includes(subject),
  );
  if (odd !== undefined) throw new UsageError(`${plainly(odd)} cannot name a file`);
  refuseExisting(out);
  const made = await createAuthority('Muniment demo authority');
  const files: Record<string, string> = { 'authority.crt': made.certificate };
  const add = (name: string, { certificate, key }: { certificate: string; key: string }): void => {
    files[`${name}.crt`] = certificate;
    files[`${name}.key`] = key;
  };
  add('server', await made.issue({ commonName: 'bank', kind: 'server', ...(hosts && { hosts }) }));
  for (const commonName of subjects) add(commonName, await made.issue({ commonName, kind: 'client' }));
  writeFolder(out, files);
  say(`${out}: certificates for the server and ${subjects.join(', ')}; the authority's own key is gone`);
  say(
    'hand each .key over in private: it lies there unencrypted. `join` keeps a copy under a passphrase; delete the original',
  );
}

/** `status`: whose wallet this is. */
export function status(wallet: Wallet, say: Say): void {
  const credential = wallet.credential();
  say(describe(credential));
  say(`own id ${toHex(credential.id)}`);
}

/** A validity from now on. */
export function validFor(days: number): { notBefore: number; notAfter: number } {
  const now = Date.now();
  return { notBefore: now - BACKDATE, notAfter: now + days * DAY };
}

function describe({ subject, roles, notAfter }: Credential): string {
  return `${plainly(subject)}, ${roles.map(plainly).join(', ')}, until ${new Date(notAfter).toISOString()}`;
}

function expectedFile(wallet: Wallet, asked: Uint8Array): string {
  return wallet.at('challenges', toHex(sha256(asked)));
}
