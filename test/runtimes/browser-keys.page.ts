/** What the pages of test/runtimes/browser-keys.ts do: make, open, use, misuse and delete browser keys. */

import { MunimentError } from 'muniment';
import { systemRandom } from 'muniment/crypto';
import {
  answerChallenge,
  challengePossession,
  createAnchor,
  createIdentity,
  enrol,
  issueCredential,
  requestCredential,
  type Identity,
  type IdentityKeys,
} from 'muniment/keys';
import { toHex } from 'muniment/wire';
import { addValue, deleteValue, readValue } from '../../examples/client/keystores/indexeddb.ts';
import {
  BrowserKeysError,
  createBrowserIdentityKeys,
  deleteBrowserKeys,
  openBrowserKeys,
  type BrowserKeyOptions,
} from '../../examples/client/keystores/webcrypto.ts';
import { sealAndOpen, talk } from './scenario.ts';

const VALID = { notBefore: 0, notAfter: 4e12 };

/** The public keys, made; or the code of the refusal. */
export function create(name: string, options: BrowserKeyOptions): Promise<string | null> {
  return told(async () => publicKeys(await createBrowserIdentityKeys(name, options)));
}

/** The public keys of what is kept, `null`, or the code of the refusal. */
export function open(name: string): Promise<string | null> {
  return told(async () => publicKeys(await openBrowserKeys(name)));
}

/** Forgets keys: what is there afterwards. */
export async function forget(name: string): Promise<unknown> {
  await deleteBrowserKeys(name);
  return openBrowserKeys(name);
}

/** How every export of every private or secret key that is kept ends, each answer once; and how many keys there are. */
export async function exportAll(name: string): Promise<{ keys: number; answers: string[] }> {
  const keys = cryptoKeys(await readValue(name));
  const answers = new Set<string>();
  for (const key of keys)
    for (const answer of [
      crypto.subtle.exportKey('raw', key),
      crypto.subtle.exportKey('pkcs8', key),
      crypto.subtle.exportKey('jwk', key),
    ])
      answers.add(
        await answer.then(
          () => 'exported',
          (error: unknown) => (error instanceof Error ? error.name : String(error)),
        ),
      );
  return { keys: keys.length, answers: [...answers] };
}

/** An identity of kept keys is enrolled, writes, reads, asks a bank and is a bank; its peers have software keys. */
export async function live(name: string): Promise<unknown> {
  const keys = await openBrowserKeys(name);
  if (keys === null) return null;
  const anchor = await createAnchor({ subject: 'Hospital', roles: ['administrator'], ...VALID });
  const me = await enrolled(anchor, keys);
  const make = (subject: string): Promise<Identity> =>
    enrol(anchor, { subject, roles: ['doctor'], ...VALID });
  const [patient, other] = [await make('patient'), await make('other')];
  return {
    written: await sealAndOpen(me, other, patient),
    read: await sealAndOpen(other, me, patient),
    asked: await talk(me, other, anchor.credential),
    answered: await talk(other, me, anchor.credential),
  };
}

/** How opening ends when one member of what is kept was changed: for another's, for one that can be read out or does more. */
export async function damaged(name: string): Promise<string[]> {
  const kept = (await readValue(name)) as Record<
    'signing' | 'handshake' | 'sealing',
    Record<string, unknown>
  >;
  const readable = await privateKey('Ed25519', true, ['sign', 'verify']);
  const versatile = await privateKey('X25519', false, ['deriveBits', 'deriveKey']);
  const { handshake, sealing } = kept;
  const changed: unknown[] = [
    null,
    { ...kept, format: 'muniment browser keys 2' },
    { ...kept, kem: 1 },
    { ...kept, signing: { ...kept.signing, privateKey: readable } },
    { ...kept, signing: handshake['dh'] },
    { ...kept, handshake: { ...handshake, dh: { ...(handshake['dh'] as object), privateKey: versatile } } },
    { ...kept, handshake: { ...handshake, publicKey: new Uint8Array(3) } },
    { ...kept, sealing: { ...sealing, seed: null } },
  ];
  const answers: string[] = [];
  for (const value of changed) {
    await addValue('damaged', value);
    answers.push(String(await open('damaged')));
    await deleteValue('damaged');
  }
  return answers;
}

/** How decapsulation ends with the other key's sealed half, and with an encapsulation that means nothing. */
export async function misused(name: string): Promise<unknown[]> {
  const kept = (await readValue(name)) as Record<'handshake' | 'sealing', Record<string, unknown>>;
  const { handshake, sealing } = kept;
  await addValue('swapped', { ...kept, handshake: { ...handshake, seed: sealing['seed'] } });
  const [swapped, whole] = [await openBrowserKeys('swapped'), await openBrowserKeys(name)];
  await deleteValue('swapped');
  if (swapped === null || whole === null) return [];
  const zeros = new Uint8Array(1120);
  return [
    await told(() => swapped.handshake.decapsulate(zeros)),
    await told(() => whole.handshake.decapsulate(zeros)),
  ];
}

async function privateKey(name: string, extractable: boolean, usages: CryptoKey['usages']): Promise<unknown> {
  const pair = await crypto.subtle.generateKey({ name }, extractable, usages);
  return 'privateKey' in pair ? pair.privateKey : pair;
}

async function enrolled(anchor: Identity, keys: IdentityKeys): Promise<Identity> {
  const roles = ['doctor'];
  const request = await requestCredential(keys, { subject: 'Dr. Ruiz', roles });
  const { challenge, expected } = challengePossession(request, anchor.credential);
  const answer = await answerChallenge(keys, request, challenge, anchor.credential);
  const terms = { roles, ...VALID, serial: systemRandom(16) };
  return createIdentity(keys, await issueCredential(anchor, request, { expected, answer }, terms));
}

function publicKeys(keys: IdentityKeys | null): string | null {
  if (keys === null) return null;
  return [keys.signer, keys.handshake, keys.sealing].map(({ publicKey }) => toHex(publicKey)).join(' ');
}

async function told<Result>(work: () => Promise<Result>): Promise<Result | string> {
  try {
    return await work();
  } catch (error) {
    return error instanceof BrowserKeysError || error instanceof MunimentError ? error.code : String(error);
  }
}

type CryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

function cryptoKeys(value: unknown): CryptoKey[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Object.prototype.toString.call(value) === '[object CryptoKey]') return [value as CryptoKey];
  return Object.values(value).flatMap(cryptoKeys);
}
