/** States: used once, in time, eight tries, closed for good; credentials that are not accepted; the replay memory; secrets that do not print. */

import { inspect } from 'node:util';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { sha256 } from '../../src/crypto/index.ts';
import { MunimentError } from '../../src/errors.ts';
import {
  accept,
  CLOCK_WINDOW,
  conclude,
  confirm,
  DEADLINES,
  HANDSHAKE_LIMIT,
  initiate,
  MemoryReplayCache,
  reply,
  request,
  respond,
  serve,
  TRIES,
  type GatewayOptions,
  type ReplayCache,
  type State,
} from '../../src/protocol/index.ts';
import { Secret, verifyCredential } from '../../src/keys/index.ts';
import { concat } from '../../src/wire/index.ts';
import { refusal } from '../refusal.ts';
import { decodeSealed, makeFirst } from './by-hand.ts';
import {
  ANSWER,
  bank,
  bankOptions,
  FakeClock,
  NONE,
  NOW,
  party,
  QUESTION,
  refusedWith,
  untilReply,
  untilRequest,
  untilSecond,
  untilThird,
  user,
  userOptions,
  validate,
  VALIDITY,
  type Setting,
} from './fixture.ts';

const CLOSED = ['SESSION_CLOSED', null];

/** The six steps that take a state: how to get there, and the step with the right input. */
const STEPS: readonly (readonly [
  string,
  (setting?: Setting) => Promise<{
    readonly state: Pick<State<string, object>, 'open' | 'close'>;
    good(): Promise<unknown>;
    bad(): Promise<unknown>;
  }>,
])[] = [
  [
    'confirm',
    async (setting) => {
      const { one, two } = await untilSecond(setting);
      return {
        state: one.state,
        good: () => confirm(one.state, two.message),
        bad: () => confirm(one.state, one.message),
      };
    },
  ],
  [
    'request',
    async (setting) => {
      const { three } = await untilThird(setting);
      return {
        state: three.state,
        good: () => request(three.state, QUESTION),
        bad: () => request(three.state, '\0'),
      };
    },
  ],
  [
    'conclude',
    async (setting) => {
      const { four, five } = await untilReply(setting);
      return {
        state: four.state,
        good: () => conclude(four.state, five.message),
        bad: () => conclude(four.state, four.message),
      };
    },
  ],
  [
    'accept',
    async (setting) => {
      const { two, three } = await untilThird(setting);
      return {
        state: two.state,
        good: () => accept(two.state, three.message, NONE),
        bad: () => accept(two.state, two.message, NONE),
      };
    },
  ],
  [
    'serve',
    async (setting) => {
      const { accepted, four } = await untilRequest(setting);
      return {
        state: accepted,
        good: () => serve(accepted, four.message, NONE),
        bad: () => serve(accepted, new Uint8Array(0), NONE),
      };
    },
  ],
  [
    'reply',
    async (setting) => {
      const { accepted, four } = await untilRequest(setting);
      const { state } = await serve(accepted, four.message, NONE);
      return { state, good: () => reply(state, ANSWER), bad: () => reply(state, '\0') };
    },
  ],
];

/** The roles of the secrets that each state holds, and of those that its step uses up. */
const HELD: Record<string, string[]> = {
  confirm: ['exporter secret', 'nonce', 'kem key'],
  request: ['session key'],
  conclude: ['session key'],
  accept: ['nonce', 'confirmation', 'session key'],
  serve: ['session key'],
  reply: ['session key'],
};
const SPENT: Record<string, string[]> = {
  ...HELD,
  accept: ['nonce', 'confirmation'],
};

/** Watches what is erased from now on; gives the roles. */
function erasing(): () => string[] {
  vi.restoreAllMocks();
  const roles: string[] = [];
  const { erase } = Secret.prototype;
  vi.spyOn(Secret.prototype, 'erase').mockImplementation(function (this: Secret<string>) {
    roles.push(this.role);
    erase.call(this);
  });
  return () => roles;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe.for(STEPS)('%s', ([name, prepare]) => {
  test('takes its state once', async () => {
    const { state, good } = await prepare();
    expect(state.open).toBe(true);
    await good();
    expect(state.open).toBe(false);
    expect(await refusedWith(good())).toEqual(CLOSED);
  });

  test('takes its state once, also of two at the same time', async () => {
    const { good } = await prepare();
    const outcomes = await Promise.allSettled([good(), good(), good()]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    for (const outcome of outcomes.slice(1))
      expect(outcome).toMatchObject({ reason: { code: 'SESSION_CLOSED' } });
  });

  test('a bad try beside a good one does not close the state under it', async () => {
    const { good, bad } = await prepare();
    const outcomes = await Promise.allSettled([good(), bad()]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });

  test('nor does a bad try before it, while which the state is open', async () => {
    const { state, good, bad } = await prepare();
    const failing = refusedWith(bad());
    const early = good().then(
      () => null,
      (error: unknown) => (error as MunimentError).code,
    );
    expect(state.open).toBe(true);
    expect((await failing)[0]).toBe('SESSION_MESSAGE');
    // What fails at once makes way at once; what takes its time keeps the other out meanwhile, and no longer.
    if ((await early) === null) return;
    expect(await early).toBe('SESSION_CLOSED');
    expect(state.open).toBe(true);
    await good();
  });

  test('erases its secrets when it ends, however it ends', async () => {
    for (const end of ['closed', 'late', 'eight'] as const) {
      const clock = new FakeClock();
      const setting = { userOptions: userOptions({ clock }), bankOptions: bankOptions({ clock }) };
      const { state, good, bad } = await prepare(setting);
      const erased = erasing();
      if (end === 'closed') state.close();
      if (end === 'late') {
        clock.ticks = DEADLINES.session + 1;
        await refusedWith(good());
      }
      if (end === 'eight') for (let n = 0; n < TRIES; n++) await refusedWith(bad());
      expect(erased(), end).toEqual(expect.arrayContaining(HELD[name]!));
    }
  });

  test('erases what it derived, if it is closed while it runs', async () => {
    const { state, good } = await prepare();
    const erased = erasing();
    const running = refusedWith(good());
    state.close();
    expect(await running).toEqual(CLOSED);
    expect(erased()).toEqual(expect.arrayContaining(HELD[name]!));
  });

  test('erases what it needs no more, when it has gone well', async () => {
    const { good } = await prepare();
    const erased = erasing();
    await good();
    expect(erased()).toEqual(expect.arrayContaining(SPENT[name]!));
  });

  test('bears seven bad tries', async () => {
    const { state, good, bad } = await prepare();
    for (let n = 1; n < TRIES; n++) expect((await refusedWith(bad()))[0]).toBe('SESSION_MESSAGE');
    expect(state.open).toBe(true);
    await good();
  });

  test('is over after eight', async () => {
    const { state, good, bad } = await prepare();
    for (let n = 1; n <= TRIES; n++) expect((await refusedWith(bad()))[0]).toBe('SESSION_MESSAGE');
    expect(TRIES).toBe(8);
    expect(state.open).toBe(false);
    expect(await refusedWith(good())).toEqual(CLOSED);
  });

  test('does nothing after close', async () => {
    const { state, good } = await prepare();
    state.close();
    state.close();
    expect(state.open).toBe(false);
    expect(await refusedWith(good())).toEqual(CLOSED);
  });

  test('is not brought back to life by a step that fails while it is closed', async () => {
    const { state, good, bad } = await prepare();
    const failing = refusedWith(bad());
    state.close();
    expect((await failing)[0]).toBe('SESSION_MESSAGE');
    expect(state.open).toBe(false);
    expect(await refusedWith(good())).toEqual(CLOSED);
  });

  test('gives nothing if it is closed while it runs', async () => {
    const { state, good } = await prepare();
    const running = refusedWith(good());
    state.close();
    expect(await running).toEqual(CLOSED);
  });

  const deadline = {
    confirm: DEADLINES.second,
    request: DEADLINES.request,
    conclude: DEADLINES.reply,
    accept: DEADLINES.third,
    serve: DEADLINES.request,
    reply: DEADLINES.reply,
  }[name]!;
  test('keeps its deadline on the monotonic clock', async () => {
    const clock = new FakeClock();
    const setting = { userOptions: userOptions({ clock }), bankOptions: bankOptions({ clock }) };
    const [inTime, late] = [await prepare(setting), await prepare(setting)];
    clock.ticks = deadline;
    clock.wall = NOW - 1; // set back: that changes nothing
    expect(inTime.state.open).toBe(true);
    await inTime.good();
    clock.ticks = deadline + 1;
    expect(late.state.open).toBe(false);
    expect(await refusedWith(late.good())).toEqual(CLOSED);
    clock.ticks = 0;
    expect(late.state.open).toBe(false);
  });
});

describe('deadlines', () => {
  test('are as the specification says', () => {
    expect(DEADLINES).toEqual({
      second: 15_000,
      third: 20_000,
      request: 20_000,
      reply: 60_000,
      session: 120_000,
    });
    expect(CLOCK_WINDOW).toBe(300_000);
  });

  test('a whole conversation at the last moment of each', async () => {
    const [ours, theirs] = [new FakeClock(), new FakeClock()];
    const { one, two } = await untilSecond({
      userOptions: userOptions({ clock: ours }),
      bankOptions: bankOptions({ clock: theirs }),
    });
    ours.ticks += DEADLINES.second;
    const three = await confirm(one.state, two.message);
    theirs.ticks += DEADLINES.third;
    const accepted = await accept(two.state, three.message, NONE);
    ours.ticks += DEADLINES.request;
    const four = await request(three.state, QUESTION);
    theirs.ticks += DEADLINES.request;
    const { state } = await serve(accepted, four.message, NONE);
    theirs.ticks += DEADLINES.reply;
    const five = await reply(state, ANSWER);
    ours.ticks += DEADLINES.reply;
    await conclude(four.state, five.message);
    expect([ours.ticks, theirs.ticks]).toEqual([95_000, 100_000]);
    expect(Math.max(ours.ticks, theirs.ticks)).toBeLessThan(DEADLINES.session);
  });
});

describe('a credential that is not accepted', () => {
  const stern = {
    validate: () => {
      throw new MunimentError('KEY_CREDENTIAL');
    },
  };

  test('looks the same until the caller is authenticated, and then gets a signed refusal', async () => {
    const [friendly, refused] = [
      await untilRequest(),
      await untilRequest({ bankOptions: bankOptions(stern) }),
    ];
    expect(refused.two.message).toHaveLength(friendly.two.message.length);
    expect(refused.two.state.stage).toBe(friendly.two.state.stage);
    expect(refused.accepted.stage).toBe(friendly.accepted.stage);
    const shape = (message: Uint8Array): unknown => {
      const { header, ciphertext } = decodeSealed(message);
      return [header.type, header.timestamp, header.timestamp1, header.timestamp2, ciphertext.length];
    };
    expect(shape(refused.two.message)).toEqual(shape(friendly.two.message));

    const service = await serve(refused.accepted, refused.four.message, NONE);
    expect(service.accepted).toBe(false);
    expect(Object.keys(service).sort()).toEqual(['accepted', 'state']);
    const five = await reply(service.state, '{"refused":"credential"}');
    const { reply: answer, evidence } = await conclude(refused.four.state, five.message);
    expect(answer.data).toBe('{"refused":"credential"}');
    expect(answer.author.id).toEqual(bank.credential.id);
    expect(evidence.reply).toEqual(five.evidence);

    // On the wire the refusal is of the size of an answer.
    const { state } = await serve(friendly.accepted, friendly.four.message, NONE);
    expect((await reply(state, '{"answered":"question!"}')).message).toHaveLength(five.message.length);
  });

  const judges: readonly (readonly [string, GatewayOptions['validate']])[] = [
    ['expired', (encoded) => validate(encoded, VALIDITY.notAfter + 1)],
    ['not valid yet', (encoded) => validate(encoded, VALIDITY.notBefore - 1)],
    ['of another issuer', (encoded) => verifyCredential(encoded, bank.credential, NOW)],
  ];
  test.for(judges)('%s', async ([, judge]) => {
    const { accepted, four } = await untilRequest({ bankOptions: bankOptions({ validate: judge }) });
    expect((await serve(accepted, four.message, NONE)).accepted).toBe(false);
  });

  test('is not exchanged for another that the judge returns', async () => {
    const other = await party('Somebody else');
    const { accepted, four } = await untilRequest({
      bankOptions: bankOptions({ validate: () => other.credential }),
    });
    expect(await refusedWith(serve(accepted, four.message, NONE))).toEqual([
      'SESSION_MESSAGE',
      'ENVELOPE_SIGNATURE',
    ]);
  });

  test('a malformed one is a bad message, as it would be for anybody', async () => {
    const made = makeFirst(user.credential, bank.credential, { first: { credential: new Uint8Array(10) } });
    expect(await refusedWith(respond(bank, made.message, bankOptions(stern)))).toEqual([
      'SESSION_MESSAGE',
      'KEY_CREDENTIAL',
    ]);
  });

  test('the judge sees the bank’s clock', async () => {
    const seen: number[] = [];
    await untilSecond({
      bankOptions: bankOptions({
        validate: (encoded, now) => {
          seen.push(now);
          return validate(encoded, now);
        },
      }),
    });
    expect(seen).toEqual([NOW]);
  });
});

describe('the replay memory', () => {
  const digest = (n: number): Uint8Array => sha256(Uint8Array.of(n & 255, n >> 8));

  const message = (n: number, time: number) => ({ digest: digest(n), time });

  test('takes no bound that is none', () => {
    for (const options of [
      { capacity: NaN, floor: 0 },
      { capacity: 0, floor: 0 },
      { capacity: -1, floor: 0 },
      { capacity: 1.5, floor: 0 },
      { capacity: 1, floor: NaN },
      { capacity: 1, floor: -1 },
      { capacity: 1 } as { capacity: number; floor: number },
    ])
      expect(() => new MemoryReplayCache(options)).toThrow(RangeError);
  });

  test('refuses what it remembers, for as long as the clock would take it', () => {
    const cache = new MemoryReplayCache({ capacity: 100_000, floor: 0 });
    cache.remember(message(1, NOW), NOW);
    for (const now of [NOW, NOW + 1, NOW + CLOCK_WINDOW])
      expect(refusal(() => cache.remember(message(1, NOW), now))).toBe('SESSION_REPLAY');
    // Forgotten, because the clock refuses it; and should the clock be set back, the floor does.
    cache.remember(message(2, NOW + 1), NOW + CLOCK_WINDOW + 1);
    for (const now of [NOW, NOW + CLOCK_WINDOW])
      expect(refusal(() => cache.remember(message(1, NOW), now))).toBe('SESSION_REPLAY');
    expect(refusal(() => cache.remember(message(3, NOW), NOW))).toBe('SESSION_REPLAY');
    cache.remember(message(3, NOW + 1), NOW);
  });

  test('a clock that was far ahead does not lock anybody out once it is right again', () => {
    const cache = new MemoryReplayCache({ capacity: 100_000, floor: 0 });
    cache.remember(message(1, NOW), NOW);
    cache.remember(message(2, NOW + 9e9), NOW + 9e9);
    cache.remember(message(3, NOW + 1), NOW + 1);
    expect(refusal(() => cache.remember(message(1, NOW), NOW + 1))).toBe('SESSION_REPLAY');
  });

  test('a message from when the clock was ahead keeps no room from others', () => {
    const cache = new MemoryReplayCache({ capacity: 1000, floor: 0 });
    cache.remember(message(0, NOW + 9e7), NOW + 9e7);
    for (let second = 1; second < 3600; second++)
      cache.remember(message(second, NOW + 1000 * second), NOW + 1000 * second);
  });

  test('is bounded: when full it refuses instead of forgetting, and has room again in time', () => {
    const cache = new MemoryReplayCache({ capacity: 3, floor: 0 });
    for (let n = 0; n < 3; n++) cache.remember(message(n, NOW + n), NOW + n);
    const full = NOW + CLOCK_WINDOW;
    expect(refusal(() => cache.remember(message(3, full), full))).toBe('SESSION_REPLAY');
    for (let n = 0; n < 3; n++)
      expect(refusal(() => cache.remember(message(n, NOW + n), full))).toBe('SESSION_REPLAY');
    cache.remember(message(3, full), full + 1);
    expect(refusal(() => cache.remember(message(4, full), full + 1))).toBe('SESSION_REPLAY');
    cache.remember(message(4, full), full + 2);
  });

  test('one that begins after a restart takes nothing that may have been seen before', async () => {
    const clock = new FakeClock();
    const restarted = { capacity: 10, floor: NOW + CLOCK_WINDOW };
    const options = bankOptions({ clock, replay: new MemoryReplayCache(restarted) });
    const ahead = new FakeClock();
    ahead.wall = NOW + CLOCK_WINDOW;
    const { message: before } = initiate(user, bank.credential, userOptions({ clock: ahead }));
    expect(await refusedWith(respond(bank, before, options))).toEqual(['SESSION_REPLAY', null]);
    clock.wall = ahead.wall = NOW + CLOCK_WINDOW + 1;
    const { message: after } = initiate(user, bank.credential, userOptions({ clock: ahead }));
    await respond(bank, after, options);
  });

  test('a full one refuses new callers, and the bank says so to itself', async () => {
    const options = bankOptions({ replay: new MemoryReplayCache({ capacity: 1, floor: 0 }) });
    await untilSecond({ bankOptions: options });
    const { message } = initiate(user, bank.credential, userOptions());
    expect(await refusedWith(respond(bank, message, options))).toEqual(['SESSION_REPLAY', null]);
  });

  test('is told the earlier of a message’s two times, until which it could be taken again', async () => {
    const kept: unknown[] = [];
    const replay: ReplayCache = { remember: ({ time }, now) => void kept.push([time, now]) };
    for (const header of [{ timestamp: NOW - 5 }, { timestamp1: NOW - 7 }]) {
      const made = makeFirst(user.credential, bank.credential, { header });
      await respond(bank, made.message, bankOptions({ replay }));
    }
    expect(kept).toEqual([
      [NOW - 5, NOW],
      [NOW - 7, NOW],
    ]);
  });

  test('is waited for: a memory elsewhere that refuses late is heard', async () => {
    let asked = 0;
    const replay: ReplayCache = {
      remember: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        if (asked++ > 0) throw new MunimentError('SESSION_REPLAY');
      },
    };
    const { message } = initiate(user, bank.credential, userOptions());
    await respond(bank, message, bankOptions({ replay }));
    expect(await refusedWith(respond(bank, message, bankOptions({ replay })))).toEqual([
      'SESSION_REPLAY',
      null,
    ]);
  });

  test('is asked before any private key is used', async () => {
    let opened = 0;
    const handshake = {
      kem: bank.handshake.kem,
      publicKey: bank.handshake.publicKey,
      decapsulate: (encapsulation: Uint8Array) => {
        opened++;
        return bank.handshake.decapsulate(encapsulation);
      },
    };
    const options = bankOptions();
    const { message } = initiate(user, bank.credential, userOptions());
    await respond({ ...bank, handshake }, message, options);
    expect(await refusedWith(respond({ ...bank, handshake }, message, options))).toEqual([
      'SESSION_REPLAY',
      null,
    ]);
    expect(opened).toBe(1);
  });

  test('a memory that fails is no answer to a stranger', async () => {
    const replay: ReplayCache = {
      remember: () => {
        throw new Error('disk full');
      },
    };
    const { message } = initiate(user, bank.credential, userOptions());
    expect(await refusedWith(respond(bank, message, bankOptions({ replay })))).toEqual([
      'SESSION_MESSAGE',
      null,
    ]);
  });
});

test('near a clock that shows no time, nothing is', async () => {
  const clock = new FakeClock();
  const { two, three } = await untilThird({ bankOptions: bankOptions({ clock }) });
  clock.wall = NaN;
  expect(await refusedWith(accept(two.state, three.message, NONE))).toEqual([
    'SESSION_MESSAGE',
    'SESSION_REPLAY',
  ]);
  const { message } = initiate(user, bank.credential, userOptions());
  expect(await refusedWith(respond(bank, message, bankOptions({ clock })))).toEqual(['SESSION_REPLAY', null]);
});

test('a long message of the handshake is refused before it is read', async () => {
  const { message } = initiate(user, bank.credential, userOptions());
  const long = concat(message, new Uint8Array(HANDSHAKE_LIMIT));
  expect(await refusedWith(respond(bank, long, bankOptions()))).toEqual(['SESSION_MESSAGE', 'WIRE_LIMIT']);
});

describe('secrets of a state', () => {
  test('do not print', async () => {
    const drawn: Uint8Array[] = [];
    const random = (length: number): Uint8Array => {
      const bytes = crypto.getRandomValues(new Uint8Array(length));
      drawn.push(bytes.slice());
      return bytes;
    };
    const { one, two, three, accepted, four } = await untilRequest({
      userOptions: userOptions({ random }),
      bankOptions: bankOptions({ random }),
    });
    const { state: served } = await serve(accepted, four.message, NONE);
    expect(drawn.length).toBeGreaterThan(9);
    for (const state of [one.state, two.state, three.state, accepted, four.state, served]) {
      const prints = [
        Object.prototype.toString.call(state),
        JSON.stringify(state),
        inspect(state, { depth: null, showHidden: true, getters: true, maxArrayLength: null }),
        Object.keys(state).join(),
      ].join('\n');
      expect(prints).toContain('stage');
      for (const secret of drawn) {
        expect(prints).not.toContain(Buffer.from(secret).toString('hex'));
        expect(prints).not.toContain(Buffer.from(secret).toString('base64').slice(0, 20));
        expect(prints).not.toContain([...secret.subarray(0, 8)].join(', '));
        expect(prints).not.toContain([...secret.subarray(0, 8)].join(','));
      }
      expect(prints.length).toBeLessThan(500);
    }
  });

  test('an error names no byte of a message', async () => {
    const { one } = await untilSecond();
    const error: unknown = await confirm(one.state, one.message).catch((cause: unknown) => cause);
    expect(String(error)).toBe(
      'MunimentError: SESSION_MESSAGE: a message of the handshake or the session is refused; one code for every cause',
    );
  });
});
