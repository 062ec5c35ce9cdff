/** Attacks on the handshake by somebody who owns the network, has a credential of its own and keeps what it saw. */

import { describe, expect, test } from 'vitest';
import {
  hkdfExtract,
  deriveTuple,
  kem,
  KEM_X25519,
  KEM_XWING,
  openOnce,
  sealOnce,
} from '../../src/crypto/index.ts';
import {
  decodeEnvelope,
  encodeEnvelope,
  headerTuple,
  MESSAGE_TYPES,
  readUnverifiedData,
  signEnvelope,
  SignedEnvelope,
  type Header,
  type SignedType,
} from '../../src/envelope/index.ts';
import { CREDENTIAL_LIMIT, hpkeOpenWith, verifyCredential, type Identity } from '../../src/keys/index.ts';
// Not exported by the room: an issuer that skips the proof of possession.
import { signCredential } from '../../src/keys/credential.ts';
import {
  accept,
  conclude,
  confirm,
  FIRST_BUCKET,
  initiate,
  MemoryReplayCache,
  reply,
  request,
  respond,
  serve,
} from '../../src/protocol/index.ts';
import { decodeConfirmed, readMessage } from '../../src/protocol/messages.ts';
import { EXPORT_CONTEXT, handshakeInfo, secondTranscript } from '../../src/protocol/schedule.ts';
import { concat, fromUtf8, pad, tuple, utf8 } from '../../src/wire/index.ts';
import { flipped } from '../mutation.ts';
import { kemPublicKey } from '../noble.ts';
import { refusal } from '../refusal.ts';
import {
  decodeSealed,
  makeFirst,
  makeSecond,
  makeThird,
  openFirst,
  openSecond,
  reheaded,
} from './by-hand.ts';
import {
  anchor,
  ANSWER,
  bank,
  bankOptions,
  FakeClock,
  mallory,
  NONE,
  NOW,
  party,
  played,
  QUESTION,
  refusedWith,
  TLS,
  untilReply,
  untilRequest,
  untilSecond,
  untilThird,
  user,
  userOptions,
  VALIDITY,
  type Played,
} from './fixture.ts';

const MESSAGE = 'SESSION_MESSAGE';

describe('by hand: the tools of these tests do nothing wrong unless told to', () => {
  test.for([KEM_X25519, KEM_XWING] as const)('user of KEM %i', async (id) => {
    const by = await party('U', id);
    const one = initiate(by, bank.credential, userOptions());
    const opened = await openFirst(bank, one.message);
    const second = makeSecond(bank.credential.id, opened);
    await confirm(one.state, second.message);

    const made = makeFirst(by.credential, bank.credential);
    const two = await respond(bank, made.message, bankOptions());
    const answer = await openSecond(by, bank.credential, made, two.message);
    const session = { ...answer, nonce: answer.second.gatewayNonce };
    await accept(two.state, makeThird(bank.credential, by.credential.id, session), NONE);
  });
});

describe('Lowe: the man in the middle', () => {
  test('a bank that passes a call on cannot pass the answer back', async () => {
    // The user calls Mallory, who re-encrypts the call for the bank and poses as the user there.
    const one = initiate(user, mallory.credential, userOptions());
    const { plaintext, header, x1 } = await openFirst(mallory, one.message);
    const passed = makeFirst(user.credential, bank.credential, { plaintext, header });
    const two = await respond(bank, passed.message, bankOptions());

    // The answer is encrypted for the user, and names the bank: Mallory cannot read it and the user does not want it.
    expect(await refusedWith(confirm(one.state, two.message))).toEqual([MESSAGE, 'KEY_OPEN']);
    await expect(openSecond(mallory, bank.credential, passed, two.message)).rejects.toMatchObject({
      code: 'KEY_OPEN',
    });

    // Nor can Mallory finish with the bank: it knows Ni, x1 and epk, but neither Ng nor the keys.
    const guess = makeSecond(bank.credential.id, { ...(await openFirst(mallory, one.message)), x1 });
    const third = makeThird(bank.credential, user.credential.id, {
      ...guess,
      header: decodeEnvelope(two.message).header,
    });
    expect(await refusedWith(accept(two.state, third, NONE))).toEqual([MESSAGE, 'KEY_OPEN']);
  });

  test('even where nothing but the name inside message 2 stood in the way', async () => {
    const one = initiate(user, mallory.credential, userOptions());
    const opened = await openFirst(mallory, one.message);
    const second = makeSecond(mallory.credential.id, opened, { second: { gatewayId: bank.credential.id } });
    expect(await refusedWith(confirm(one.state, second.message))).toEqual([MESSAGE, MESSAGE]);
  });
});

describe('reflection', () => {
  test('a bank does not call itself', async () => {
    expect(() => initiate(bank, bank.credential, userOptions())).toThrow(
      expect.objectContaining({ code: 'SESSION_PEER' }),
    );
    const made = makeFirst(bank.credential, bank.credential);
    expect(await refusedWith(respond(bank, made.message, bankOptions()))).toEqual([MESSAGE, MESSAGE]);
  });

  test('nobody’s own message comes back to it', async () => {
    const { one, two, three, accepted, four } = await untilRequest();
    expect(
      await refusedWith(confirm(initiate(user, bank.credential, userOptions()).state, one.message)),
    ).toEqual([MESSAGE, MESSAGE]);
    const waiting = await untilSecond();
    expect(await refusedWith(accept(waiting.two.state, waiting.two.message, NONE))).toEqual([
      MESSAGE,
      MESSAGE,
    ]);
    expect(await refusedWith(conclude(four.state, four.message))).toEqual([MESSAGE, MESSAGE]);
    expect(await refusedWith(respond(bank, two.message, bankOptions()))).toEqual([MESSAGE, MESSAGE]);
    // With the header that is awaited the keys still differ by direction.
    const { n2 } = decodeEnvelope(two.message).header;
    const reply5 = reheaded(four.message, { type: 'reply', sender: n2! });
    expect(await refusedWith(conclude(four.state, reply5))).toEqual([MESSAGE, 'KEY_OPEN']);
    expect(await refusedWith(serve(accepted, reheaded(three.message, { type: 'request' }), NONE))).toEqual([
      MESSAGE,
      'KEY_OPEN',
    ]);
  });

  test('two parties who call each other at once end in two sessions, not in one', async () => {
    const there = initiate(user, bank.credential, userOptions());
    const back = initiate(bank, user.credential, userOptions());
    const [two, owt] = [
      await respond(bank, there.message, bankOptions()),
      await respond(user, back.message, bankOptions()),
    ];
    expect(await refusedWith(confirm(there.state, owt.message))).toEqual([MESSAGE, MESSAGE]);
    expect(await refusedWith(confirm(back.state, two.message))).toEqual([MESSAGE, MESSAGE]);
    await confirm(there.state, two.message);
    await confirm(back.state, owt.message);
  });
});

describe('replay', () => {
  test('message 1, at once, later, and until the end of its window', async () => {
    const clock = new FakeClock();
    const options = bankOptions({ clock });
    const { message } = initiate(user, bank.credential, userOptions());
    await respond(bank, message, options);
    for (const later of [0, 1, 299_999, 300_000]) {
      clock.wall = NOW + later;
      expect(await refusedWith(respond(bank, message, options))).toEqual(['SESSION_REPLAY', null]);
    }
    clock.wall = NOW + 300_001;
    expect(await refusedWith(respond(bank, message, bankOptions({ clock })))).toEqual([
      'SESSION_REPLAY',
      null,
    ]);
  });

  test('message 1 whose clock was ahead, just before it grows too old', async () => {
    const clock = new FakeClock();
    const options = bankOptions({ clock });
    const ahead = new FakeClock();
    ahead.wall = NOW + 300_000;
    const { message } = initiate(user, bank.credential, userOptions({ clock: ahead }));
    await respond(bank, message, options);
    clock.wall = NOW + 600_000;
    expect(await refusedWith(respond(bank, message, options))).toEqual(['SESSION_REPLAY', null]);
    // The memory is what refused it: without one it would have been taken.
    await respond(bank, message, bankOptions({ clock }));
  });

  test('message 1 under another header is the same message', async () => {
    const options = bankOptions();
    const { message } = initiate(user, bank.credential, userOptions());
    await respond(bank, message, options);
    const n1 = new Uint8Array(16);
    expect(await refusedWith(respond(bank, reheaded(message, { n1, sender: n1 }), options))).toEqual([
      'SESSION_REPLAY',
      null,
    ]);
  });

  test('messages 2 to 5 in the session that they belong to', async () => {
    const { one, two, three, accepted, four, five, conclusion } = await played();
    expect(conclusion.reply.data).toBe(ANSWER);
    expect(await refusedWith(confirm(one.state, two.message))).toEqual(['SESSION_CLOSED', null]);
    expect(await refusedWith(accept(two.state, three.message, NONE))).toEqual(['SESSION_CLOSED', null]);
    expect(await refusedWith(serve(accepted, four.message, NONE))).toEqual(['SESSION_CLOSED', null]);
    expect(await refusedWith(conclude(four.state, five.message))).toEqual(['SESSION_CLOSED', null]);
  });

  test('messages 2 to 5 in a later session', async () => {
    const old = await played();
    const options = bankOptions();
    const one = initiate(user, bank.credential, userOptions());
    const two = await respond(bank, one.message, options);
    expect(await refusedWith(confirm(one.state, old.two.message))).toEqual([MESSAGE, MESSAGE]);
    expect(await refusedWith(accept(two.state, old.three.message, NONE))).toEqual([MESSAGE, MESSAGE]);
    const three = await confirm(one.state, two.message);
    const accepted = await accept(two.state, three.message, NONE);
    expect(await refusedWith(serve(accepted, old.four.message, NONE))).toEqual([MESSAGE, MESSAGE]);
    const four = await request(three.state, QUESTION);
    const service = await serve(accepted, four.message, NONE);
    expect(await refusedWith(conclude(four.state, old.five.message))).toEqual([MESSAGE, MESSAGE]);
    await conclude(four.state, (await reply(service.state, ANSWER)).message);
  });

  test('messages 2 to 5 in a later session, with its handles written in', async () => {
    const old = await untilReply();
    const { one, two } = await untilSecond();
    const { n1, timestamp1, n2, timestamp2 } = decodeEnvelope(two.message).header;
    const rewritten = ({ message }: { message: Uint8Array }): Uint8Array => {
      const from = decodeEnvelope(message).header;
      const sender = Buffer.from(from.sender).equals(from.n1) ? n1 : n2!;
      return reheaded(message, { sender, n1, timestamp1, n2, timestamp2 });
    };
    expect(await refusedWith(confirm(one.state, rewritten(old.two)))).toEqual([MESSAGE, 'KEY_OPEN']);
    expect(await refusedWith(accept(two.state, rewritten(old.three), NONE))).toEqual([MESSAGE, 'KEY_OPEN']);
    const three = await confirm(one.state, two.message);
    const accepted = await accept(two.state, three.message, NONE);
    expect(await refusedWith(serve(accepted, rewritten(old.four), NONE))).toEqual([MESSAGE, 'KEY_OPEN']);
    const four = await request(three.state, QUESTION);
    expect(await refusedWith(conclude(four.state, rewritten(old.five)))).toEqual([MESSAGE, 'KEY_OPEN']);
  });
});

describe('interleaving', () => {
  test('messages of two sessions of the same parties do not mix', async () => {
    const [a, b] = [await untilSecond(), await untilSecond()];
    expect(await refusedWith(confirm(a.one.state, b.two.message))).toEqual([MESSAGE, MESSAGE]);
    expect(await refusedWith(confirm(b.one.state, a.two.message))).toEqual([MESSAGE, MESSAGE]);
    const [a3, b3] = [await confirm(a.one.state, a.two.message), await confirm(b.one.state, b.two.message)];
    expect(await refusedWith(accept(a.two.state, b3.message, NONE))).toEqual([MESSAGE, MESSAGE]);
    expect(await refusedWith(accept(b.two.state, a3.message, NONE))).toEqual([MESSAGE, MESSAGE]);
    const [aa, ba] = [
      await accept(a.two.state, a3.message, NONE),
      await accept(b.two.state, b3.message, NONE),
    ];
    const [a4, b4] = [await request(a3.state, QUESTION), await request(b3.state, QUESTION)];
    expect(await refusedWith(serve(aa, b4.message, NONE))).toEqual([MESSAGE, MESSAGE]);
    const [as, bs] = [await serve(aa, a4.message, NONE), await serve(ba, b4.message, NONE)];
    const [a5, b5] = [await reply(as.state, ANSWER), await reply(bs.state, ANSWER)];
    expect(await refusedWith(conclude(a4.state, b5.message))).toEqual([MESSAGE, MESSAGE]);
    const ends = [await conclude(a4.state, a5.message), await conclude(b4.state, b5.message)];
    expect(ends[0]!.sessionId).not.toEqual(ends[1]!.sessionId);
  });

  test('two answers to one call: the second finds no caller', async () => {
    const one = initiate(user, bank.credential, userOptions());
    const opened = await openFirst(bank, one.message);
    const [a, b] = [makeSecond(bank.credential.id, opened), makeSecond(bank.credential.id, opened)];
    await confirm(one.state, a.message);
    expect(await refusedWith(confirm(one.state, b.message))).toEqual(['SESSION_CLOSED', null]);
  });
});

describe('type confusion', () => {
  test('each message at each place but its own, as it is and with the header that is awaited', async () => {
    const all = await untilReply();
    const steps = [all.one, all.two, all.three, all.four, all.five].map(({ message }) => message);
    const { n1, timestamp1, n2, timestamp2 } = decodeEnvelope(all.five.message).header;
    let tried = 0;
    for (let place = 1; place <= 5; place++) {
      for (let taken = 1; taken <= 5; taken++) {
        if (taken === place) continue;
        const type = MESSAGE_TYPES[place - 1]!;
        const later = place === 1 ? { n2: null, timestamp2: null } : { n2, timestamp2 };
        const sender = place === 2 || place === 5 ? n2! : n1;
        const disguised = reheaded(steps[taken - 1]!, { type, sender, n1, timestamp1, ...later });
        for (const message of [steps[taken - 1]!, disguised]) {
          const session = place === 1 ? null : await untilReply();
          const [code] = await refusedWith(deliver(place, message, session));
          expect(code).toBe(MESSAGE);
          tried++;
        }
      }
    }
    expect(tried).toBe(40);
  });

  test('the step is fixed by the type', async () => {
    const { message } = initiate(user, bank.credential, userOptions());
    for (const pas of ['0', '2', '3', '4', '5', '01', ''])
      expect(
        await refusedWith(
          respond(bank, utf8(fromUtf8(message).replace('<pas>1', `<pas>${pas}`)), bankOptions()),
        ),
      ).toEqual([MESSAGE, 'ENVELOPE_GRAMMAR']);
  });

  const inners: readonly (readonly [string, Partial<Header<SignedType>>])[] = [
    ['of another type', { type: 'reply' }],
    ['of another time', { timestamp: NOW + 1 }],
    ['of another session', { n2: new Uint8Array(16) }],
    ['of another sender', { sender: mallory.credential.id }],
  ];
  test.for(inners)('what is inside and %s is refused', async ([, changes]) => {
    const { four } = await untilRequest();
    const outer = decodeEnvelope(four.message).header;
    const read = (inner: Partial<Header<SignedType>>): string => {
      const header = { ...outer, type: 'request' as const, sender: user.credential.id, ...inner };
      const signed = new SignedEnvelope(header, '{}', new Uint8Array(64));
      const plaintext = tuple('message', encodeEnvelope(signed), []);
      return readUnverifiedData(readMessage(plaintext, outer, user.credential.id).envelope);
    };
    expect(read({})).toBe('{}');
    expect(refusal(() => read(changes))).toBe(MESSAGE);
  });
});

function deliver(
  place: number,
  message: Uint8Array,
  session: Omit<Played, 'conclusion'> | null,
): Promise<unknown> {
  if (place === 1 || session === null) return respond(bank, message, bankOptions());
  const fresh = initiate(user, bank.credential, userOptions());
  if (place === 2) return confirm(fresh.state, message);
  if (place === 3) return untilSecond().then(({ two }) => accept(two.state, message, NONE));
  if (place === 4) return untilRequest().then(({ accepted }) => serve(accepted, message, NONE));
  return conclude(session.four.state, message);
}

describe('unknown key share', () => {
  test('a bank with another bank’s handshake key does not get its calls', async () => {
    // Mallory's credential carries the bank's key, as an issuer without proof of possession would give it.
    const forged = await credentialWith(mallory, { handshake: bank.credential.handshake });
    const one = initiate(user, forged, userOptions());
    expect(await refusedWith(respond(bank, one.message, bankOptions()))).toEqual([MESSAGE, 'KEY_OPEN']);
  });

  test('a user with another user’s handshake key does not get the answer, nor makes that user accept it', async () => {
    const forged = await credentialWith(mallory, { handshake: user.credential.handshake });
    const made = makeFirst(forged, bank.credential);
    const two = await respond(bank, made.message, bankOptions());
    const one = initiate(user, bank.credential, userOptions());
    const { n1, timestamp1 } = decodeEnvelope(one.message).header;
    expect(await refusedWith(confirm(one.state, two.message))).toEqual([MESSAGE, MESSAGE]);
    expect(await refusedWith(confirm(one.state, reheaded(two.message, { n1, timestamp1 })))).toEqual([
      MESSAGE,
      'KEY_OPEN',
    ]);
    await expect(openSecond(mallory, bank.credential, made, two.message)).rejects.toMatchObject({
      code: 'KEY_OPEN',
    });
  });

  test('a credential swapped inside a call makes no session with anybody', async () => {
    // Mallory's bank was called, and passes Ni and epk on in its own name.
    const one = initiate(user, mallory.credential, userOptions());
    const { first } = await openFirst(mallory, one.message);
    const { n1, timestamp1 } = decodeEnvelope(one.message).header;
    const swapped = makeFirst(mallory.credential, bank.credential, {
      first: { ...first, credential: mallory.credential.encoded },
      header: { n1, timestamp1, sender: n1 },
    });
    const two = await respond(bank, swapped.message, bankOptions());
    expect(await refusedWith(confirm(one.state, two.message))).toEqual([MESSAGE, 'KEY_OPEN']);
    // Its own answer it can read. Without the ephemeral secret, which only the caller can decapsulate, it has no keys.
    const { second, ...answer } = await openSecond(mallory, bank.credential, swapped, two.message);
    const third = makeThird(bank.credential, mallory.credential.id, {
      ...answer,
      nonce: second.gatewayNonce,
    });
    expect(await refusedWith(accept(two.state, third, NONE))).toEqual([MESSAGE, MESSAGE]);
  });

  test('a user’s credential under the caller’s own call is of no use without its key', async () => {
    const made = makeFirst(user.credential, bank.credential);
    const two = await respond(bank, made.message, bankOptions());
    await expect(openSecond(mallory, bank.credential, made, two.message)).rejects.toMatchObject({
      code: 'KEY_OPEN',
    });
  });

  test('a request signed by another user in one’s own session is refused', async () => {
    const { accepted, four } = await untilRequest({ user: { ...user, signer: mallory.signer } });
    expect(await refusedWith(serve(accepted, four.message, NONE))).toEqual([MESSAGE, 'ENVELOPE_SIGNATURE']);
    expect(accepted.open).toBe(false);
  });

  test('the ephemeral KEM is the one that the two credentials demand', async () => {
    const weak = kemPublicKey(KEM_X25519, new Uint8Array(32).fill(1));
    const strong = await party('U', KEM_XWING);
    const made = makeFirst(strong.credential, bank.credential, {
      first: { ephemeral: { kem: KEM_X25519, publicKey: weak } },
    });
    expect(await refusedWith(respond(bank, made.message, bankOptions()))).toEqual([MESSAGE, MESSAGE]);
    const other = kemPublicKey(KEM_XWING, new Uint8Array(32).fill(1));
    const stronger = makeFirst(user.credential, bank.credential, {
      first: { ephemeral: { kem: KEM_XWING, publicKey: other } },
    });
    expect(await refusedWith(respond(bank, stronger.message, bankOptions()))).toEqual([MESSAGE, MESSAGE]);
  });

  test('an ephemeral key of small order is refused', async () => {
    const made = makeFirst(user.credential, bank.credential, {
      first: { ephemeral: { kem: KEM_X25519, publicKey: new Uint8Array(32) } },
    });
    expect(await refusedWith(respond(bank, made.message, bankOptions()))).toEqual([MESSAGE, 'KEY_PUBLIC']);
  });
});

async function credentialWith(
  subject: Identity,
  changes: Partial<Pick<Identity['credential'], 'handshake'>>,
): Promise<Identity['credential']> {
  const { subject: name, roles, signing, handshake, sealing, serial, issuer } = subject.credential;
  const fields = {
    subject: name,
    roles,
    signing,
    handshake,
    sealing,
    serial,
    issuer,
    ...VALIDITY,
    ...changes,
  };
  const encoded = await signCredential(fields, anchor.signer);
  return verifyCredential(encoded, anchor.credential, NOW);
}

/** Lies that are too long or too short, do not open, or whose header is not the one awaited: nobody knows who sent them. */
const FROM_ANYBODY = [
  'encapsulation empty',
  'encapsulation too long',
  'confirmation too short',
  'Ng too short',
  'another bank in info',
  'another user in info',
  'another transcript in info',
  'another binding',
  'encrypted for somebody else',
  'another n1',
  'another n2',
  'another timestamp1',
  'another timestamp2',
  'sender is n1',
  'a sender that is n2',
  'of another type',
];

describe('a lying bank', () => {
  const id = bank.credential.id;
  const lies: readonly (readonly [string, string, Parameters<typeof makeSecond>[2]])[] = [
    ['another Ni', MESSAGE, { second: { userNonce: new Uint8Array(32) } }],
    ['another bank inside', MESSAGE, { second: { gatewayId: mallory.credential.id } }],
    ['another bank in info', 'KEY_OPEN', { infoGatewayId: mallory.credential.id }],
    ['another user in info', 'KEY_OPEN', { infoUserId: mallory.credential.id }],
    ['another transcript in info', 'KEY_OPEN', { infoTranscript: new Uint8Array(32) }],
    ['another binding', 'KEY_OPEN', { binding: TLS }],
    ['encrypted for somebody else', 'KEY_OPEN', { sealTo: mallory.credential.handshake }],
    ['encapsulation empty', MESSAGE, { second: { encapsulation: new Uint8Array(0) } }],
    ['encapsulation too long', MESSAGE, { second: { encapsulation: new Uint8Array(33) } }],
    ['encapsulation of small order', 'KEY_OPEN', { second: { encapsulation: new Uint8Array(32) } }],
    ['encapsulation of somebody else', MESSAGE, { second: { encapsulation: new Uint8Array(32).fill(9) } }],
    ['without x1', MESSAGE, { x1: new Uint8Array(32) }],
    ['confirmation of zeros', MESSAGE, { confirmation: () => new Uint8Array(32) }],
    ['confirmation of the user', MESSAGE, { confirmation: (keys) => keys.confirmUser }],
    ['confirmation altered', MESSAGE, { confirmation: (keys) => flipped(keys.confirmGateway, 31, 0x80) }],
    ['confirmation too short', MESSAGE, { confirmation: (keys) => keys.confirmGateway.subarray(1) }],
    ['Ng too short', MESSAGE, { second: { gatewayNonce: new Uint8Array(31) } }],
    [
      'a byte moved from Ng to the encapsulation',
      'WIRE_TUPLE',
      { second: { gatewayNonce: new Uint8Array(31), encapsulation: new Uint8Array(33) } },
    ],
    ['header that the transcript does not have', MESSAGE, { sentHeader: { timestamp: NOW + 1 } }],
    [
      'handle that the transcript does not have',
      MESSAGE,
      { sentHeader: { n2: new Uint8Array(16), sender: new Uint8Array(16) } },
    ],
    ['another n1', MESSAGE, { header: { n1: new Uint8Array(16) } }],
    ['another timestamp1', MESSAGE, { header: { timestamp1: NOW + 1 } }],
    ['sender is n1', MESSAGE, { header: { sender: new Uint8Array(16) } }],
    ['of another type', MESSAGE, { header: { type: 'nsl-3' } }],
  ];
  test.for(lies)('%s', async ([title, cause, changes]) => {
    const one = initiate(user, bank.credential, userOptions());
    const opened = await openFirst(bank, one.message);
    const lie = makeSecond(id, opened, changes);
    expect(await refusedWith(confirm(one.state, lie.message))).toEqual([MESSAGE, cause]);
    const truth = confirm(one.state, makeSecond(id, opened).message);
    // What anybody could have sent costs one try, and the truth is still heard. What only the bank could have sent,
    // since it opened, ends the session.
    if (FROM_ANYBODY.includes(title)) await truth;
    else expect(await refusedWith(truth)).toEqual(['SESSION_CLOSED', null]);
  });

  test('all lies look alike', async () => {
    const messages = new Set<string>();
    for (const [, , changes] of lies) {
      const one = initiate(user, bank.credential, userOptions());
      const lie = makeSecond(id, await openFirst(bank, one.message), changes);
      const error: unknown = await confirm(one.state, lie.message).catch((cause: unknown) => cause);
      messages.add(String(error));
    }
    expect(messages.size).toBe(1);
  });
});

describe('a lying user', () => {
  const firsts: readonly (readonly [string, Parameters<typeof makeFirst>[2], string])[] = [
    ['another bank in info', { infoId: mallory.credential.id }, 'KEY_OPEN'],
    ['another binding', { binding: TLS }, 'KEY_OPEN'],
    ['no credential', { first: { credential: new Uint8Array(0) } }, 'KEY_CREDENTIAL'],
    ['credential too long', { first: { credential: new Uint8Array(CREDENTIAL_LIMIT + 1) } }, 'WIRE_LIMIT'],
    ['Ni too short', { first: { nonce: new Uint8Array(31) } }, 'WIRE_TUPLE'],
    ['another bucket', { plaintext: pad(tuple('m1'), 4096) }, MESSAGE],
    [
      'a byte in the padding',
      { plaintext: flipped(pad(tuple('m1'), FIRST_BUCKET), FIRST_BUCKET - 1) },
      'WIRE_PADDING',
    ],
    ['another label', { plaintext: pad(tuple('m2'), FIRST_BUCKET) }, 'WIRE_TUPLE'],
    ['nothing', { plaintext: new Uint8Array(0) }, MESSAGE],
    ['sender is not the handle', { header: { sender: new Uint8Array(16) } }, MESSAGE],
  ];
  test.for(firsts)('message 1 with %s', async ([, changes, cause]) => {
    const made = makeFirst(user.credential, bank.credential, changes);
    expect(await refusedWith(respond(bank, made.message, bankOptions()))).toEqual([MESSAGE, cause]);
  });

  test('message 1 with a byte behind its tuple', async () => {
    const { message } = initiate(user, bank.credential, userOptions());
    const { first } = await openFirst(bank, message);
    const { kem: kemId, publicKey } = first.ephemeral;
    const plaintext = pad(
      concat(tuple('m1', first.credential, first.nonce, kemId, publicKey), new Uint8Array(4)),
      FIRST_BUCKET,
    );
    const made = makeFirst(user.credential, bank.credential, { plaintext });
    expect(await refusedWith(respond(bank, made.message, bankOptions()))).toEqual([MESSAGE, 'WIRE_TUPLE']);
  });

  const thirds: readonly (readonly [string, Parameters<typeof makeThird>[3], string | null])[] = [
    ['another Ng', { nonce: new Uint8Array(32) }, MESSAGE],
    ['another confirmation', { confirmation: new Uint8Array(32) }, MESSAGE],
    ['another of both', { nonce: new Uint8Array(32), confirmation: new Uint8Array(32) }, MESSAGE],
    ['another transcript in info', { th2: new Uint8Array(32) }, 'KEY_OPEN'],
    ['another user in info', { callerId: mallory.credential.id }, 'KEY_OPEN'],
    ['another bank in info', { gatewayId: mallory.credential.id }, 'KEY_OPEN'],
    ['another n2', { header: { n2: new Uint8Array(16) } }, MESSAGE],
    ['another timestamp2', { header: { timestamp2: NOW + 1 } }, MESSAGE],
    ['a sender that is n2', { header: { sender: new Uint8Array(16) } }, MESSAGE],
    ['confirmation too short', { confirmation: new Uint8Array(31) }, MESSAGE],
    [
      'a byte moved from Ng to the confirmation',
      { nonce: new Uint8Array(31), confirmation: new Uint8Array(33) },
      'WIRE_TUPLE',
    ],
  ];
  test.for(thirds)('message 3 with %s', async ([title, changes, cause]) => {
    const made = makeFirst(user.credential, bank.credential);
    const two = await respond(bank, made.message, bankOptions());
    const answer = await openSecond(user, bank.credential, made, two.message);
    const session = { ...answer, nonce: answer.second.gatewayNonce };
    const lie = makeThird(bank.credential, user.credential.id, session, changes);
    expect(await refusedWith(accept(two.state, lie, NONE))).toEqual([MESSAGE, cause]);
    const truth = accept(two.state, makeThird(bank.credential, user.credential.id, session), NONE);
    if (FROM_ANYBODY.includes(title)) await truth;
    else expect(await refusedWith(truth)).toEqual(['SESSION_CLOSED', null]);
  });

  test('the bank’s own confirmation does not do for message 3', async () => {
    const made = makeFirst(user.credential, bank.credential);
    const two = await respond(bank, made.message, bankOptions());
    const { keys, second, ...answer } = await openSecond(user, bank.credential, made, two.message);
    const session = { ...answer, keys, nonce: second.gatewayNonce };
    const lie = makeThird(bank.credential, user.credential.id, session, {
      confirmation: keys.confirmGateway,
    });
    expect(await refusedWith(accept(two.state, lie, NONE))).toEqual([MESSAGE, MESSAGE]);
  });
});

describe('the clock', () => {
  test.for([-300_000, 300_000])('a user whose clock is off by %i is heard', async (skew) => {
    const clock = new FakeClock();
    clock.wall = NOW + skew;
    const { conclusion } = await played({ userOptions: userOptions({ clock }) });
    expect(conclusion.reply.data).toBe(ANSWER);
  });

  test.for([-300_001, 300_001])('a user whose clock is off by %i is not', async (skew) => {
    const clock = new FakeClock();
    clock.wall = NOW + skew;
    const { message } = initiate(user, bank.credential, userOptions({ clock }));
    expect(await refusedWith(respond(bank, message, bankOptions()))).toEqual(['SESSION_REPLAY', null]);
  });

  test.for([-300_001, 300_001])('n1 chosen %i off is refused even in a message of now', async (skew) => {
    const made = makeFirst(user.credential, bank.credential, { header: { timestamp1: NOW + skew } });
    expect(await refusedWith(respond(bank, made.message, bankOptions()))).toEqual(['SESSION_REPLAY', null]);
  });

  test.for([-300_001, 300_001])('messages 2 to 5 that arrive %i off are refused', async (skew) => {
    const [ours, theirs] = [new FakeClock(), new FakeClock()];
    const setting = {
      userOptions: userOptions({ clock: ours }),
      bankOptions: bankOptions({ clock: theirs }),
    };
    const { one, two } = await untilSecond(setting);
    const off = async (clock: FakeClock, run: () => Promise<unknown>): Promise<void> => {
      clock.wall = NOW - skew;
      expect(await refusedWith(run())).toEqual([MESSAGE, 'SESSION_REPLAY']);
      clock.wall = NOW;
    };
    await off(ours, () => confirm(one.state, two.message));
    const three = await confirm(one.state, two.message);
    await off(theirs, () => accept(two.state, three.message, NONE));
    const accepted = await accept(two.state, three.message, NONE);
    const four = await request(three.state, QUESTION);
    await off(theirs, () => serve(accepted, four.message, NONE));
    const { state } = await serve(accepted, four.message, NONE);
    const five = await reply(state, ANSWER);
    await off(ours, () => conclude(four.state, five.message));
    await conclude(four.state, five.message);
  });
});

describe('the binding to the transport', () => {
  const other = { kind: 'tls-exporter' as const, value: new Uint8Array(32).fill(8) };

  test('two ends of different connections do not agree', async () => {
    const one = initiate(user, bank.credential, userOptions({ binding: TLS }));
    const two = await respond(bank, one.message, bankOptions({ binding: other }));
    expect(await refusedWith(confirm(one.state, two.message))).toEqual([MESSAGE, 'KEY_OPEN']);
  });

  test('bound and unbound do not agree', async () => {
    const bound = initiate(user, bank.credential, userOptions({ binding: TLS }));
    expect(await refusedWith(respond(bank, bound.message, bankOptions()))).toEqual([MESSAGE, 'KEY_OPEN']);
    const unbound = initiate(user, bank.credential, userOptions());
    expect(await refusedWith(respond(bank, unbound.message, bankOptions({ binding: TLS })))).toEqual([
      MESSAGE,
      'KEY_OPEN',
    ]);
  });

  test('messages 3 and 4 on another connection are refused, and heard on their own', async () => {
    const setting = {
      userOptions: userOptions({ binding: TLS }),
      bankOptions: bankOptions({ binding: TLS }),
    };
    const { two, three } = await untilThird(setting);
    for (const wrong of [other, NONE])
      expect(await refusedWith(accept(two.state, three.message, wrong))).toEqual([MESSAGE, MESSAGE]);
    const accepted = await accept(two.state, three.message, TLS);
    const four = await request(three.state, QUESTION);
    for (const wrong of [other, NONE])
      expect(await refusedWith(serve(accepted, four.message, wrong))).toEqual([MESSAGE, MESSAGE]);
    expect((await serve(accepted, four.message, TLS)).accepted).toBe(true);
  });
});

describe('an altered byte', () => {
  // A state bears seven bad messages, so that every seventh byte needs a new session.
  const positions = (message: Uint8Array, stride: number): number[] =>
    Array.from({ length: Math.ceil(message.length / stride) }, (_, i) => i * stride);

  test('in message 1', async () => {
    const { message } = initiate(user, bank.credential, userOptions());
    const replay = new MemoryReplayCache({ capacity: 100_000, floor: 0 });
    const codes: Record<string, number> = {};
    for (const at of positions(message, 11)) {
      const [code] = await refusedWith(
        respond(bank, flipped(message, at, 1 << (at % 8)), bankOptions({ replay })),
      );
      codes[code] = (codes[code] ?? 0) + 1;
    }
    expect(Object.keys(codes).sort()).toEqual([MESSAGE, 'SESSION_REPLAY']); // an altered time counts as out of the window
    expect(codes[MESSAGE]).toBeGreaterThan(900);
    await respond(bank, message, bankOptions({ replay }));
  });

  const places: readonly (readonly [
    number,
    () => Promise<readonly [Uint8Array, (message: Uint8Array) => Promise<unknown>]>,
  ])[] = [
    [
      2,
      async () => {
        const { one, two } = await untilSecond();
        return [two.message, (message) => confirm(one.state, message)];
      },
    ],
    [
      3,
      async () => {
        const { two, three } = await untilThird();
        return [three.message, (message) => accept(two.state, message, NONE)];
      },
    ],
    [
      4,
      async () => {
        const { accepted, four } = await untilRequest();
        return [four.message, (message) => serve(accepted, message, NONE)];
      },
    ],
    [
      5,
      async () => {
        const { four, five } = await untilReply();
        return [five.message, (message) => conclude(four.state, message)];
      },
    ],
  ];
  test.for(places)('in message %i', async ([place, prepare]) => {
    const [{ length }] = await prepare();
    let tried = 0;
    for (let at = place; at < length;) {
      const [message, receive] = await prepare();
      for (let left = 7; left > 0 && at < length; left--, at += 3) {
        expect((await refusedWith(receive(flipped(message, at, 1 << (at % 8)))))[0]).toBe(MESSAGE);
        tried++;
      }
      await receive(message);
    }
    expect(tried).toBeGreaterThan(150);
  });
});

describe('recorded traffic', () => {
  test.for([KEM_X25519, KEM_XWING] as const)(
    'does not open with both sides’ long-term keys afterwards, KEM %i',
    async (id) => {
      const [by, to] = [await party('U', id), await party('G', id)];
      const { one, two, three, four } = await untilReply({ user: by, bank: to });
      const opened = await openFirst(to, one.message);

      // Everything that the static keys give: both plaintexts, both nonces, both exporter secrets, the transcript.
      const header = decodeEnvelope(two.message).header;
      const sealed = decodeSealed(two.message).ciphertext;
      const { encapsulationLength } = kem(id);
      const info = handshakeInfo(2, by.handshake, NONE, by.credential.id, to.credential.id, opened.th1);
      const encapsulation = sealed.slice(0, encapsulationLength);
      const second = await hpkeOpenWith(by.handshake, info, headerTuple(header), {
        encapsulation,
        ciphertext: sealed.slice(encapsulationLength),
      });
      const { second: said, core2 } = decodeConfirmed(second.plaintext);
      expect(said.userNonce).toEqual(opened.first.nonce);
      const x2 = second.exporter(EXPORT_CONTEXT, 32);
      const th2 = secondTranscript(opened.th1, headerTuple(header), encapsulation, core2);

      // What they do not give is the ephemeral secret; every other secret at hand in its place opens nothing.
      const outer = decodeSealed(four.message);
      const open = (ephemeral: Uint8Array): Uint8Array => {
        const prk = hkdfExtract(th2, concat(ephemeral, opened.x1, x2, said.userNonce, said.gatewayNonce));
        return openOnce(
          deriveTuple(prk, 'key', 'data u2g', th2),
          headerTuple(outer.header),
          outer.ciphertext,
        );
      };
      const statics = await Promise.all(
        [by.handshake, to.handshake, by.sealing, to.sealing].map((key) =>
          key.decapsulate(said.encapsulation).catch(() => new Uint8Array(32)),
        ),
      );
      for (const wrong of [
        ...statics,
        new Uint8Array(32),
        opened.x1,
        x2,
        said.userNonce,
        said.gatewayNonce,
        th2,
      ])
        expect(() => open(wrong)).toThrow(expect.objectContaining({ code: 'KEY_OPEN' }));
      expect(three.message.length).toBeGreaterThan(0);
    },
  );

  test('would open with the ephemeral key, which the user erased', async () => {
    const made = makeFirst(user.credential, bank.credential);
    const two = await respond(bank, made.message, bankOptions());
    const { keys, second, ...answer } = await openSecond(user, bank.credential, made, two.message);
    const session = { ...answer, keys, nonce: second.gatewayNonce };
    const accepted = await accept(two.state, makeThird(bank.credential, user.credential.id, session), NONE);
    const header = { ...answer.header, type: 'request' as const, sender: answer.header.n1, timestamp: NOW };
    const inner = { header: { ...header, sender: user.credential.id }, data: QUESTION };
    const context = {
      sessionId: keys.sessionId,
      from: user.credential.id,
      to: bank.credential.id,
      answers: null,
    };
    const signedInner = await signEnvelope(user.signer, inner, context);
    const plaintext = tuple('message', encodeEnvelope(signedInner), []);
    const ciphertext = sealOnce(keys.dataToGateway, headerTuple(header), plaintext);
    const service = await serve(accepted, encodeEnvelope({ header, ciphertext }), NONE);
    expect(service.accepted && service.request.data).toBe(QUESTION);
  });
});

describe('requests by somebody who has the session key', () => {
  // The session's keys are not the signing key: what is evidence takes both.
  test.for([
    ['a signature of nobody', null],
    ['a signature of another', mallory],
  ] as const)('%s', async ([, signer]) => {
    const made = makeFirst(user.credential, bank.credential);
    const two = await respond(bank, made.message, bankOptions());
    const { keys, second, ...answer } = await openSecond(user, bank.credential, made, two.message);
    const session = { ...answer, keys, nonce: second.gatewayNonce };
    const accepted = await accept(two.state, makeThird(bank.credential, user.credential.id, session), NONE);
    const header = { ...answer.header, type: 'request' as const, sender: answer.header.n1, timestamp: NOW };
    const signature = (await signer?.signer.sign(tuple('request'))) ?? new Uint8Array(64);
    const inner = new SignedEnvelope({ ...header, sender: user.credential.id }, QUESTION, signature);
    const plaintext = tuple('message', encodeEnvelope(inner), []);
    const ciphertext = sealOnce(keys.dataToGateway, headerTuple(header), plaintext);
    const message = encodeEnvelope({ header, ciphertext });
    expect(await refusedWith(serve(accepted, message, NONE))).toEqual([MESSAGE, 'ENVELOPE_SIGNATURE']);
  });
});
