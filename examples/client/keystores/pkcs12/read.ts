/**
 * Reads PKCS#12 files (RFC 7292) whose algorithms are modern. Left out: integrity by signature, encryption to a
 * public key, and bags of anything but keys and X.509 certificates; what is left out is refused, never skipped.
 *
 * The structures are walked here and not by pkijs: its classes parse keys and certificates, and would hand them
 * back encoded anew; and it knows but one spelling of an empty passphrase.
 */

import { MunimentError } from 'muniment';
import { Secret } from 'muniment/keys';
import { bytesOf, malformed, Members } from './ber.ts';
import {
  checkPkcs8,
  LOCAL_KEY_ID_LIMIT,
  NAME_LIMIT,
  type Pkcs12Certificate,
  type Pkcs12Contents,
  type Pkcs12Key,
  type Pkcs12Label,
} from './contents.ts';
import { decrypt } from './encryption.ts';
import { PKCS12_LIMITS, Spent, type Pkcs12Limits } from './limits.ts';
import { readMac, verifyMac, type Mac } from './mac.ts';
import {
  CERT_BAG,
  DATA,
  ENCRYPTED_DATA,
  FRIENDLY_NAME,
  KEY_BAG,
  LOCAL_KEY_ID,
  SAFE_CONTENTS_BAG,
  SHROUDED_KEY_BAG,
  X509_CERTIFICATE,
} from './oids.ts';

const VERSION = 3;

/**
 * Reads a file. Its MAC is checked first; nothing of its content is parsed before.
 *
 * @param file - the file's bytes
 * @param passphrase - as it was typed when the file was written: it is not normalised
 * @param limits - what the file may ask for, {@link PKCS12_LIMITS} unless given
 * @returns keys and certificates, each in the file's order
 * @throws `MunimentError` `KEY_PASSPHRASE` if the passphrase is wrong or the file was changed; `KEY_ALGORITHM` for
 *   legacy encryption, with the remedy, and for other algorithms that are not read; `KEY_FILE` if the file has no MAC,
 *   is malformed, asks for too much, or holds something else; `WIRE_UTF8` if the passphrase is no text
 * @example
 * ```ts
 * const { keys, certificates } = await readPkcs12(readFileSync('doctor.p12'), passphrase);
 * const key = createPrivateKey({ key: Buffer.from(exposeSecret(keys[0].pkcs8)), format: 'der', type: 'pkcs8' });
 * ```
 */
export async function readPkcs12(
  file: Uint8Array,
  passphrase: string,
  limits: Pkcs12Limits = PKCS12_LIMITS,
): Promise<Pkcs12Contents> {
  if (file.length > limits.bytes)
    throw new MunimentError('KEY_FILE', 'the PKCS#12 file is larger than is allowed');
  const { content, mac } = readPfx(new Uint8Array(file));
  const spent = new Spent(limits);
  await verifyMac(mac, content, passphrase, spent);
  return new Reading(passphrase, spent).authenticatedSafe(content);
}

function readPfx(file: Uint8Array): { content: Uint8Array; mac: Mac } {
  const pfx = Members.parse(file);
  if (pfx.integer() !== VERSION) throw malformed();
  const info = pfx.sequence();
  if (info.oid() !== DATA) throw unread('integrity by signature instead of by passphrase');
  const content = contentOf(info);
  const mac = pfx.optionalSequence();
  pfx.end();
  // Without a MAC nobody could tell a wrong passphrase from a changed file, nor a changed file from a whole one.
  if (mac === null) throw new MunimentError('KEY_FILE', 'the PKCS#12 file has no MAC');
  return { content, mac: readMac(mac) };
}

/** The content of a file whose MAC was verified. */
class Reading {
  readonly #passphrase: string;
  readonly #spent: Spent;
  readonly #keys: Pkcs12Key[] = [];
  readonly #certificates: Pkcs12Certificate[] = [];

  constructor(passphrase: string, spent: Spent) {
    this.#passphrase = passphrase;
    this.#spent = spent;
  }

  async authenticatedSafe(content: Uint8Array): Promise<Pkcs12Contents> {
    const safes = Members.parse(content);
    while (safes.more) await this.#safe(safes.sequence());
    return { keys: this.#keys, certificates: this.#certificates };
  }

  async #safe(info: Members): Promise<void> {
    const type = info.oid();
    if (type === DATA) return this.#bags(Members.parse(contentOf(info)));
    if (type !== ENCRYPTED_DATA) throw unread('encryption to a public key');
    const plaintext = await this.#decrypted(info);
    try {
      await this.#bags(Members.parse(plaintext));
    } finally {
      plaintext.fill(0); // keys may have lain in it; what was read of it are copies
    }
  }

  #decrypted(info: Members): Promise<Uint8Array> {
    const data = only(info.explicit(0), (content) => content.sequence());
    info.end();
    data.integer(); // a version that has no meaning
    const encrypted = data.sequence();
    if (encrypted.oid() !== DATA) throw malformed();
    const algorithm = encrypted.sequence();
    const ciphertext = encrypted.implicitOctets(0);
    encrypted.end();
    return decrypt(algorithm, ciphertext, this.#passphrase, this.#spent);
  }

  async #bags(bags: Members, depth = 1): Promise<void> {
    while (bags.more) {
      this.#spent.bag(depth);
      const bag = bags.sequence();
      const kind = bag.oid();
      const value = bag.explicit(0);
      const label = readLabel(bag.optionalSet());
      bag.end();
      await this.#bag(kind, value, label, depth);
      value.end();
    }
  }

  async #bag(kind: string, value: Members, label: Pkcs12Label, depth: number): Promise<void> {
    switch (kind) {
      case KEY_BAG:
        this.#key(bytesOf(value.any()), label);
        break;
      case SHROUDED_KEY_BAG:
        this.#key(await this.#unshrouded(value.sequence()), label);
        break;
      case CERT_BAG:
        this.#certificates.push({ ...label, der: readCertificate(value.sequence()) });
        break;
      case SAFE_CONTENTS_BAG:
        await this.#bags(value.sequence(), depth + 1);
        break;
      default:
        throw unread('neither a key nor a certificate');
    }
  }

  #unshrouded(shrouded: Members): Promise<Uint8Array> {
    const algorithm = shrouded.sequence();
    const ciphertext = shrouded.octets();
    shrouded.end();
    return decrypt(algorithm, ciphertext, this.#passphrase, this.#spent);
  }

  #key(bytes: Uint8Array, label: Pkcs12Label): void {
    const pkcs8 = new Secret('pkcs8', bytes);
    checkPkcs8(bytes);
    this.#keys.push({ ...label, pkcs8 });
  }
}

function readCertificate(bag: Members): Uint8Array {
  if (bag.oid() !== X509_CERTIFICATE) throw unread('a certificate that is not X.509');
  const der = only(bag.explicit(0), (value) => value.octets());
  bag.end();
  Members.parse(der); // one SEQUENCE; the rest is for whoever verifies it
  return der;
}

function readLabel(attributes: Members | null): Pkcs12Label {
  const found = new Map<string, Members>();
  while (attributes?.more) {
    const attribute = attributes.sequence();
    const type = attribute.oid();
    if (found.has(type)) throw malformed();
    found.set(type, attribute.set());
    attribute.end();
  }
  const name = found.get(FRIENDLY_NAME);
  const localKeyId = found.get(LOCAL_KEY_ID);
  const label = {
    name: name === undefined ? null : only(name, readName),
    localKeyId: localKeyId === undefined ? null : only(localKeyId, (value) => value.octets()),
  };
  if ((label.name ?? '').length > NAME_LIMIT || (label.localKeyId ?? '').length > LOCAL_KEY_ID_LIMIT)
    throw malformed();
  return label;
}

// Windows ends its names with a zero.
function readName(value: Members): string {
  return value.bmpString().replace(/\0$/, '');
}

function contentOf(info: Members): Uint8Array {
  const content = only(info.explicit(0), (value) => value.octets());
  info.end();
  return content;
}

function only<Value>(members: Members, read: (members: Members) => Value): Value {
  const value = read(members);
  members.end();
  return value;
}

function unread(what: string): MunimentError {
  return new MunimentError('KEY_FILE', `the PKCS#12 file holds what is not read: ${what}`);
}
