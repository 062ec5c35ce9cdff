/** A process's clock and disk in this test's hands: see shim.c. */

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** What processes with {@link Shim.env} are told. */
export class Shim {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'muniment-shim-'));
  readonly #control = path.join(this.#folder, 'control');

  constructor() {
    chmodSync(this.#folder, 0o755);
    this.set({});
    const source = path.join(import.meta.dirname, 'shim.c');
    execFileSync('gcc', ['-shared', '-fPIC', '-O2', '-Wall', '-Werror', '-o', this.#library, source, '-ldl']);
  }

  /** For the environment of a process. */
  get env(): Readonly<Record<string, string>> {
    return { LD_PRELOAD: this.#library, MUNIMENT_FAULTS_CONTROL: this.#control };
  }

  /** From now on the clock is off by so many seconds, and whatever is to be flushed to disk fails. */
  set({ seconds = 0, failing = false }: { readonly seconds?: number; readonly failing?: boolean }): void {
    const bytes = Buffer.alloc(16);
    bytes.writeBigInt64LE(BigInt(seconds));
    bytes.writeUInt8(failing ? 1 : 0, 8);
    writeFileSync(this.#control, bytes, { flag: 'a' }); // made, if it is not there
    writeFileSync(this.#control, bytes, { flag: 'r+' });
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }

  get #library(): string {
    return path.join(this.#folder, 'shim.so');
  }
}
