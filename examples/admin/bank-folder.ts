/**
 * A bank's folder as `init` makes it, and who is who in it.
 *
 * ```
 * authority/        the certificate authority
 * server/           server.json and all that the server needs; nothing else of this is the server's
 * administrator/    the wallet at which all trust ends
 * users/NAME/       wallets of users whose keys were made here, and beside each its passphrase
 * ```
 */

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { CliError } from '../client/cli/error.ts';
import { writeNew } from '../client/cli/files.ts';
import { passphraseFrom, pinFrom, type AskPassphrase } from '../client/cli/passphrase.ts';
import { Wallet } from '../client/cli/wallet.ts';
import { Authority, pemOf } from './ca/authority.ts';
import type { Kind } from './ca/profile.ts';
import { makeKey } from './ca/subject-key.ts';

/** A bank's folder. */
export class BankFolder {
  readonly path: string;
  readonly #passphrase: AskPassphrase;
  readonly #env: NodeJS.ProcessEnv;

  constructor(folder: string, passphrase: AskPassphrase, env: NodeJS.ProcessEnv) {
    [this.path, this.#passphrase, this.#env] = [folder, passphrase, env];
  }

  /** Where something in it lies. */
  at(...names: string[]): string {
    return path.join(this.path, ...names);
  }

  /** Refuses a folder that has nothing of a bank; not all of it need be on one machine. */
  refuseOther(): void {
    if (!['authority', 'server', 'administrator'].some((part) => existsSync(this.at(part))))
      throw new CliError(`${this.path} is no bank's folder: \`init\` makes one`);
  }

  /** The certificate authority. */
  authority(): Authority {
    return new Authority(this.at('authority'), this.#passphrase);
  }

  /** The administrator's wallet. */
  administrator(): Wallet {
    return new Wallet(this.at('administrator'), this.#passphrase, pinFrom(this.#env));
  }

  /** The anchor's Id. */
  anchorId(): Uint8Array {
    const text = readFileSync(this.at('administrator', 'anchor-id'), 'utf8').trim();
    return Uint8Array.from(Buffer.from(text, 'hex'));
  }

  /** Makes a user's place, with a passphrase of its own: it is handed over, and the administrator's never is. */
  makeUser(name: string): void {
    mkdirSync(this.at('users'), { recursive: true, mode: 0o700 });
    writeNew(this.at('users', `${name}.passphrase`), `${randomBytes(24).toString('base64url')}\n`);
  }

  /** The wallet of a user whose keys were made here. */
  user(name: string): Wallet {
    const passphrase = passphraseFrom(this.at('users', `${name}.passphrase`), this.#env);
    return new Wallet(this.at('users', name), passphrase, pinFrom(this.#env));
  }

  /** Makes TLS certificates, and gives them to `work` in a folder of their own, which is gone afterwards. */
  async withTls<Result>(
    wishes: readonly {
      readonly file: string;
      readonly subject: string;
      readonly kind: Kind;
      readonly hosts: readonly string[];
      readonly days: number;
    }[],
    work: (folder: string) => Promise<Result>,
  ): Promise<Result> {
    const folder = mkdtempSync(this.at('tls-'));
    try {
      const authority = this.authority();
      writeNew(path.join(folder, 'authority.crt'), pemOf(authority.root));
      for (const { file, ...wish } of wishes) {
        const { publicKey, privateKey } = makeKey('p256');
        writeNew(path.join(folder, `${file}.crt`), pemOf(await authority.issue({ ...wish, publicKey })));
        writeNew(path.join(folder, `${file}.key`), privateKey);
      }
      return await work(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
