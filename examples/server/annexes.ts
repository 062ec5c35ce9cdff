/** Annexes on disk: ciphertext streams, named by their content, moved into place only once they are whole and durable. */

import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { open, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { AnnexNamer } from 'muniment/views';
import { equalBytes, toHex } from 'muniment/wire';
import { BankRefusal } from './refusal.ts';
import { splitHashes } from './store/bytes.ts';
import type { Database } from './store/tables.ts';

/** Largest annex, in bytes of ciphertext. */
export const ANNEX_LIMIT = 8 * 1024 ** 3;

/** A folder of annexes. */
export class AnnexStore {
  readonly #folder: string;
  readonly #staging: string;

  /**
   * Opens or makes the folder, and removes what uploads left behind: those that never ended, and those that no entry
   * names, if they are older than `grace` milliseconds. Where other processes use the folder, younger ones may be theirs.
   */
  constructor(dataFolder: string, named: ReadonlySet<string>, grace: number) {
    this.#folder = path.join(dataFolder, 'annexes');
    this.#staging = path.join(dataFolder, 'staging');
    for (const folder of [this.#folder, this.#staging]) mkdirSync(folder, { recursive: true, mode: 0o700 });
    const before = Date.now() - grace;
    for (const name of readdirSync(this.#staging)) removeOlder(path.join(this.#staging, name), before);
    for (const name of readdirSync(this.#folder))
      if (!named.has(name)) removeOlder(path.join(this.#folder, name), before);
  }

  /** Whether an annex of this name is here. */
  has(name: Uint8Array): boolean {
    return existsSync(this.#path(name));
  }

  /** Takes an upload: it must hash to the name that it is announced under. */
  async take(name: Uint8Array, upload: Readable): Promise<void> {
    const staged = path.join(this.#staging, randomUUID());
    try {
      const namer = new AnnexNamer();
      let size = 0;
      const observe = async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
        for await (const chunk of source) {
          size += chunk.length;
          if (size > ANNEX_LIMIT) throw new BankRefusal('MALFORMED');
          namer.add(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
          yield chunk;
        }
      };
      await pipeline(upload, observe, createWriteStream(staged, { mode: 0o600 }));
      if (!equalBytes(namer.name(), name)) throw new BankRefusal('ANNEX_MISSING');
      await sync(staged);
      await rename(staged, this.#path(name));
      await sync(this.#folder);
    } finally {
      rmSync(staged, { force: true });
    }
  }

  /** An annex as a stream, and its length. */
  async read(name: Uint8Array): Promise<{ stream: Readable; length: number }> {
    const file = this.#path(name);
    return { stream: createReadStream(file), length: (await stat(file)).size };
  }

  #path(name: Uint8Array): string {
    return path.join(this.#folder, toHex(name));
  }
}

function removeOlder(file: string, time: number): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found !== undefined && found.mtimeMs <= time) rmSync(file, { force: true });
}

/** The names of all annexes that entries have, in hexadecimal. */
export async function annexNames(database: Database): Promise<Set<string>> {
  const rows = await database
    .selectFrom('entries')
    .select('annexes')
    .where(sql<boolean>`length(annexes) > 0`)
    .execute();
  return new Set(rows.flatMap(({ annexes }) => splitHashes(annexes).map(toHex)));
}

async function sync(name: string): Promise<void> {
  const handle = await open(name, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
