/** Fresh SoftHSM tokens in a temporary folder, and what an independent tool says of them. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Of Debian's package softhsm2. */
export const MODULE = '/usr/lib/softhsm/libsofthsm2.so';
export const PIN = '31415926';

/** A private key, as `pkcs11-tool` lists it. */
export interface Listed {
  readonly label: string;
  readonly usage: string;
  readonly access: string;
}

/** All tokens of a test; the module reads where they are from the environment when it is loaded. */
export class SoftHsm {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'muniment-softhsm-'));
  readonly #tokens = path.join(this.folder, 'tokens');

  constructor() {
    mkdirSync(this.#tokens);
    const configuration = path.join(this.folder, 'softhsm2.conf');
    writeFileSync(
      configuration,
      `directories.tokendir = ${this.#tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`,
    );
    process.env['SOFTHSM2_CONF'] = configuration;
  }

  /** Makes a token, and returns the folder that it lies in. */
  init(label: string): string {
    const before = new Set(readdirSync(this.#tokens));
    const pins = ['--pin', PIN, '--so-pin', '27182818'];
    execFileSync('softhsm2-util', ['--init-token', '--free', '--label', label, ...pins]);
    const made = readdirSync(this.#tokens).find((name) => !before.has(name));
    if (made === undefined) throw new Error('softhsm2-util has made no token');
    return path.join(this.#tokens, made);
  }

  /** The private keys in a token. */
  privateKeys(label: string): Listed[] {
    const list = ['--list-objects', '--type', 'privkey', '--login', '--pin', PIN];
    const output = execFileSync('pkcs11-tool', ['--module', MODULE, '--token-label', label, ...list], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return output
      .split('Private Key Object')
      .slice(1)
      .map((text) => ({
        label: fieldOf(text, 'label'),
        usage: fieldOf(text, 'Usage'),
        access: fieldOf(text, 'Access'),
      }));
  }

  /** Removes all tokens. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function fieldOf(text: string, name: string): string {
  return new RegExp(`^\\s*${name}:\\s*(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
}
