/**
 * Annexes in the bank's database: ciphertext streams in chunks, named by their content. An upload becomes an annex in
 * the transaction that writes its last chunk, once all of it hashes to its name. No transaction waits for the network.
 */

import { setImmediate } from 'node:timers/promises';
import { AnnexNamer } from 'muniment/views';
import { equalBytes } from 'muniment/wire';
import { BankRefusal } from './refusal.ts';
import { plain } from './store/bytes.ts';
import { Changes, PLAIN, type Around } from './store/changes.ts';
import type { Engine } from './store/engine.ts';
import type { Change, Database } from './store/tables.ts';

/** Largest annex, in bytes of ciphertext. */
export const ANNEX_LIMIT = 8 * 1024 ** 3;
/** Bytes of a stored chunk; the last of an annex may have fewer. */
export const STORED_CHUNK = 256 * 1024;
/** Chunks that are removed in one transaction, so that nobody waits for long. */
const REMOVED = 64;

/** An annex on its way in, or whole. */
export interface Upload {
  readonly upload: Uint8Array;
  readonly name: Uint8Array;
  /** Of the whole annex, in bytes. */
  readonly size: number;
}

/** A whole annex. */
export interface StoredAnnex {
  /** Of the whole annex, in bytes. */
  readonly size: number;
  /** Its bytes from one position up to another, a chunk at a time as they are asked for. */
  part(from: number, to: number): AsyncGenerator<Uint8Array, void>;
}

/** The bank's annexes. */
export class AnnexStore {
  readonly #engine: Engine;
  /** For chunks. */
  readonly #changes: Changes;
  /** For what no turn at the ledger may come between. */
  readonly #alone: Changes;

  constructor(engine: Engine) {
    this.#engine = engine;
    const around: Around = { ...PLAIN, of: 'annexes' };
    this.#changes = new Changes(engine, around);
    this.#alone = new Changes(engine, { ...around, lock: (change) => engine.lock(change) });
  }

  /** The size of a whole annex in bytes; `null` if there is none of this name. */
  async sizeOf(database: Database, name: Uint8Array): Promise<number | null> {
    return (await wholeOf(database, name))?.size ?? null;
  }

  /** A whole annex; `null` if there is none of this name. */
  async find(name: Uint8Array): Promise<StoredAnnex | null> {
    const found = await wholeOf(this.#engine.reading, name);
    if (found === undefined) return null;
    const upload = plain(found.upload);
    return { size: found.size, part: (from, to) => this.#bytes(upload, from, to) };
  }

  /** A subject's upload, and how many bytes of it are here; `null` if there is none of this name. */
  async offset(subject: string, name: Uint8Array): Promise<(Upload & { readonly offset: number }) | null> {
    const { reading } = this.#engine;
    // What is whole, whoever sent it, need not be sent again.
    const whole = await wholeOf(reading, name);
    if (whole !== undefined)
      return { upload: plain(whole.upload), name, size: whole.size, offset: whole.size };
    const found = await reading
      .selectFrom('uploads')
      .select(['upload', 'size'])
      .where('subject', '=', subject)
      .where('name', '=', name)
      .executeTakeFirst();
    if (found === undefined) return null;
    // Until an upload is whole, all of its chunks are full: the last one comes with that.
    const offset = ((await lastChunk(reading, found.upload)) + 1) * STORED_CHUNK;
    return { upload: plain(found.upload), name, size: found.size, offset };
  }

  /**
   * Takes more of an upload, and gives how many bytes are here then: whole chunks, and the end. Of what broke off in
   * the middle of a chunk, that chunk is sent again. One that turns out not to be what its name says is removed.
   *
   * @param offset - how many bytes are here
   * @param body - what comes behind them
   * @returns `null` if somebody else was sending the same
   */
  async take(upload: Upload, offset: number, body: AsyncIterable<Uint8Array>): Promise<number | null> {
    // Whoever sends it in one go is not kept waiting for it to be read again.
    const namer = offset === 0 ? new AnnexNamer() : null;
    let there = offset;
    for await (const bytes of chunksOf(body, upload.size - offset)) {
      namer?.add(bytes);
      const last = there + bytes.length === upload.size;
      if (!last && bytes.length < STORED_CHUNK) break;
      const written = last
        ? await this.#finish(upload, bytes, namer ?? (await this.#namerOf(upload, there, bytes)))
        : await this.#changes.run((change) => addChunk(change, upload, there, bytes));
      if (!written) return null;
      there += bytes.length;
    }
    return there;
  }

  /** Erases a whole annex, chunks and all, inside a transaction. */
  async erase(change: Change, name: Uint8Array): Promise<void> {
    const whole = await wholeOf(change, name);
    if (whole === undefined) return;
    await change.deleteFrom('annex_chunks').where('upload', '=', whole.upload).execute();
    await forgetUpload(change, whole.upload);
  }

  /** Forgets uploads that no entry names and that are as old as that, of one subject or of all; in a turn. Gives those. */
  async forget(change: Change, before: number, subject: string | null): Promise<readonly Uint8Array[]> {
    let query = change.selectFrom('uploads').select('upload').where('time', '<=', before);
    if (subject !== null) query = query.where('subject', '=', subject);
    const gone = (await query.execute()).map(({ upload }) => plain(upload));
    for (const upload of gone) await forgetUpload(change, upload);
    return gone;
  }

  /** Removes what uploads left behind: those that no entry names and that are as old as that, and chunks of none. */
  async sweep(before: number): Promise<void> {
    await this.#alone.run((change) => this.forget(change, before, null));
    const orphans = await this.#engine.reading
      .selectFrom('annex_chunks')
      .select('upload')
      .distinct()
      .where('upload', 'not in', (query) => query.selectFrom('uploads').select('upload'))
      .where('upload', 'not in', (query) => query.selectFrom('annexes').select('upload'))
      .execute();
    await this.removeChunks(orphans.map(({ upload }) => plain(upload)));
  }

  /** Removes the chunks of uploads that are forgotten, some at a time. */
  async removeChunks(uploads: readonly Uint8Array[]): Promise<void> {
    for (const upload of uploads) {
      for (let last = await lastChunk(this.#engine.reading, upload); last >= 0; last -= REMOVED) {
        const from = last - REMOVED;
        await this.#changes.run((change) =>
          change
            .deleteFrom('annex_chunks')
            .where('upload', '=', upload)
            .where('position', '>', from)
            .execute(),
        );
      }
    }
  }

  // The last chunk and the word that all of it is good are one transaction.
  async #finish(upload: Upload, bytes: Uint8Array, namer: AnnexNamer): Promise<boolean> {
    if (!equalBytes(namer.name(), upload.name)) {
      // Another sender may have been right meanwhile, and what is whole may be named by an entry.
      const gone = await this.#alone.run(async (change) => {
        if (await isWhole(change, upload.upload)) return [];
        await forgetUpload(change, upload.upload);
        return [upload.upload];
      });
      await this.removeChunks(gone);
      throw new BankRefusal('ANNEX_MISSING');
    }
    const there = upload.size - bytes.length;
    return this.#alone.run(async (change) => {
      // If somebody else's is whole already, that one serves, and this one stays what it is until it is forgotten.
      if ((await this.sizeOf(change, upload.name)) !== null) return true;
      if (!(await addChunk(change, upload, there, bytes))) return false;
      const { name, size } = upload;
      await change.insertInto('annexes').values({ name, upload: upload.upload, size }).execute();
      return true;
    });
  }

  async #namerOf({ upload }: Upload, there: number, last: Uint8Array): Promise<AnnexNamer> {
    const namer = new AnnexNamer();
    for await (const bytes of this.#bytes(upload, 0, there)) namer.add(bytes);
    namer.add(last);
    return namer;
  }

  async *#bytes(upload: Uint8Array, from: number, to: number): AsyncGenerator<Uint8Array, void> {
    for (let at = from; at < to;) {
      await setImmediate(); // an engine that answers at once must not keep others from their turn
      const within = at % STORED_CHUNK;
      const row = await this.#engine.reading
        .selectFrom('annex_chunks')
        .select('bytes')
        .where('upload', '=', upload)
        .where('position', '=', (at - within) / STORED_CHUNK)
        .executeTakeFirst();
      if (row === undefined) throw new BankRefusal('ANNEX_MISSING'); // erased meanwhile
      const bytes = plain(row.bytes).subarray(within, within + to - at);
      at += bytes.length;
      yield bytes;
    }
  }
}

/** Forgets an upload; its chunks are removed by {@link AnnexStore.removeChunks}. */
export async function forgetUpload(change: Change, upload: Uint8Array): Promise<void> {
  await change.deleteFrom('annexes').where('upload', '=', upload).execute();
  await change.deleteFrom('uploads').where('upload', '=', upload).execute();
}

async function isWhole(change: Change, upload: Uint8Array): Promise<boolean> {
  const whole = await change
    .selectFrom('annexes')
    .select('name')
    .where('upload', '=', upload)
    .executeTakeFirst();
  return whole !== undefined;
}

function wholeOf(
  database: Database,
  name: Uint8Array,
): Promise<{ upload: Uint8Array; size: number } | undefined> {
  return database
    .selectFrom('annexes')
    .select(['upload', 'size'])
    .where('name', '=', name)
    .executeTakeFirst();
}

// Of several who write the same chunk one does: what follows a chunk follows it wherever it came from. Of an upload that
// was forgotten nothing is written any more.
async function addChunk(
  change: Change,
  { upload }: Upload,
  there: number,
  bytes: Uint8Array,
): Promise<boolean> {
  const announced = await change
    .selectFrom('uploads')
    .select('upload')
    .where('upload', '=', upload)
    .executeTakeFirst();
  if (announced === undefined) return false;
  const { numInsertedOrUpdatedRows } = await change
    .insertInto('annex_chunks')
    .values({ upload, position: there / STORED_CHUNK, bytes })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

async function lastChunk(database: Database, upload: Uint8Array): Promise<number> {
  const row = await database
    .selectFrom('annex_chunks')
    .select(({ fn }) => fn.max('position').as('last'))
    .where('upload', '=', upload)
    .executeTakeFirst();
  return row?.last ?? -1;
}

/** Cuts what comes in pieces of any length into stored chunks; the last may be shorter. Refuses more than `most` bytes. */
async function* chunksOf(body: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<Uint8Array, void> {
  const chunk = new Uint8Array(STORED_CHUNK);
  let [held, total] = [0, 0];
  for await (const piece of body) {
    total += piece.length;
    if (total > most) throw new BankRefusal('MALFORMED');
    for (let taken = 0; taken < piece.length;) {
      const part = piece.subarray(taken, taken + STORED_CHUNK - held);
      chunk.set(part, held);
      held += part.length;
      taken += part.length;
      if (held < STORED_CHUNK) continue;
      yield chunk;
      held = 0;
    }
  }
  if (held > 0) yield chunk.subarray(0, held);
}
