/** Annexes in the bank's database, on both engines: what is taken, what is whole, and what goes again. */

import { KEM_X25519, systemRandom } from 'muniment/crypto';
import { createAnchor, enrol, type Credential } from 'muniment/keys';
import { AnnexNamer } from 'muniment/views';
import { toHex } from 'muniment/wire';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AnnexStore, STORED_CHUNK, type Upload } from '../../../examples/server/annexes.ts';
import { CAPABILITY_TIME, checkCapability, issueCapability } from '../../../examples/server/capabilities.ts';
import { Directory } from '../../../examples/server/directory.ts';
import { BankRefusal } from '../../../examples/server/refusal.ts';
import { Changes, PLAIN } from '../../../examples/server/store/changes.ts';
import { noteUses } from '../../../examples/server/store/entries.ts';
import type { Engine } from '../../../examples/server/store/engine.ts';
import { ENGINES, makeDatabase, type TestDatabase } from './engines.ts';

const SIZE = 3 * STORED_CHUNK + 1000;
const NOW = Date.UTC(2026, 2, 14);

/** The code of the bank's refusal; fails if there is none. */
async function refusalOf(run: () => Promise<unknown>): Promise<string> {
  const error: unknown = await run().catch((caught: unknown) => caught);
  if (error instanceof BankRefusal) return error.code;
  throw error instanceof Error ? error : new Error('expected a refusal');
}

describe.each(ENGINES)('%s', (name) => {
  let database: TestDatabase;
  let engine: Engine;
  let store: AnnexStore;
  beforeAll(async () => {
    database = await makeDatabase(name);
  }, 120_000);
  afterAll(() => database.remove());
  beforeEach(async () => {
    engine = await database.open();
    store = new AnnexStore(engine);
  });
  afterEach(() => engine.close());

  const content = new Uint8Array(SIZE).map((_, i) => (i * 31) >> 3);

  /** An announced upload of a content's own. */
  async function announced(bytes: Uint8Array, time = NOW, subject = 'doctor'): Promise<Upload> {
    const namer = new AnnexNamer();
    namer.add(bytes);
    const upload = { upload: systemRandom(16), name: namer.name(), size: bytes.length };
    await engine.database
      .insertInto('uploads')
      .values({ ...upload, subject, time })
      .execute();
    return upload;
  }
  /** A content like no other. */
  function fresh(): Uint8Array {
    const bytes = content.slice();
    bytes.set(systemRandom(16));
    return bytes;
  }
  async function* pieces(bytes: Uint8Array, length = 10_000): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += length)
      yield await Promise.resolve(bytes.subarray(at, at + length));
  }
  async function* breaking(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    yield* pieces(bytes);
    throw new RangeError('the line is gone');
  }
  const offsetOf = async ({ name: of }: Upload): Promise<number | undefined> =>
    (await store.offset('doctor', of))?.offset;
  async function read({ name: of }: Upload): Promise<Uint8Array> {
    const annex = (await store.find(of))!;
    const parts: Uint8Array[] = [];
    for await (const part of annex.part(0, annex.size)) parts.push(part);
    return new Uint8Array(Buffer.concat(parts));
  }
  async function chunksLeft({ upload }: Upload): Promise<number> {
    const rows = await engine.reading
      .selectFrom('annex_chunks')
      .select('position')
      .where('upload', '=', upload)
      .execute();
    return rows.length;
  }

  it('takes an upload in one go, or whole chunks of it and the rest later', async () => {
    const whole = fresh();
    const one = await announced(whole);
    expect(await store.take(one, 0, pieces(whole))).toBe(SIZE);
    expect(toHex(await read(one))).toBe(toHex(whole));
    const other = fresh();
    const two = await announced(other);
    await expect(store.take(two, 0, breaking(other.subarray(0, 2 * STORED_CHUNK - 1)))).rejects.toThrow(
      'the line is gone',
    );
    expect(await offsetOf(two)).toBe(STORED_CHUNK);
    expect(await store.find(two.name)).toBeNull();
    const rest = pieces(other.subarray(STORED_CHUNK), 3 * STORED_CHUNK);
    expect(await store.take(two, STORED_CHUNK, rest)).toBe(SIZE);
    expect(toHex(await read(two))).toBe(toHex(other));
    expect(await offsetOf(two)).toBe(SIZE);
  });

  it('destroys nothing that is whole because another sender ends wrongly', async () => {
    const bytes = fresh();
    const one = await announced(bytes);
    const most = 3 * STORED_CHUNK;
    await expect(store.take(one, 0, breaking(bytes.subarray(0, most)))).rejects.toThrow('the line is gone');
    let goOn = (): void => undefined;
    const waiting = new Promise<void>((resolve) => (goOn = resolve));
    const slow = async function* (): AsyncGenerator<Uint8Array> {
      await waiting;
      yield new Uint8Array(SIZE - most);
    };
    const spoiling = refusalOf(() => store.take(one, most, slow()));
    expect(await store.take(one, most, pieces(bytes.subarray(most)))).toBe(SIZE);
    goOn();
    expect(await spoiling).toBe('ANNEX_MISSING');
    expect(toHex(await read(one))).toBe(toHex(bytes));
  });

  it('writes no chunk of an upload that was forgotten', async () => {
    const bytes = fresh();
    const one = await announced(bytes);
    await engine.database.deleteFrom('uploads').where('upload', '=', one.upload).execute();
    expect(await store.take(one, 0, pieces(bytes))).toBeNull();
    expect(await chunksLeft(one)).toBe(0);
  });

  it('lets one of two senders write a chunk, and neither spoils the other’s', async () => {
    const bytes = fresh();
    const one = await announced(bytes);
    const both = await Promise.all([store.take(one, 0, pieces(bytes)), store.take(one, 0, pieces(bytes))]);
    expect(both).toContain(null);
    const offset = (await offsetOf(one))!;
    if (offset < SIZE) await store.take(one, offset, pieces(bytes.subarray(offset)));
    expect(toHex(await read(one))).toBe(toHex(bytes));
  });

  it('takes no more than was announced, nothing that has another name, and leaves nothing of it', async () => {
    const bytes = fresh();
    const one = await announced(bytes.subarray(0, STORED_CHUNK + 5));
    expect(await refusalOf(() => store.take(one, 0, pieces(bytes)))).toBe('MALFORMED');
    const wrong = { ...(await announced(fresh())) };
    expect(await refusalOf(() => store.take(wrong, 0, pieces(bytes)))).toBe('ANNEX_MISSING');
    expect(await store.offset('doctor', wrong.name)).toBeNull();
    expect(await chunksLeft(wrong)).toBe(0);
  });

  it('takes what a subject is sending although another was quicker', async () => {
    const bytes = fresh();
    const [one, two] = [await announced(bytes), await announced(bytes, NOW, 'other')];
    await store.take(two, 0, pieces(bytes));
    expect(await offsetOf(one)).toBe(SIZE);
    expect(await store.take(one, 0, pieces(bytes))).toBe(SIZE);
    expect(toHex(await read(one))).toBe(toHex(bytes));
  });

  it('removes what no entry names once its time is over, chunk and all, and keeps what one names', async () => {
    const contents = [fresh(), fresh(), fresh()];
    const [named, unnamed, young] = [
      await announced(contents[0]!, NOW - 1000),
      await announced(contents[1]!, NOW - 1000),
      await announced(contents[2]!, NOW),
    ];
    for (const [i, upload] of [named, unnamed, young].entries())
      await store.take(upload, 0, pieces(contents[i]!));
    const place = { record: systemRandom(16), chain: 'content', seq: 1 } as const;
    await new Changes(engine, PLAIN).run((change) =>
      noteUses(change, place, { annexes: [named.name], attachments: [] }),
    );
    await store.sweep(NOW - 1);
    expect(await store.find(unnamed.name)).toBeNull();
    expect(await chunksLeft(unnamed)).toBe(0);
    for (const [i, kept] of [named, young].entries())
      expect(toHex(await read(kept))).toBe(toHex(contents[2 * i]!));
    await store.sweep(NOW);
    expect(await store.find(young.name)).toBeNull();
    expect(toHex(await read(named))).toBe(toHex(contents[0]!));
  });

  it('reads on only as it is asked', async () => {
    const bytes = fresh();
    const one = await announced(bytes);
    await store.take(one, 0, pieces(bytes));
    const part = (await store.find(one.name))!.part(STORED_CHUNK + 1, SIZE);
    const first = await part.next();
    expect((first.value as Uint8Array).length).toBe(STORED_CHUNK - 1);
    // Erased in the middle: what comes then is no end, but an error.
    await engine.database.deleteFrom('annex_chunks').where('upload', '=', one.upload).execute();
    expect(await refusalOf(() => part.next())).toBe('ANNEX_MISSING');
  });

  it('gives capabilities that end, and keeps none of them', async () => {
    const anchor = await createAnchor(
      { subject: 'administrator', roles: ['administrator'], notBefore: 0, notAfter: 4e12 },
      { kem: KEM_X25519 },
    );
    const { credential: bank } = await enrol(anchor, {
      ...{ subject: 'bank', roles: ['bank'], notBefore: 0, notAfter: 4e12 },
    });
    const holder: Credential = anchor.credential;
    const directory = new Directory(holder, bank);
    const changes = new Changes(engine, PLAIN);
    const names = [systemRandom(32), systemRandom(32)];
    const issue = (now: number): Promise<Uint8Array> =>
      changes.run((change) => issueCapability(change, { holder, deed: 'fetch', names, now }));
    const capability = await issue(NOW);
    const shown = { capability, deed: 'fetch', name: names[1]!, subject: holder.subject } as const;
    const check = (other: object, now = NOW): Promise<void> =>
      checkCapability(engine.reading, directory, { ...shown, ...other }, now).then(() => undefined);
    await check({});
    await check({}, NOW + CAPABILITY_TIME);
    for (const [other, now] of [
      [{}, NOW + CAPABILITY_TIME + 1],
      [{ capability: systemRandom(32) }, NOW],
      [{ deed: 'upload' }, NOW],
      [{ name: systemRandom(32) }, NOW],
      [{ subject: 'bank' }, NOW],
    ] as const)
      expect(await refusalOf(() => check(other, now))).toBe('FORBIDDEN');
    const stored = await engine.reading.selectFrom('capabilities').selectAll().execute();
    expect(JSON.stringify(stored)).not.toContain(JSON.stringify(Buffer.from(capability)));
    await issue(NOW + CAPABILITY_TIME + 1); // when another is given, those that are over go
    expect(await engine.reading.selectFrom('capabilities').select('digest').execute()).toHaveLength(1);
  });
});
