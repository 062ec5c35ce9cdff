/** The bank's certificate authority: one root, which issues, renews and revokes the TLS certificates of servers and clients. */

import 'reflect-metadata'; // @peculiar/x509 refuses to load before it
import { AsnConvert } from '@peculiar/asn1-schema';
import { CRLNumber, id_ce_cRLNumber } from '@peculiar/asn1-x509';
import {
  AuthorityKeyIdentifierExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  PemConverter,
  PublicKey,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
  X509Crl,
  X509CrlGenerator,
  X509CrlReason,
} from '@peculiar/x509';
import { createPublicKey, webcrypto } from 'node:crypto';
import { CliError } from '../../client/cli/error.ts';
import { refuseExisting } from '../../client/cli/files.ts';
import type { AskPassphrase } from '../../client/cli/passphrase.ts';
import { AuthorityFolder, type Reason, type Revocation } from './folder.ts';
import { openKey, sealKey } from './key-file.ts';
import {
  KEY_ALGORITHM,
  leafExtensions,
  nameOf,
  randomSerial,
  rootExtensions,
  SIGNATURE_ALGORITHM,
  validFor,
  type Kind,
} from './profile.ts';

/** What a certificate is to say. */
export interface Wish {
  /** The common name; of a client, the subject of its credential. */
  readonly subject: string;
  readonly kind: Kind;
  /** A server's names and addresses; none of a client. */
  readonly hosts: readonly string[];
  /** Validity from now on. */
  readonly days: number;
  /** Whose key it is: SubjectPublicKeyInfo in DER. */
  readonly publicKey: Uint8Array;
}

/** A certificate that was issued, and how it stands. */
export interface Standing {
  readonly serial: string;
  readonly certificate: X509Certificate;
  readonly subject: string;
  readonly kind: Kind;
  readonly hosts: readonly string[];
  readonly revocation: Revocation | null;
}

/**
 * Makes a new authority in a new folder: a P-256 key under the passphrase, and a self-signed certificate.
 *
 * @throws `CliError` if the folder is there already or cannot be written; `RangeError` for such a name or number of days
 */
export async function foundAuthority(
  folder: string,
  { name, days }: { readonly name: string; readonly days: number },
  passphrase: AskPassphrase,
): Promise<X509Certificate> {
  refuseExisting(folder);
  const terms = { name: nameOf(name), ...validFor(days) };
  const secret = await passphrase(true);
  const keys = await webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    ...terms,
    keys,
    signingAlgorithm: SIGNATURE_ALGORITHM,
    serialNumber: randomSerial(),
    extensions: await rootExtensions(keys.publicKey),
  });
  const pkcs8 = new Uint8Array(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const key = await sealKey(pkcs8, secret);
  pkcs8.fill(0);
  AuthorityFolder.create(folder, { certificate: pemOf(certificate), key });
  return certificate;
}

/** An authority that was made. What signs needs the passphrase, the rest does not. */
export class Authority {
  readonly root: X509Certificate;
  readonly #folder: AuthorityFolder;
  readonly #passphrase: AskPassphrase;

  constructor(folder: string, passphrase: AskPassphrase) {
    this.#folder = new AuthorityFolder(folder);
    this.#passphrase = passphrase;
    this.root = parse(this.#folder.certificate(), 'authority.crt');
  }

  /**
   * Issues a certificate, which is kept before it is given.
   *
   * @throws `CliError` for a wrong passphrase or a validity beyond the root's; `RangeError` for a name or host that is none
   */
  async issue(wish: Wish): Promise<X509Certificate> {
    const validity = this.#validFor(wish.days);
    const serial = randomSerial();
    const publicKey = new PublicKey(wish.publicKey);
    const certificate = await X509CertificateGenerator.create({
      subject: nameOf(wish.subject),
      issuer: this.root.subjectName,
      publicKey,
      serialNumber: serial,
      ...validity,
      extensions: await leafExtensions(wish, { own: publicKey, issuer: this.root.publicKey }),
      ...(await this.#signing()),
    });
    this.#folder.addIssued(serial, pemOf(certificate));
    return certificate;
  }

  /**
   * Issues a certificate in the place of one that ends: the same names, and the same key unless another is given.
   *
   * @throws `CliError` as {@link issue}, and if the certificate is unknown or was revoked
   */
  async renew(serial: string, days: number, publicKey: Uint8Array | null): Promise<X509Certificate> {
    const { certificate, revocation, ...names } = this.#standing(serial, this.#folder.revocations());
    if (revocation !== null) throw new CliError(`the certificate ${serial} was revoked: issue a new one`);
    const key = publicKey ?? new Uint8Array(certificate.publicKey.rawData);
    return this.issue({ ...names, days, publicKey: key });
  }

  /** Revokes a certificate, from the next list on. Throws `CliError` if it is unknown or was revoked before. */
  revoke(serial: string, reason: Reason): Standing {
    const standing = this.#standing(serial, this.#folder.revocations());
    if (standing.revocation !== null)
      throw new CliError(`the certificate ${serial} was revoked on ${dayOf(standing.revocation.time)}`);
    this.#folder.addRevocation(serial, { time: new Date(), reason });
    return standing;
  }

  /**
   * Signs the next list of all revocations (RFC 5280 section 5), and shows it as `authority.crl`.
   *
   * @param days - until when it can be used; a server that has none newer then lets nobody in
   * @returns the list in PEM, its number, and how many certificates it names
   */
  async publish(days: number): Promise<{ pem: string; number: number; count: number; until: Date }> {
    const { notBefore: thisUpdate, notAfter: nextUpdate } = this.#validFor(days);
    const signing = await this.#signing();
    for (;;) {
      // In this order: so a list has at least what every list of a lower number has.
      const number = this.#folder.newestCrl() + 1;
      const revocations = this.#folder.revocations();
      const crl = await X509CrlGenerator.create({
        issuer: this.root.subjectName,
        thisUpdate,
        nextUpdate,
        entries: [...revocations].map(([serialNumber, { time, reason }]) => ({
          serialNumber,
          revocationDate: time,
          // Absent where it would say nothing (RFC 5280 section 5.3.1).
          ...(reason !== 'unspecified' && { reason: X509CrlReason[reason] }),
        })),
        extensions: [
          await AuthorityKeyIdentifierExtension.create(this.root.publicKey),
          new Extension(id_ce_cRLNumber, false, AsnConvert.serialize(new CRLNumber(number))),
        ],
        ...signing,
      });
      const pem = `${PemConverter.encode(crl.rawData, 'X509 CRL')}\n`; // the library's own label is not RFC 7468's
      if (!this.#folder.addCrl(number, pem)) continue;
      this.#folder.showCrl();
      return { pem, number, count: revocations.size, until: nextUpdate };
    }
  }

  /** Until when the list that is shown can be used; `null` if there is none that can be read. */
  listedUntil(): Date | null {
    const pem = this.#folder.shownCrl();
    try {
      return pem === null ? null : (new X509Crl(pem).nextUpdate ?? null);
    } catch {
      return null; // the next list takes its place all the same
    }
  }

  /** All certificates that were issued, the first to end first. */
  list(): Standing[] {
    const revocations = this.#folder.revocations();
    return this.#folder
      .serials()
      .map((serial) => this.#standing(serial, revocations))
      .sort((one, other) => one.certificate.notAfter.getTime() - other.certificate.notAfter.getTime());
  }

  #standing(serial: string, revocations: ReadonlyMap<string, Revocation>): Standing {
    const certificate = parse(this.#folder.issued(serial), `issued/${serial}.crt`);
    const usages = certificate.getExtension(ExtendedKeyUsageExtension)?.usages ?? [];
    const names = certificate.getExtension(SubjectAlternativeNameExtension)?.names.items ?? [];
    return {
      serial,
      certificate,
      subject: certificate.subjectName.getField('CN')[0] ?? '',
      kind: usages.includes(ExtendedKeyUsage.serverAuth) ? 'server' : 'client',
      hosts: names.map(({ value }) => value),
      revocation: revocations.get(serial) ?? null,
    };
  }

  #validFor(days: number): ReturnType<typeof validFor> {
    const validity = validFor(days);
    if (validity.notAfter > this.root.notAfter)
      throw new CliError(`the authority ends on ${dayOf(this.root.notAfter)}: give fewer --days`);
    return validity;
  }

  async #signing() {
    const key = openKey(this.#folder.key(), await this.#passphrase(false));
    const own = createPublicKey(key).export({ type: 'spki', format: 'der' });
    if (!own.equals(Buffer.from(this.root.publicKey.rawData)))
      throw new CliError('authority.key is not the key of authority.crt');
    const pkcs8 = key.export({ type: 'pkcs8', format: 'der' });
    const signingKey = await webcrypto.subtle.importKey('pkcs8', pkcs8, KEY_ALGORITHM, false, ['sign']);
    pkcs8.fill(0);
    return { signingKey, signingAlgorithm: SIGNATURE_ALGORITHM };
  }
}

/** A certificate in PEM, as a file. */
export function pemOf(certificate: X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}

/** A date without its time. */
export function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function parse(pem: string, name: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new CliError(`${name} of the authority is damaged`, { cause });
  }
}
