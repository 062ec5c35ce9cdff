/**
 * Writes PKCS#12 files (RFC 7292) in the layout of OpenSSL: certificates encrypted together, each key in a shrouded
 * bag of its own, one MAC over all. AES-256-CBC under PBKDF2-HMAC-SHA-256, and HMAC-SHA-256: there is no choice.
 */

import { systemRandom, type Random } from 'muniment/crypto';
import { exposeSecret } from 'muniment/keys';
import { utf8 } from 'muniment/wire';
import { Members, type BerNode } from './ber.ts';
import {
  checkPkcs8,
  LOCAL_KEY_ID_LIMIT,
  NAME_LIMIT,
  type Pkcs12Contents,
  type Pkcs12Label,
} from './contents.ts';
import { bmpString, explicit, implicitOctets, integer, octets, oid, sequence, set, toDer } from './der.ts';
import { ITERATIONS, MAC_ITERATIONS, type Effort } from './effort.ts';
import { encrypt, type Encrypted } from './encryption.ts';
import { PKCS12_LIMITS } from './limits.ts';
import { macData } from './mac.ts';
import {
  CERT_BAG,
  DATA,
  ENCRYPTED_DATA,
  FRIENDLY_NAME,
  LOCAL_KEY_ID,
  SHROUDED_KEY_BAG,
  X509_CERTIFICATE,
} from './oids.ts';

const VERSION = 3;
/**
 * Writes a file. This takes seconds, in which the thread is busy: whoever guesses at the passphrase does the same work
 * for each guess.
 *
 * Names and local key ids of keys, and how many of each there are, can be read without the passphrase.
 *
 * @param contents - keys and certificates; what belongs together has the same local key id
 * @param passphrase - not empty, without U+0000, and not normalised; its strength is the caller's to check
 * @param random - for vectors only
 * @returns the file's bytes
 * @throws `RangeError` for such a passphrase, nothing to write, or more than {@link PKCS12_LIMITS} let a reader read;
 *   `MunimentError` `KEY_FILE` if a key or certificate is not one whole structure, `WIRE_UTF8` if a text is none
 * @example
 * ```ts
 * const label = { name: 'doctor', localKeyId: Uint8Array.of(1) };
 * const file = await writePkcs12({ keys: [{ ...label, pkcs8 }], certificates: [{ ...label, der }] }, passphrase);
 * ```
 */
export async function writePkcs12(
  contents: Pkcs12Contents,
  passphrase: string,
  random: Random = systemRandom,
): Promise<Uint8Array> {
  if (passphrase === '' || passphrase.includes('\0'))
    throw new RangeError('the passphrase is empty or has a zero character');
  const { keys, certificates } = bagsOf(contents);
  const effort: Effort = { iterations: ITERATIONS, random };
  const safes: BerNode[] = [];
  if (certificates.length > 0)
    safes.push(encryptedInfo(await encrypt(toDer(sequence(...certificates)), passphrase, effort)));
  const shrouded: BerNode[] = [];
  for (const { pkcs8, attributes } of keys) {
    const { identifier, ciphertext } = await encrypt(pkcs8, passphrase, effort);
    pkcs8.fill(0);
    shrouded.push(bag(SHROUDED_KEY_BAG, sequence(identifier, octets(ciphertext)), attributes));
  }
  if (shrouded.length > 0) safes.push(dataInfo(toDer(sequence(...shrouded))));
  const content = toDer(sequence(...safes));
  const mac = macData(content, passphrase, { iterations: MAC_ITERATIONS, random });
  const file = toDer(sequence(integer(VERSION), dataInfo(content), mac));
  if (file.length > PKCS12_LIMITS.bytes) throw new RangeError('the certificates are too large for a file');
  return file;
}

// Everything is looked at, and copied, before the first derivation.
function bagsOf({ keys, certificates }: Pkcs12Contents) {
  const count = keys.length + certificates.length;
  const work = MAC_ITERATIONS + (keys.length + Math.min(certificates.length, 1)) * ITERATIONS;
  if (count === 0 || count > PKCS12_LIMITS.bags || work > PKCS12_LIMITS.work)
    throw new RangeError('a file holds one key or certificate at least, and no more than a reader allows');
  return {
    certificates: certificates.map((item) => bag(CERT_BAG, certBag(item.der), attributesOf(item))),
    keys: keys.map((item) => {
      const pkcs8 = exposeSecret(item.pkcs8);
      checkPkcs8(pkcs8);
      return { pkcs8, attributes: attributesOf(item) };
    }),
  };
}

function certBag(der: Uint8Array): BerNode {
  Members.parse(der);
  return sequence(oid(X509_CERTIFICATE), explicit(octets(der)));
}

function attributesOf({ name, localKeyId }: Pkcs12Label): BerNode[] {
  const attributes: BerNode[] = [];
  if (name !== null) {
    if (name === '' || name.length > NAME_LIMIT) throw new RangeError('a name is empty or too long');
    utf8(name); // refuses what is no text
    attributes.push(attribute(FRIENDLY_NAME, bmpString(name)));
  }
  if (localKeyId !== null) {
    if (localKeyId.length === 0 || localKeyId.length > LOCAL_KEY_ID_LIMIT)
      throw new RangeError('a local key id is empty or too long');
    attributes.push(attribute(LOCAL_KEY_ID, octets(localKeyId)));
  }
  return attributes;
}

function attribute(type: string, value: BerNode): BerNode {
  return sequence(oid(type), set(value));
}

function bag(kind: string, value: BerNode, attributes: BerNode[]): BerNode {
  const members = [oid(kind), explicit(value)];
  return sequence(...members, ...(attributes.length === 0 ? [] : [set(...attributes)]));
}

function dataInfo(content: Uint8Array): BerNode {
  return sequence(oid(DATA), explicit(octets(content)));
}

function encryptedInfo({ identifier, ciphertext }: Encrypted): BerNode {
  const content = sequence(oid(DATA), identifier, implicitOctets(ciphertext));
  return sequence(oid(ENCRYPTED_DATA), explicit(sequence(integer(0), content)));
}
