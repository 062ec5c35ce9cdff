/** Runs the `openssl` program: another implementation, and the one that most files come from. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A folder of its own to run in. */
export class OpenSsl {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'muniment-openssl-'));

  /** What a command prints; throws with its complaints if it fails. */
  run(...args: readonly string[]): string {
    return execFileSync('openssl', args, { cwd: this.#folder, encoding: 'utf8', stdio: 'pipe' });
  }

  /** Runs a line of the shell, with variables. */
  shell(line: string, variables: Readonly<Record<string, string>>): void {
    const env = { ...process.env, ...variables };
    execFileSync('sh', ['-ec', line], { cwd: this.#folder, env, stdio: 'pipe' });
  }

  write(name: string, content: Uint8Array): void {
    writeFileSync(path.join(this.#folder, name), content);
  }

  read(name: string): Uint8Array {
    return new Uint8Array(readFileSync(path.join(this.#folder, name)));
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
