/** Honest conversations: every pair of KEMs, what both sides end with, and what a stranger sees of it. */

import { describe, expect, test } from 'vitest';
import { KEM_X25519, KEM_XWING, systemRandom } from '../../src/crypto/index.ts';
import { decodeEnvelope, verifyEvidence } from '../../src/envelope/index.ts';
import { exposeSecret, Secret, type Signer } from '../../src/keys/index.ts';
import {
  accept,
  clockWindow,
  conclude,
  converse,
  FIRST_BUCKET,
  initiate,
  joinMessages,
  reply,
  request,
  respond,
  serve,
  splitMessages,
  type Initiated,
  type Send,
} from '../../src/protocol/index.ts';
import { refusal } from '../refusal.ts';
import { decodeSealed } from './by-hand.ts';
import {
  anchor,
  ANSWER,
  bank,
  bankOptions,
  KEMS,
  NONE,
  NOW,
  party,
  played,
  QUESTION,
  refusedWith,
  TLS,
  untilReply,
  untilThird,
  user,
  userOptions,
} from './fixture.ts';

const PAIRS = KEMS.flatMap(([a, userKem]) => KEMS.map(([b, bankKem]) => [a, b, userKem, bankKem] as const));

describe.for(PAIRS)('user %s, bank %s', ([, , userKem, bankKem]) => {
  test.for([NONE, TLS])('binding $kind', async (binding) => {
    const [by, to] = [await party('U', userKem), await party('G', bankKem)];
    const setting = {
      user: by,
      bank: to,
      userOptions: userOptions({ binding }),
      bankOptions: bankOptions({ binding }),
    };
    const { conclusion, five, two, one } = await played(setting);
    expect(conclusion.reply.data).toBe(ANSWER);
    expect(conclusion.reply.author.id).toEqual(to.credential.id);
    expect(conclusion.sessionId).toHaveLength(32);
    expect(conclusion.evidence.reply).toEqual(five.evidence);
    expect(two.handle).toHaveLength(16);
    expect(two.handle).toEqual(decodeEnvelope(two.message).header.n2);
    expect(one.state.stage).toBe('initiated');

    const asked = verifyEvidence(conclusion.evidence.request, {
      type: 'request',
      author: by.credential,
      to: to.credential.id,
      answers: null,
      time: clockWindow(NOW),
    });
    expect(asked.data).toBe(QUESTION);
    const answered = verifyEvidence(conclusion.evidence.reply, {
      type: 'reply',
      author: to.credential,
      to: by.credential.id,
      answers: asked.digests,
      time: clockWindow(NOW),
    });
    expect(answered.data).toBe(ANSWER);
  });
});

describe('what is said', () => {
  test('request and documents arrive as they were sent, and so does the reply', async () => {
    const documents = [new Uint8Array(0), new Uint8Array(100_000).fill(3), Uint8Array.of(1)];
    const { two, three } = await untilThird();
    const accepted = await accept(two.state, three.message, NONE);
    const four = await request(three.state, '{"text":"a < b & c\\r\\n"}', documents);
    const service = await serve(accepted, four.message, NONE);
    if (!service.accepted) throw new Error('not accepted');
    expect(service.request.data).toBe('{"text":"a < b & c\\r\\n"}');
    expect(service.request.author.id).toEqual(user.credential.id);
    expect(service.documents).toEqual(documents);
    const five = await reply(service.state, ANSWER, documents.slice(1));
    const { documents: received, sessionId, evidence } = await conclude(four.state, five.message);
    expect(received).toEqual(documents.slice(1));
    expect(sessionId).toEqual(service.sessionId);
    expect(evidence).toEqual({ request: service.evidence, reply: five.evidence });
  });

  test('evidence holds no document', async () => {
    const { two, three } = await untilThird();
    const accepted = await accept(two.state, three.message, NONE);
    const document = new TextEncoder().encode('a body that may one day have to be erased');
    const four = await request(three.state, QUESTION, [document]);
    const service = await serve(accepted, four.message, NONE);
    if (!service.accepted) throw new Error('not accepted');
    expect(Buffer.from(service.evidence).includes(Buffer.from(document))).toBe(false);
  });

  test('outside the session no identity shows: every sender is a handle', async () => {
    const { one, two, three, four, five } = await played();
    const { n1, n2 } = decodeEnvelope(five.message).header;
    const senders = [one, two, three, four, five].map(({ message }) => decodeEnvelope(message).header.sender);
    expect(senders).toEqual([n1, n2, n1, n1, n2]);
    for (const { message } of [one, two, three, four, five])
      for (const { credential } of [user, bank, anchor]) {
        const text = Buffer.from(message).toString();
        expect(text).not.toContain(Buffer.from(credential.id).toString('base64url'));
        const data = Buffer.from(decodeSealed(message).ciphertext);
        expect(data.includes(Buffer.from(credential.id))).toBe(false);
        expect(data.includes(credential.subject)).toBe(false);
      }
  });

  test('nonces and seeds stay out of everything that is sent in clear or archived', async () => {
    const drawn: Uint8Array[] = [];
    const random = (length: number): Uint8Array => {
      const bytes = systemRandom(length);
      drawn.push(bytes.slice());
      return bytes;
    };
    const options = { userOptions: userOptions({ random }), bankOptions: bankOptions({ random }) };
    const { one, two, three, four, five, conclusion } = await played(options);
    const { n1, n2 } = decodeEnvelope(five.message).header;
    const handles = [n1, n2!].map((handle) => Buffer.from(handle).toString('hex'));
    const archived = [conclusion.evidence.request, conclusion.evidence.reply];
    const sent = [one, two, three, four, five].map(({ message }) => message);
    const draws = drawn.filter(({ length }) => length === 32);
    expect(draws).toHaveLength(9); // the last two are salts of messages 4 and 5, which travel in clear
    for (const bytes of draws.slice(0, 7)) {
      const [raw, text] = [Buffer.from(bytes), Buffer.from(bytes).toString('base64url').slice(0, 42)];
      expect(handles.some((handle) => raw.toString('hex').startsWith(handle))).toBe(false);
      for (const document of [...archived, ...sent]) {
        expect(Buffer.from(document).includes(raw)).toBe(false);
        expect(Buffer.from(document).includes(text)).toBe(false);
      }
    }
  });

  test('two conversations share nothing', async () => {
    const [a, b] = [await played(), await played()];
    expect(a.conclusion.sessionId).not.toEqual(b.conclusion.sessionId);
    const [one, other] = [decodeEnvelope(a.five.message).header, decodeEnvelope(b.five.message).header];
    expect(one.n1).not.toEqual(other.n1);
    expect(one.n2).not.toEqual(other.n2);
  });
});

describe('message 1 is of one size for all users of a bank', () => {
  test.for(KEMS)('bank %s', async ([, bankKem]) => {
    const to = await party('G', bankKem);
    const sizes = new Set<number>();
    for (const [, userKem] of KEMS)
      for (const subject of ['U', 'U'.repeat(128)]) {
        const by = await party(subject, userKem);
        sizes.add(initiate(by, to.credential, userOptions()).message.length);
      }
    expect(sizes.size).toBe(1);
    expect([...sizes][0]).toBeGreaterThan(FIRST_BUCKET);
  });

  test('and message 3 too', async () => {
    const sizes = new Set<number>();
    for (const [, userKem] of KEMS) {
      const { three } = await untilThird({ user: await party('U', userKem) });
      sizes.add(three.message.length);
    }
    expect(sizes.size).toBe(1);
  });

  test('the ephemeral key is X-Wing if either side has it', async () => {
    const xwing = await party('U', KEM_XWING);
    const classical = await party('U', KEM_X25519);
    const { two: stronger } = await untilThird({ user: xwing });
    const { two: weaker } = await untilThird({ user: classical });
    // Both banks are X25519; the encapsulation for message 2 differs by 1088 bytes, and so does the ephemeral one inside.
    const length = (message: Uint8Array): number => decodeSealed(message).ciphertext.length;
    expect(length(stronger.message) - length(weaker.message)).toBe(2 * (1120 - 32));
  });
});

describe('converse', () => {
  const bankOver = (): Send => {
    const options = bankOptions();
    let state: Awaited<ReturnType<typeof respond>>['state'] | null = null;
    return async (message) => {
      if (state === null) {
        const response = await respond(bank, message, options);
        state = response.state;
        return response.message;
      }
      const { third, request: fourth } = splitMessages(message);
      const service = await serve(await accept(state, third, NONE), fourth, NONE);
      return (await reply(service.state, ANSWER)).message;
    };
  };
  const parties = { user, gateway: bank.credential };

  test('plays the user’s side in two round trips', async () => {
    let trips = 0;
    const send = bankOver();
    const conclusion = await converse(
      (message) => {
        trips++;
        return send(message);
      },
      parties,
      { ...userOptions(), data: QUESTION, documents: [Uint8Array.of(1)] },
    );
    expect(conclusion.reply.data).toBe(ANSWER);
    expect(trips).toBe(2);
  });

  test('rejects with what the transport rejects with', async () => {
    const lost = new Error('lost');
    await expect(
      converse(() => Promise.reject(lost), parties, { ...userOptions(), data: QUESTION }),
    ).rejects.toBe(lost);
  });

  test('an answer that is no message 2 is refused', async () => {
    const send: Send = () => Promise.resolve(new Uint8Array(3));
    expect(await refusedWith(converse(send, parties, { ...userOptions(), data: QUESTION }))).toEqual([
      'SESSION_MESSAGE',
      'ENVELOPE_GRAMMAR',
    ]);
  });

  test('two messages in one transmission', () => {
    const [third, fourth] = [Uint8Array.of(1, 2), Uint8Array.of(3)];
    const joined = joinMessages(third, fourth);
    expect(splitMessages(joined)).toEqual({ third, request: fourth });
    for (let length = 0; length < joined.length; length++)
      expect(refusal(() => splitMessages(joined.subarray(0, length)))).toBe('SESSION_MESSAGE');
    expect(refusal(() => splitMessages(Uint8Array.of(...joined, 0)))).toBe('SESSION_MESSAGE');
  });
});

describe('mistakes of the caller', () => {
  test('a state of another stage is a compile error, and refused', async () => {
    const { one } = await untilReply();
    // @ts-expect-error -- a state that waits for message 2 does not make a request
    const run = (): Promise<unknown> => request(one.state, QUESTION);
    await expect(run()).rejects.toMatchObject({ code: 'SESSION_CLOSED' });
    const initiated: Initiated = initiate(user, bank.credential, userOptions()).state;
    // @ts-expect-error -- nor does it conclude
    await expect(conclude(initiated, new Uint8Array(0))).rejects.toMatchObject({ code: 'SESSION_MESSAGE' });
  });

  test('text that XML cannot carry is refused, and the state may try again', async () => {
    const { two, three } = await untilThird();
    expect(await refusedWith(request(three.state, 'a\rb'))).toEqual(['SESSION_MESSAGE', 'ENVELOPE_TEXT']);
    const four = await request(three.state, 'a\nb');
    const service = await serve(await accept(two.state, three.message, NONE), four.message, NONE);
    expect(service.accepted && service.request.data).toBe('a\nb');
  });

  test.for([
    { kind: 'tls-exporter' as const, value: new Uint8Array(0) },
    { kind: 'tls-exporter' as const, value: new Uint8Array(31) },
    { kind: 'none' as const, value: new Uint8Array(32) },
  ])('a binding $kind of the wrong length binds nothing and is a RangeError', async (binding) => {
    expect(() => initiate(user, bank.credential, userOptions({ binding }))).toThrow(RangeError);
    const { message } = initiate(user, bank.credential, userOptions());
    await expect(respond(bank, message, bankOptions({ binding }))).rejects.toThrow(RangeError);
  });

  test('a signer that fails once does not lead to a request under a key of zeros', async () => {
    let calls = 0;
    const signer: Signer = {
      algorithm: user.signer.algorithm,
      publicKey: user.signer.publicKey,
      sign: (message) =>
        calls++ === 0 ? Promise.reject(new Error('the card was taken out')) : user.signer.sign(message),
    };
    const { two, three } = await untilThird({ user: { ...user, signer } });
    expect(await refusedWith(request(three.state, QUESTION))).toEqual(['SESSION_MESSAGE', null]);
    const four = await request(three.state, QUESTION);
    const service = await serve(await accept(two.state, three.message, NONE), four.message, NONE);
    expect(service.accepted && service.request.data).toBe(QUESTION);
  });

  test('a secret is erased in place', () => {
    const bytes = new Uint8Array(32).fill(1);
    const secret = new Secret('nonce', bytes);
    secret.erase();
    expect(bytes).toEqual(new Uint8Array(32));
    expect(() => exposeSecret(secret)).toThrow(TypeError);
  });
});
