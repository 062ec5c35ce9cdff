/**
 * Conversations over a plain TCP socket, where the session's own keys are all the protection there is, with an
 * attacker who sits between, sees every byte and sends on what it likes.
 */

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { decodeEnvelope } from '../../src/envelope/index.ts';
import { MunimentError } from '../../src/errors.ts';
import {
  accept,
  conclude,
  confirm,
  initiate,
  joinMessages,
  MemoryReplayCache,
  reply,
  request,
  respond,
  serve,
  splitMessages,
  type Responded,
} from '../../src/protocol/index.ts';
import { utf8 } from '../../src/wire/index.ts';
import { flipped } from '../mutation.ts';
import { makeFirst, makeSecond, openSecond } from './by-hand.ts';
import { ANSWER, bank, bankOptions, mallory, NONE, QUESTION, user, userOptions } from './fixture.ts';

/** A message as it travels: behind its length, since TCP knows no messages. */
class Peer {
  readonly #socket: Socket;
  readonly #frames: AsyncIterator<Buffer, undefined>;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => undefined); // a connection that breaks is one that ends
    this.#frames = frames(socket);
  }

  send(message: Uint8Array): void {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(message.length);
    this.#socket.write(Buffer.concat([length, message]));
  }

  /** The next message, or `null` at the end. */
  async receive(): Promise<Uint8Array | null> {
    const next = await this.#frames.next();
    return next.done === true ? null : new Uint8Array(next.value);
  }

  close(): void {
    this.#socket.end();
  }
}

async function* frames(socket: Socket): AsyncGenerator<Buffer, undefined> {
  let buffer: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      buffer = Buffer.concat([buffer, chunk]);
      while (buffer.length >= 4 && buffer.length >= 4 + buffer.readUInt32BE()) {
        const end = 4 + buffer.readUInt32BE();
        yield buffer.subarray(4, end);
        buffer = buffer.subarray(end);
      }
    }
  } catch {
    // broken off: what was cut is no message
  }
}

async function dial(server: Server): Promise<Peer> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  return new Peer(socket);
}

async function listen(handle: (peer: Peer) => Promise<void>): Promise<Server> {
  const server = createServer((socket) => void handle(new Peer(socket)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** What the bank executed, and the states that it held when their peer was gone. */
const executed: string[] = [];
const abandoned: Responded[] = [];
const replay = new MemoryReplayCache({ capacity: 10_000, floor: 0 });

/** The bank's end of a connection: what is bad is dropped without a word, and the state goes with the peer. */
async function bankOn(peer: Peer): Promise<void> {
  let state: Responded | null = null;
  for (let message = await peer.receive(); message !== null; message = await peer.receive()) {
    try {
      if (state === null) {
        const two = await respond(bank, message, bankOptions({ replay }));
        state = two.state;
        peer.send(two.message);
      } else {
        const { third, request: fourth } = splitMessages(message);
        const service = await serve(await accept(state, third, NONE), fourth, NONE);
        if (!service.accepted) throw new MunimentError('SESSION_PEER');
        executed.push(service.request.data);
        peer.send((await reply(service.state, ANSWER)).message);
      }
    } catch (error) {
      if (!(error instanceof MunimentError)) throw error;
    }
  }
  if (state !== null) abandoned.push(state);
  state?.close();
  peer.close();
}

/** The user's end: what does not belong to the conversation is dropped, and waiting goes on. */
async function callOn(peer: Peer): Promise<string> {
  const hear = async <Heard>(step: (message: Uint8Array) => Promise<Heard>): Promise<Heard> => {
    for (let message = await peer.receive(); message !== null; message = await peer.receive()) {
      try {
        return await step(message);
      } catch (error) {
        if (!(error instanceof MunimentError) || error.code !== 'SESSION_MESSAGE') throw error;
      }
    }
    throw new Error('the connection ended');
  };
  try {
    const one = initiate(user, bank.credential, userOptions());
    peer.send(one.message);
    const three = await hear((message) => confirm(one.state, message));
    const four = await request(three.state, QUESTION);
    peer.send(joinMessages(three.message, four.message));
    return (await hear((message) => conclude(four.state, message))).reply.data;
  } finally {
    peer.close();
  }
}

/** What the attacker sends on in place of one message; `null` at the end cuts the connection there. */
type Meddle = (message: Uint8Array) => readonly (Uint8Array | null)[];
type Place = 'message 1' | 'message 2' | 'messages 3 and 4' | 'message 5';
const TO_BANK: readonly Place[] = ['message 1', 'messages 3 and 4'];
const TO_USER: readonly Place[] = ['message 2', 'message 5'];

let attack: Partial<Record<Place, Meddle>> = {};
/** Every message that passed the attacker, before it meddled. */
let seen: [Place, Uint8Array][] = [];
let servers: readonly Server[] = [];

beforeAll(async () => {
  const bankServer = await listen(bankOn);
  const attacker = await listen(async (victim) => {
    const behind = await dial(bankServer);
    await Promise.all([relay(victim, behind, TO_BANK), relay(behind, victim, TO_USER)]);
  });
  servers = [bankServer, attacker];
});

async function relay(from: Peer, to: Peer, places: readonly Place[]): Promise<void> {
  for (const place of places) {
    const message = await from.receive();
    if (message === null) break;
    seen.push([place, message]);
    for (const sent of attack[place]?.(message) ?? [message]) {
      if (sent === null) to.close();
      else to.send(sent);
    }
  }
  await from.receive(); // until it has ended too
  to.close();
}

afterAll(() => {
  for (const server of servers) server.close();
});

beforeEach(() => {
  attack = {};
  seen = [];
  executed.length = 0;
  abandoned.length = 0;
});

/** A call through the attacker: the answer, or how it ended without one. */
async function call(meddling: typeof attack = {}): Promise<string> {
  attack = meddling;
  try {
    return await callOn(await dial(servers[1]!));
  } catch (error) {
    return error instanceof MunimentError ? error.code : (error as Error).message;
  }
}

/** What the bank says to somebody who sends it these messages and no others. */
async function dictated(...messages: Uint8Array[]): Promise<Uint8Array[]> {
  const peer = await dial(servers[0]!);
  for (const message of messages) peer.send(message);
  peer.close();
  const said: Uint8Array[] = [];
  for (let message = await peer.receive(); message !== null; message = await peer.receive())
    said.push(message);
  return said;
}

async function recorded(): Promise<Record<Place, Uint8Array>> {
  expect(await call()).toBe(ANSWER);
  const messages = Object.fromEntries(seen) as Record<Place, Uint8Array>;
  executed.length = 0;
  return messages;
}

const ENDED = 'the connection ended';
const GARBAGE = utf8('<behc>');

test('who only listens sees four messages, and nothing of what they say', async () => {
  expect(await call()).toBe(ANSWER);
  expect(executed).toEqual([QUESTION]);
  expect(seen.map(([place]) => place)).toEqual(['message 1', 'message 2', 'messages 3 and 4', 'message 5']);
  const traffic = Buffer.concat(seen.map(([, message]) => message));
  const people = [user, bank].flatMap(({ credential }) => [credential.id, credential.encoded]);
  for (const secret of [utf8(QUESTION), utf8(ANSWER), utf8('Dr. Ruiz'), ...people])
    for (const spelled of [
      Buffer.from(secret),
      Buffer.from(Buffer.from(secret).toString('base64url').slice(0, -2)),
    ])
      expect(traffic.includes(spelled)).toBe(false);
});

describe('who alters', () => {
  test.for([...TO_BANK, ...TO_USER])('%s gets nothing done that was not asked', async (place) => {
    for (const part of [0, 0.02, 0.3, 0.5, 0.97]) {
      executed.length = 0;
      const alter: Meddle = (message) => [flipped(message, Math.floor(message.length * part)), null];
      expect(await call({ [place]: alter })).toBe(ENDED);
      // Altered on the way there it does not happen; on the way back it has happened once, and the user does not know.
      expect(executed).toEqual(place === 'message 5' ? [QUESTION] : []);
    }
  });
});

describe('who replays', () => {
  test('a whole conversation is not answered', async () => {
    const old = await recorded();
    expect(await dictated(old['message 1'], old['messages 3 and 4'])).toEqual([]);
    expect(executed).toEqual([]);
  });

  test('what was asked once does not have it happen again in a later session', async () => {
    const old = await recorded();
    expect(await call({ 'messages 3 and 4': () => [old['messages 3 and 4'], null] })).toBe(ENDED);
    expect(executed).toEqual([]);
  });

  test('what was answered once is not taken for an answer, and the true one is still heard', async () => {
    const old = await recorded();
    const before =
      (place: Place): Meddle =>
      (message) => [old[place], message];
    expect(await call({ 'message 2': before('message 2'), 'message 5': before('message 5') })).toBe(ANSWER);
    expect(executed).toEqual([QUESTION]);
  });

  test('a request twice in its own session has it happen once', async () => {
    expect(await call({ 'messages 3 and 4': (message) => [message, message] })).toBe(ANSWER);
    expect(executed).toEqual([QUESTION]);
  });
});

describe('who injects', () => {
  test.for([...TO_BANK, ...TO_USER].slice(1))(
    'seven messages before %s does not talk the session to death',
    async (place) => {
      const seven: Meddle = (message) => [...Array<Uint8Array>(7).fill(GARBAGE), message];
      expect(await call({ [place]: seven })).toBe(ANSWER);
      expect(executed).toEqual([QUESTION]);
    },
  );

  test.for(TO_USER)('eight before %s does, and the user knows no outcome', async (place) => {
    const eight: Meddle = (message) => [...Array<Uint8Array>(8).fill(GARBAGE), message];
    expect(await call({ [place]: eight })).toBe('SESSION_CLOSED');
    expect(executed).toEqual(place === 'message 5' ? [QUESTION] : []);
  });

  test('the user’s own messages back to it', async () => {
    const back: Meddle = (message) => [...seen.map(([, own]) => own).slice(0, 3), message];
    expect(await call({ 'message 2': back, 'message 5': back })).toBe(ANSWER);
  });

  test('an answer of its own to a call that it cannot read', async () => {
    const forged: Meddle = () => {
      const made = makeFirst(user.credential, bank.credential);
      const guess = { header: decodeEnvelope(seen[0]![1]).header, th1: made.th1, x1: made.x1 };
      const first = { credential: user.credential.encoded, nonce: made.nonce, ephemeral: made.ephemeral };
      return [makeSecond(bank.credential.id, { ...guess, first, caller: user.credential }).message, null];
    };
    expect(await call({ 'message 2': forged })).toBe(ENDED);
    expect(executed).toEqual([]);
  });

  test('a call in the user’s name gets an answer that only the user can read', async () => {
    const made = makeFirst(user.credential, bank.credential);
    const [answer, ...more] = await dictated(made.message, joinMessages(GARBAGE, GARBAGE));
    expect(more).toEqual([]);
    await expect(openSecond(mallory, bank.credential, made, answer!)).rejects.toMatchObject({
      code: 'KEY_OPEN',
    });
    expect(executed).toEqual([]);
  });
});

describe('who moves and cuts', () => {
  test('messages of one session do nothing on another connection', async () => {
    let held: Uint8Array = GARBAGE;
    const hold: Meddle = (message) => [((held = message), null)];
    expect(await call({ 'messages 3 and 4': hold })).toBe(ENDED);
    expect(await call({ 'messages 3 and 4': () => [held, null] })).toBe(ENDED);
    expect(executed).toEqual([]);
  });

  test('messages 3 and 4 in the other order do nothing', async () => {
    const turned: Meddle = (message) => {
      const { third, request: fourth } = splitMessages(message);
      return [joinMessages(fourth, third), null];
    };
    expect(await call({ 'messages 3 and 4': turned })).toBe(ENDED);
    expect(executed).toEqual([]);
  });

  test('a session ends with its connection: what was cut off is not taken later', async () => {
    let cut: Uint8Array = GARBAGE;
    const hold: Meddle = (message) => [((cut = message), null)];
    expect(await call({ 'messages 3 and 4': hold })).toBe(ENDED);
    const [state, ...others] = abandoned;
    expect(others).toEqual([]);
    expect(state!.open).toBe(false);
    await expect(accept(state!, splitMessages(cut).third, NONE)).rejects.toMatchObject({
      code: 'SESSION_CLOSED',
    });
  });
});
