/**
 * What an authority keeps: one file for every fact, written once and never changed or removed. So nothing is ever half
 * done, and commands that run at the same time cannot undo each other.
 *
 * ```
 * authority.crt, authority.key   the root, and its key under a passphrase, which alone can be changed (`key passphrase`)
 * issued/SERIAL.crt              a certificate that was issued
 * revoked/SERIAL.json            when and why one was revoked
 * crl/NUMBER.crl                 a list of revocations
 * authority.crl                  a copy of the newest
 * ```
 */

import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { CliError } from '../../client/cli/error.ts';
import { readForm, readText, writeFolder, writeNew, writeWhole } from '../../client/cli/files.ts';

/** Why a certificate is revoked: those reasons of RFC 5280 section 5.3.1 that end it for good. */
export const REASONS = [
  'unspecified',
  'keyCompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'privilegeWithdrawn',
] as const;
/** One of them. */
export type Reason = (typeof REASONS)[number];

const revocationForm = z.strictObject({
  format: z.literal('muniment revocation 1'),
  time: z.iso.datetime(),
  reason: z.enum(REASONS),
});

/** When and why. */
export interface Revocation {
  readonly time: Date;
  readonly reason: Reason;
}

/** Wide enough that files sort as their numbers do. */
const NUMBER_DIGITS = 10;

/** An authority's folder. */
export class AuthorityFolder {
  readonly path: string;

  /** Opens a folder. Throws `CliError` if there is no authority. */
  constructor(folder: string) {
    this.path = folder;
    if (!existsSync(this.#at('authority.crt')))
      throw new CliError(`there is no authority in ${folder}: \`ca init\` makes one`);
  }

  /** Makes a folder, which must not be there yet. */
  static create(folder: string, root: { readonly certificate: string; readonly key: string }): void {
    writeFolder(folder, { 'authority.crt': root.certificate, 'authority.key': root.key });
    syncFolder(path.dirname(path.resolve(folder)));
  }

  /** The root, in PEM. */
  certificate(): string {
    return readText(this.#at('authority.crt'));
  }

  /** The root's key, in PEM, under its passphrase. */
  key(): string {
    return readText(this.#at('authority.key'));
  }

  /** Keeps a certificate that was issued. Only then may anybody have it: the authority knows all that there are. */
  addIssued(serial: string, pem: string): void {
    this.#add('issued', `${serial}.crt`, pem);
  }

  /** A certificate of this serial number, in PEM. Throws `CliError` if none was issued. */
  issued(serial: string): string {
    if (!this.serials().includes(serial)) throw new CliError(`no certificate ${serial} was issued`);
    return readText(this.#at('issued', `${serial}.crt`));
  }

  /** Of all certificates issued. */
  serials(): string[] {
    return this.#names('issued', '.crt');
  }

  /** Keeps a revocation. Throws `CliError` if there is one already: the first one stands. */
  addRevocation(serial: string, { time, reason }: Revocation): void {
    const content = { format: 'muniment revocation 1', time: time.toISOString(), reason };
    this.#add('revoked', `${serial}.json`, `${JSON.stringify(content)}\n`);
  }

  /** All revocations, by serial number. */
  revocations(): Map<string, Revocation> {
    return new Map(
      this.#names('revoked', '.json').map((serial) => {
        const { time, reason } = readForm(this.#at('revoked', `${serial}.json`), revocationForm);
        return [serial, { time: new Date(time), reason }] as const;
      }),
    );
  }

  /** The number of the newest list of revocations, 0 if there is none. */
  newestCrl(): number {
    return Number(this.#names('crl', '.crl').at(-1) ?? 0);
  }

  /** Keeps a list of revocations. False, and nothing is kept, if another command has used the number in the meantime. */
  addCrl(number: number, pem: string): boolean {
    const name = crlName(number);
    try {
      this.#add('crl', name, pem);
      return true;
    } catch (error) {
      if (existsSync(this.#at('crl', name))) return false;
      throw error;
    }
  }

  /** What {@link showCrl} has copied, in PEM; `null` if there is no list yet. */
  shownCrl(): string | null {
    const file = this.#at('authority.crl');
    return existsSync(file) ? readText(file) : null;
  }

  /** Copies the newest list of revocations to `authority.crl`, and gives it. */
  showCrl(): string {
    for (;;) {
      const number = this.newestCrl();
      const pem = readText(this.#at('crl', crlName(number)));
      writeWhole(this.#at('authority.crl'), pem);
      syncFolder(this.path);
      // Whoever writes last has seen the newest: an older copy never replaces a newer one for good.
      if (this.newestCrl() === number) return pem;
    }
  }

  #add(kind: string, name: string, content: string): void {
    const folder = this.#at(kind);
    if (mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined) syncFolder(this.path);
    writeNew(path.join(folder, name), content);
    syncFolder(folder);
  }

  #names(kind: string, ending: string): string[] {
    if (!existsSync(this.#at(kind))) return [];
    return readdirSync(this.#at(kind))
      .filter((name) => name.endsWith(ending))
      .map((name) => name.slice(0, -ending.length))
      .sort();
  }

  #at(...names: string[]): string {
    return path.join(this.path, ...names);
  }
}

function crlName(number: number): string {
  return `${String(number).padStart(NUMBER_DIGITS, '0')}.crl`;
}

/** A new name in a folder is only there for good once the folder itself is on the disk. Windows cannot, and need not, be told. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
