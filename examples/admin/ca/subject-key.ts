/** Whose key a certificate is for: one that is made here, or one that asks for it (PKCS#10, RFC 2986). */

import 'reflect-metadata'; // @peculiar/x509 refuses to load before it
import { Pkcs10CertificateRequest } from '@peculiar/x509';
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { CliError } from '../../client/cli/error.ts';
import { readText } from '../../client/cli/files.ts';

/** The keys that certificates are issued for. */
export const KEY_TYPES = ['p256', 'ed25519'] as const;
/** One of them. */
export type KeyType = (typeof KEY_TYPES)[number];

/** Makes a key pair: the public key as SubjectPublicKeyInfo in DER, the private key as unencrypted PKCS#8 in PEM. */
export function makeKey(type: KeyType): { readonly publicKey: Uint8Array; readonly privateKey: string } {
  const pair =
    type === 'ed25519'
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return {
    publicKey: spkiOf(pair.publicKey),
    privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/**
 * The key of a certificate request, which proves by its signature that its maker has the private key. Nothing else is
 * taken from it: what a certificate says is the authority's to decide.
 *
 * @param file - in PEM
 * @returns SubjectPublicKeyInfo in DER
 * @throws `CliError` for a file that is no request, a key of another type, or a wrong signature
 */
export async function requestedKey(file: string): Promise<Uint8Array> {
  const text = readText(file);
  let request: Pkcs10CertificateRequest;
  let key: KeyObject;
  try {
    request = new Pkcs10CertificateRequest(text);
    key = createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' });
  } catch (cause) {
    throw new CliError(`${file} is not a certificate request in PEM`, { cause });
  }
  const { namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType !== 'ed25519' && namedCurve !== 'prime256v1')
    throw new CliError(`${file} asks for a key that is neither of P-256 nor of Ed25519`);
  if (!(await isSigned(request))) throw new CliError(`${file} is not signed with the key that it asks for`);
  return spkiOf(key);
}

async function isSigned(request: Pkcs10CertificateRequest): Promise<boolean> {
  try {
    return await request.verify();
  } catch {
    return false; // a signature of another algorithm, or of no known form
  }
}

function spkiOf(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ type: 'spki', format: 'der' }));
}
