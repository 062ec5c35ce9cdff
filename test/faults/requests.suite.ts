/**
 * Every type of request, attacked in every way in which somebody can who is no bank: each attack is refused with its
 * code, and in none of the bank's tables is anything else afterwards than that refusal.
 */

import { MunimentError } from 'muniment';
import { systemRandom } from 'muniment/crypto';
import { joinMessages } from 'muniment/protocol';
import { sql } from 'kysely';
import { toHex } from 'muniment/wire';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BankClient } from '../../examples/client/bank.ts';
import { CLOCK, type Connection } from '../../examples/client/connection.ts';
import { revoke } from '../../examples/client/publishing.ts';
import { parseReply } from '../../examples/server/api.ts';
import { ASKING, BRINGING, OUTCOMES, prepareOn, type Asking, type RequestType } from './asking.ts';
import { createBank, prepare, type Author, type TestBank } from './bank.ts';
import { kept } from './kept.ts';
import { Random } from './random.ts';
import type { ServerProcess } from './server.ts';
import { figure, FULL, SEED, seeded } from './settings.ts';

/** Places at which each request is cut, and bits that are turned over. */
const PLACES = FULL ? 64 : 4;
/** Further off than any clock may be. */
const OFF = 6 * 60_000;
const HOUR = 3_600_000;

/** Rows that an attack may add, by table. */
type Rows = Readonly<Record<string, number>>;
/** Each first message that is taken is remembered, so that it is not taken again. */
const FIRST: Rows = { first_messages: 1 };
/** A signed refusal of what was not even archived; and of what was, whose outcome it is. */
const REPLY: Rows = { ...FIRST, replies: 1 };
const OUTCOME: Rows = { ...REPLY, requests: 1, outcomes: 1 };

/** What tells something afresh tells it once more, which is an access; what changes something changes nothing more. */
const ACCESS: Rows = { entries: 1, leaves: 1, payloads: 1 };
const AFRESH: Partial<Record<RequestType, Rows>> = {
  read: ACCESS,
  'break-glass': ACCESS,
  upload: { capabilities: 1 },
};

const TYPES = Object.keys(ASKING) as RequestType[];

let bank: TestBank;
let server: ServerProcess;
let clinician: Author;
let administrator: Author;
let other: BankClient;
const random = new Random(SEED);
let attacks = 0;

beforeAll(async () => {
  bank = await createBank(null);
  server = bank.start();
  await server.ready;
  clinician = await join('clinician', CLINICIAN);
  administrator = await join('another-administrator', ADMINISTRATOR);
  other = await bank.join('other', CLINICIAN);
});

afterAll(async () => {
  await server.kill();
  await bank.end();
  figure(
    `${String(attacks)} attacks on ${String(TYPES.length)} types of request, seed ${String(SEED)}: all refused, nothing stored but refusals`,
  );
});

const CLINICIAN = ['doctor', 'emergency'];
const ADMINISTRATOR = ['administrator'];

async function join(subject: string, roles: readonly string[]): Promise<Author> {
  const client = await bank.join(subject, roles);
  return prepare(client, bank.subjects[0]!);
}

describe.each(TYPES)('%s', (type) => {
  const outcome = OUTCOMES[type] ?? 'served';
  let asker: Author;
  beforeAll(() => {
    asker = type === 'erase' ? administrator : clinician;
  });
  const ask = (spoilt = {}): Promise<Asking> => ASKING[type](asker, spoilt);
  const attacked = (name: string, refused: string, stored: Rows, run: () => Promise<string>): Promise<void> =>
    seeded(
      () => `${type}, ${name}`,
      async () => {
        const before = await rows();
        expect(await run()).toBe(refused);
        expect(added(before, await rows())).toEqual(stored);
        attacks++;
      },
    );

  it('as it should be, is answered; asked again it happens once', async () => {
    const asking = await ask();
    expect(await answerTo(type, asker.client, asking)).toBe(outcome);
    const before = await rows();
    expect(await answerTo(type, asker.client, asking)).toBe(outcome);
    const { requests = 0, outcomes = 0, repeats = 0, replies = 0, ...others } = added(before, await rows());
    expect({ requests, outcomes, repeats, replies }).toEqual({
      requests: 0,
      outcomes: 0,
      repeats: 1,
      replies: 1,
    });
    expect(others).toEqual({ ...FIRST, ...AFRESH[type] });
  });

  it('replayed, on its connection, on another, and from its first message on', async () => {
    const asking = await ask();
    await on(asker.client, async (connection) => {
      const { first, transmission } = await prepareOn(connection, asker.client, asking);
      await connection.post('/request', transmission);
      await attacked('replayed', 'SESSION_MESSAGE', {}, () =>
        codeOf(connection.post('/request', transmission)),
      );
      await attacked('its first message replayed', 'SESSION_MESSAGE', {}, () =>
        codeOf(connection.post('/session', first)),
      );
      await on(asker.client, async (another) => {
        await attacked('replayed elsewhere', 'SESSION_MESSAGE', {}, () =>
          codeOf(another.post('/request', transmission)),
        );
      });
    });
  });

  it('sent on another connection than it was begun on, by the same and by another person', async () => {
    const asking = await ask();
    for (const thief of [asker.client, other])
      await attacked('on another connection', 'SESSION_MESSAGE', FIRST, () =>
        on(asker.client, async (connection) => {
          const { transmission } = await prepareOn(connection, asker.client, asking);
          return on(thief, (another) => codeOf(another.post('/request', transmission)));
        }),
      );
  });

  it('out of order: the request as a first message, its two parts exchanged, or those of two conversations', async () => {
    const asking = await ask();
    await attacked('request sent as a first message', 'SESSION_MESSAGE', FIRST, () =>
      on(asker.client, async (connection) => {
        const { transmission } = await prepareOn(connection, asker.client, asking);
        return codeOf(connection.post('/session', transmission));
      }),
    );
    await attacked('parts exchanged', 'SESSION_MESSAGE', FIRST, () =>
      on(asker.client, async (connection) => {
        const { third, request } = await prepareOn(connection, asker.client, asking);
        return codeOf(connection.post('/request', joinMessages(request, third)));
      }),
    );
    await attacked('parts of two conversations', 'SESSION_MESSAGE', { first_messages: 2 }, () =>
      on(asker.client, async (connection) => {
        const one = await prepareOn(connection, asker.client, asking);
        const two = await prepareOn(connection, asker.client, asking);
        return codeOf(connection.post('/request', joinMessages(one.third, two.request)));
      }),
    );
  });

  it('cut, or with a bit turned over, anywhere', async () => {
    const asking = await ask();
    const spoil = async (name: string, change: (whole: Uint8Array) => Uint8Array): Promise<void> =>
      attacked(name, 'SESSION_MESSAGE', FIRST, () =>
        on(asker.client, async (connection) => {
          const { transmission } = await prepareOn(connection, asker.client, asking);
          return codeOf(connection.post('/request', change(transmission)));
        }),
      );
    for (let i = 0; i < PLACES; i++) {
      const [cut, bit] = [random.next(), random.next()];
      await spoil(`cut at ${String(cut)}`, (whole) => whole.slice(0, Math.floor(cut * whole.length)));
      await spoil(`bit at ${String(bit)}`, (whole) => flipped(whole, Math.floor(bit * whole.length * 8)));
    }
  });

  it("in another's name: credential, TLS certificate, and the entry in it", async () => {
    const asking = await ask();
    // Under somebody else's credential, whose keys one has not: message 2 does not open, and there is no third.
    await attacked("under another's credential", 'SESSION_MESSAGE', FIRST, () =>
      on(asker.client, (connection) => {
        const impostor = { ...asker.client.user, credential: other.user.credential };
        return codeOf(prepareOn(connection, { user: impostor, trust: asker.client.trust }, asking));
      }),
    );
    await attacked("under another's TLS certificate", 'TLS_SUBJECT', REPLY, () =>
      on(other, (connection) => answerOn(connection, type, asker.client, asking)),
    );
    if (!BRINGING.includes(type)) return;
    const posed = await ask({ author: other.user.credential.id });
    await attacked("with another's entry", 'RECORD_AUTHOR', OUTCOME, () =>
      answerTo(type, asker.client, posed),
    );
  });

  it('by who is nobody here, and after revocation, begun before it or not', async () => {
    const gone = await join(`gone-${type}`, asker.client.user.credential.roles);
    const asking = await ASKING[type](gone, {});
    await on(gone.client, async (connection) => {
      const { transmission, read } = await prepareOn(connection, gone.client, asking);
      const times = { doubtfulFrom: Date.now(), revokedAt: Date.now() };
      const { credential } = gone.client.user;
      await revoke(bank.administrator, bank.directory, credential, { reason: 'ceased', ...times });
      await attacked('begun before revocation', 'KEY_REVOKED', { replies: 1 }, async () =>
        outcomeOf(type, await read(await connection.post('/request', transmission))),
      );
    });
    await attacked('after revocation', 'SESSION_PEER', FIRST, () => answerTo(type, gone.client, asking));
  });

  it('outside the clock window: session, request, and the entry in it', async () => {
    const asking = await ask();
    for (const off of [-HOUR, -OFF, OFF, HOUR]) {
      const clock = { ...CLOCK, now: () => Date.now() + off };
      await attacked(`session off by ${String(off)} ms`, 'SESSION_MESSAGE', {}, () =>
        on(asker.client, (connection) => codeOf(prepareOn(connection, asker.client, asking, { clock }))),
      );
      let moved = 0;
      const moving = { ...CLOCK, now: () => Date.now() + moved };
      await attacked(`request off by ${String(off)} ms`, 'SESSION_MESSAGE', FIRST, () =>
        on(asker.client, async (connection) => {
          const before = (): void => void (moved = off);
          const { transmission } = await prepareOn(connection, asker.client, asking, {
            clock: moving,
            before,
          });
          return codeOf(connection.post('/request', transmission));
        }),
      );
      if (!BRINGING.includes(type)) continue;
      const dated = await ask({ off });
      // Of an append that is looked at before it is archived.
      const stored = type === 'append' ? REPLY : OUTCOME;
      await attacked(`entry off by ${String(off)} ms`, 'CLOCK', stored, () =>
        answerTo(type, asker.client, dated),
      );
    }
  });

  it('under a used id, and not as the interface says', async () => {
    const id = systemRandom(16);
    const used = await ASKING.lookup(asker, { id });
    expect(await answerTo('lookup', asker.client, used)).toBe('served');
    const asking = await ask({ id });
    const another =
      type === 'lookup' ? { ...asking, text: asking.text.replace('owner-0', 'owner-1') } : asking;
    await attacked('under a used id', 'REQUEST_REUSED', REPLY, () => answerTo(type, asker.client, another));
    const good = await ask();
    for (const [name, text] of [
      ['a field too many', good.text.replace('{', '{"also":1,')],
      ['a field twice', good.text.replace('{', `{"type":"${type}",`)],
      ['of an unknown type', good.text.replace(`"type":"${type}"`, '"type":"everything"')],
      ['cut text', good.text.slice(0, random.below(good.text.length))],
    ] as const)
      await attacked(name, 'MALFORMED', REPLY, () => answerTo(type, asker.client, { ...good, text }));
  });
});

/** Runs something on a connection of somebody's. */
async function on<Result>(
  client: BankClient,
  work: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const connection = await client.connect();
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

/** The code with which it fails; it must be the library's own error. */
async function codeOf(failing: Promise<unknown>): Promise<string> {
  try {
    await failing;
  } catch (error) {
    if (error instanceof MunimentError) return error.code;
    throw error;
  }
  return 'served';
}

/** Holds a whole conversation: `served`, or the code of the signed refusal. */
function answerTo(type: RequestType, client: BankClient, asking: Asking): Promise<string> {
  return on(client, (connection) => answerOn(connection, type, client, asking));
}

async function answerOn(
  connection: Connection,
  type: RequestType,
  { user, trust }: BankClient,
  { text, documents }: Asking,
): Promise<string> {
  const { reply } = await connection.converse({ user, gateway: trust.bank }, text, documents);
  return outcomeOf(type, reply.data);
}

function outcomeOf(type: RequestType, data: string): string {
  const parsed = parseReply(type, data);
  return 'refused' in parsed ? parsed.refused : 'served';
}

/** Rows of every table, but for first messages, which are forgotten in time: of these, which there are. */
async function rows(): Promise<{ counts: Map<string, number>; firsts: Set<string> }> {
  return kept(bank, async (database) => {
    const counts = new Map<string, number>();
    const tables = (await database.introspection.getTables()).map(({ name }) => name);
    for (const table of tables.filter((name) => name !== 'first_messages')) {
      const { rows: found } = await sql<{
        rows: number;
      }>`SELECT count(*) AS rows FROM ${sql.id(table)}`.execute(database);
      counts.set(table, found[0]?.rows ?? 0);
    }
    const digests = await database.selectFrom('first_messages').select('digest').execute();
    return { counts, firsts: new Set(digests.map(({ digest }) => toHex(digest))) };
  });
}

function added(before: Awaited<ReturnType<typeof rows>>, after: Awaited<ReturnType<typeof rows>>): Rows {
  const found: Record<string, number> = {};
  for (const [table, count] of after.counts) {
    const more = count - (before.counts.get(table) ?? 0);
    if (more !== 0) found[table] = more;
  }
  const firsts = [...after.firsts].filter((digest) => !before.firsts.has(digest)).length;
  return firsts === 0 ? found : { ...found, first_messages: firsts };
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}
