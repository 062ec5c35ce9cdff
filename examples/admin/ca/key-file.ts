/** The authority's private key at rest: PKCS#8 under a passphrase (RFC 5958, PBES2 of RFC 8018), as PEM. */

import { systemRandom } from 'muniment/crypto';
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { PemConverter } from '@peculiar/x509';
import { CliError } from '../../client/cli/error.ts';
import { octets, sequence, toDer } from '../../client/keystores/pkcs12/der.ts';
import { ITERATIONS } from '../../client/keystores/pkcs12/effort.ts';
import { encrypt } from '../../client/keystores/pkcs12/encryption.ts';

const TAG = 'ENCRYPTED PRIVATE KEY';
/** What OpenSSL reads. */
const PASSPHRASE_MOST = 1024;

/**
 * Puts a private key under a passphrase: AES-256-CBC under PBKDF2-HMAC-SHA-256 with 600,000 iterations. Node's own
 * export would make do with 2,048.
 *
 * @param pkcs8 - in DER
 * @throws `CliError` for a passphrase that is too long to be read again
 */
export async function sealKey(pkcs8: Uint8Array, passphrase: string): Promise<string> {
  if (Buffer.byteLength(passphrase) > PASSPHRASE_MOST) throw new CliError('the passphrase is too long');
  const effort = { iterations: ITERATIONS, random: systemRandom };
  const { identifier, ciphertext } = await encrypt(pkcs8, passphrase, effort);
  return `${PemConverter.encode(toDer(sequence(identifier, octets(ciphertext))), TAG)}\n`;
}

/** Opens what {@link sealKey} made. Throws `CliError` for a wrong passphrase or a damaged file. */
export function openKey(pem: string, passphrase: string): KeyObject {
  try {
    return createPrivateKey({ key: pem, passphrase });
  } catch (cause) {
    throw new CliError("the passphrase does not open the authority's key", { cause });
  }
}
