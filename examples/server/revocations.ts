/**
 * Revoked client certificates: the file of the authorities' lists, looked at again and again. What is not a good list is
 * not taken, and the last good one goes on; one that has ended lets nobody in, since nobody knows who was revoked since.
 */

import 'reflect-metadata'; // @peculiar/x509 refuses to load before it
import { AsnConvert } from '@peculiar/asn1-schema';
import { CRLNumber, id_ce_cRLNumber } from '@peculiar/asn1-x509';
import { PemConverter, X509Certificate, X509Crl } from '@peculiar/x509';
import { createHash, X509Certificate as NodeCertificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { openCrl } from '../admin/path/revocation.ts';

/** Largest file, in bytes. */
const FILE_LIMIT = 16 * 1024 * 1024;

/** The lists of a file that was found good. */
export interface Lists {
  /** In PEM, one for each authority, as TLS takes them. */
  readonly pem: readonly string[];
  /** From when all of them count, and when the first of them ends, in milliseconds since 1970. */
  readonly from: number;
  readonly until: number;
  /** By authority, as Node writes its subject: serial numbers, and which list it is. */
  readonly revoked: ReadonlyMap<string, ReadonlySet<string>>;
  readonly numbers: ReadonlyMap<string, number>;
}

/** Why a file was not taken. */
export class RevocationsError extends Error {
  override readonly name = 'RevocationsError';
  readonly code: 'CRL_FILE' | 'CRL_FORM' | 'CRL_AUTHORITY' | 'CRL_OLDER' | 'CRL_TIME';

  constructor(code: RevocationsError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The file, and what was last good in it. */
export class Revocations {
  readonly #file: string;
  readonly #authorities: readonly X509Certificate[];
  #lists: Lists | null = null;
  /** Digests of what was taken, and of what was last complained of. */
  #taken: string | null = null;
  #complained: string | null = null;

  /** @param authority - the certificates of the authorities that clients' certificates are from, in PEM */
  constructor(file: string, authority: string) {
    this.#file = file;
    this.#authorities = PemConverter.decode(authority).map((der) => new X509Certificate(der));
  }

  /** The lists that count. Throws before the first {@link look}. */
  get lists(): Lists {
    if (this.#lists === null) throw new Error('the lists of revocations were not read');
    return this.#lists;
  }

  /** Whether a certificate was taken back. */
  isRevoked(certificate: { readonly issuer: string; readonly serial: string }): boolean {
    return this.lists.revoked.get(certificate.issuer)?.has(plainSerial(certificate.serial)) ?? false;
  }

  /**
   * Reads the file. Returns whether there is anything new in it that counts from now on.
   *
   * @param now - in milliseconds since 1970
   * @throws {@link RevocationsError}, once for each content that is not good
   */
  async look(now: number): Promise<boolean> {
    let seen = '';
    try {
      const text = await this.#read();
      seen = createHash('sha256').update(text).digest('hex');
      if (seen === this.#taken) return false;
      const lists = await readLists(text, this.#authorities);
      this.#requireNewer(lists, now);
      [this.#lists, this.#taken, this.#complained] = [lists, seen, null];
      return true;
    } catch (error) {
      if (this.#lists !== null && this.#complained === seen) return false;
      this.#complained = seen;
      throw error;
    }
  }

  #requireNewer(lists: Lists, now: number): void {
    if (lists.from > now) throw new RevocationsError('CRL_TIME', 'the list of revocations is not valid yet');
    if (this.#lists === null) return;
    for (const [authority, number] of this.#lists.numbers) {
      if ((lists.numbers.get(authority) ?? 0) < number)
        throw new RevocationsError('CRL_OLDER', 'the list of revocations is older than the one in use');
    }
    if (lists.until < now && this.#lists.until >= now)
      throw new RevocationsError('CRL_TIME', 'the list of revocations has ended, and the one in use has not');
  }

  async #read(): Promise<string> {
    try {
      if ((await stat(this.#file)).size > FILE_LIMIT)
        throw new RevocationsError('CRL_FORM', 'the list of revocations is too large');
      return await readFile(this.#file, 'latin1');
    } catch (cause) {
      if (cause instanceof RevocationsError) throw cause;
      throw new RevocationsError('CRL_FILE', 'the list of revocations cannot be read', { cause });
    }
  }
}

/** Reads and verifies the lists of a file: for each authority the one that it signed. */
async function readLists(text: string, authorities: readonly X509Certificate[]): Promise<Lists> {
  const found = parse(text);
  const lists = await Promise.all(
    authorities.map(async (one) => [nameOf(one), await listOf(one, found)] as const),
  );
  const pem = lists.map(([, crl]) => PemConverter.encode(crl.rawData, 'X509 CRL'));
  try {
    createSecureContext({ crl: pem }); // what TLS itself makes of them
  } catch (cause) {
    throw new RevocationsError('CRL_FORM', 'TLS does not take the list of revocations', { cause });
  }
  return {
    pem,
    from: Math.max(...lists.map(([, crl]) => crl.thisUpdate.getTime())),
    until: Math.min(...lists.map(([, crl]) => crl.nextUpdate?.getTime() ?? 0)),
    revoked: new Map(lists.map(([authority, crl]) => [authority, serialsOf(crl)])),
    numbers: new Map(lists.map(([authority, crl]) => [authority, numberOf(crl)])),
  };
}

// As Node writes it, which is how connections are asked about their certificate's issuer.
function nameOf(authority: X509Certificate): string {
  return new NodeCertificate(new Uint8Array(authority.rawData)).subject;
}

function parse(text: string): X509Crl[] {
  try {
    return PemConverter.decode(text).map((der) => new X509Crl(der));
  } catch (cause) {
    throw new RevocationsError('CRL_FORM', 'the list of revocations is none', { cause });
  }
}

// Without a good list of each authority TLS would let none of its clients in.
async function listOf(authority: X509Certificate, crls: readonly X509Crl[]): Promise<X509Crl> {
  let why: unknown;
  for (const crl of crls) {
    try {
      // As of its own beginning: whether it still is of this time is looked at again and again.
      const opened = await openCrl(new Uint8Array(crl.rawData), authority, crl.thisUpdate.getTime());
      if (opened !== null) return opened;
    } catch (error) {
      why = error; // another list may be good
    }
  }
  throw new RevocationsError(
    'CRL_AUTHORITY',
    'an authority of clients has no good list of revocations in the file',
    {
      cause: why,
    },
  );
}

function serialsOf(crl: X509Crl): Set<string> {
  return new Set(crl.entries.map(({ serialNumber }) => plainSerial(serialNumber)));
}

/** A serial number in one spelling: libraries differ in case and leading zeros. */
export function plainSerial(serial: string): string {
  return serial.toLowerCase().replace(/^0+(?=.)/, '');
}

function numberOf(crl: X509Crl): number {
  const extension = crl.getExtension(id_ce_cRLNumber);
  return extension === null ? 0 : AsnConvert.parse(extension.value, CRLNumber).value;
}
