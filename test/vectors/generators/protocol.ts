/** Vectors of spec/protocol.md: whole conversations with every intermediate value, and messages that are refused. */

import type { ErrorCode } from '../../../src/errors.ts';
import {
  kem,
  TAG_LENGTH,
  deriveTuple,
  hkdfExtract,
  hmac,
  hpkeOpen,
  KEM_X25519,
  KEM_XWING,
  openOnce,
  sha256,
  type KemId,
  type Random,
} from '../../../src/crypto/index.ts';
import {
  decodeEnvelope,
  digestsOf,
  encodeEnvelope,
  headerTuple,
  SignedEnvelope,
  type Envelope,
  type Header,
  type SealedEnvelope,
} from '../../../src/envelope/index.ts';
import {
  createAnchor,
  createIdentity,
  createKeys,
  enrol,
  exposeSecret,
  readAnchor,
  verifyCredential,
  type Credential,
  type Identity,
  type SoftwareKeys,
} from '../../../src/keys/index.ts';
import {
  accept,
  conclude,
  confirm,
  initiate,
  MemoryReplayCache,
  reply,
  request,
  respond,
  serve,
  type Binding,
} from '../../../src/protocol/index.ts';
import { decodeConfirmed, decodeFirst, splitHandshake } from '../../../src/protocol/messages.ts';
import {
  EXPORT_CONTEXT,
  firstTranscript,
  handshakeInfo,
  secondTranscript,
} from '../../../src/protocol/schedule.ts';
import { concat, fromUtf8, tuple, TupleReader } from '../../../src/wire/index.ts';
import { flipped } from '../../mutation.ts';
import { decapsulate } from '../../noble.ts';
import type { VectorCase, VectorFile } from '../file.ts';
import { hex, unhex } from '../hex.ts';
import { seededRandom } from './seed.ts';

/** A party: its three secret seeds and its credential. */
export interface PartyVector {
  readonly kem: KemId;
  readonly signingSecret: string;
  readonly handshakeSecret: string;
  readonly sealingSecret: string;
  readonly credential: string;
  readonly id: string;
}

/** One of the handshake's three messages, opened. */
export interface HandshakeVector {
  readonly message: string;
  readonly header: string;
  readonly info: string;
  readonly encapsulation: string;
  readonly sharedSecret: string;
  readonly ciphertext: string;
  readonly plaintext: string;
  /** What HPKE exports under T("muniment/1 x"); of messages 1 and 2. */
  readonly exported?: string;
}

/** Message 4 or 5, opened. */
export interface SealedVector {
  readonly message: string;
  readonly header: string;
  readonly salt: string;
  readonly key: string;
  readonly plaintext: string;
  readonly envelope: string;
  readonly documents: readonly string[];
  readonly signatureInput: string;
  readonly evidence: string;
}

/** A whole conversation. */
export interface ConversationVector {
  readonly operation: 'conversation';
  readonly issuer: { readonly credential: string; readonly id: string };
  readonly user: PartyVector;
  readonly gateway: PartyVector;
  readonly binding: { readonly kind: Binding['kind']; readonly value: string };
  /** When each message is made, in milliseconds since 1970. */
  readonly times: readonly number[];
  /** What each side draws, in order. */
  readonly randomness: { readonly user: readonly string[]; readonly gateway: readonly string[] };
  readonly request: { readonly data: string; readonly documents: readonly string[] };
  readonly reply: { readonly data: string; readonly documents: readonly string[] };
  readonly message1: HandshakeVector;
  readonly th1: string;
  readonly message2: HandshakeVector;
  readonly core2: string;
  readonly th2: string;
  readonly ephemeralSecret: string;
  readonly prk: string;
  readonly keys: {
    readonly 'confirm g': string;
    readonly 'confirm u': string;
    readonly 'data u2g': string;
    readonly 'data g2u': string;
    readonly 'session id': string;
  };
  readonly confirmations: { readonly gateway: string; readonly user: string };
  readonly message3: HandshakeVector;
  readonly message4: SealedVector;
  readonly message5: SealedVector;
  readonly sessionId: string;
}

/** A message that is refused at its place in a conversation of this file. */
export interface RefusedVector {
  readonly operation: 'refused';
  /** The name of the conversation. */
  readonly conversation: string;
  /** The message that this one takes the place of. */
  readonly step: number;
  readonly message: string;
  /** The receiver's clock. */
  readonly at: number;
}

export type ProtocolCase = VectorCase & (ConversationVector | RefusedVector);

/** The file. */
export async function generate(): Promise<VectorFile<ProtocolCase>> {
  const names = { [KEM_X25519]: 'X25519', [KEM_XWING]: 'X-Wing' };
  const conversations: (VectorCase & ConversationVector)[] = [];
  for (const user of [KEM_X25519, KEM_XWING] as const)
    for (const gateway of [KEM_X25519, KEM_XWING] as const)
      conversations.push(
        await conversation(`conversation: user ${names[user]}, bank ${names[gateway]}`, user, gateway),
      );
  const [classical] = conversations;
  return {
    description:
      'Whole conversations with fixed keys, randomness and clock: all five messages and every value in between; and messages that are refused at their place in one of them.',
    spec: 'spec/protocol.md',
    cases: [...conversations, ...refusedCases(classical!)],
  };
}

const T = Date.UTC(2026, 2, 14, 9, 26, 53, 589);
/** When the five messages are made. */
const TIMES = [T, T + 41, T + 83, T + 97, T + 160];
const VALIDITY = { notBefore: Date.UTC(2026, 0), notAfter: Date.UTC(2027, 0) };

async function conversation(
  name: string,
  userKem: KemId,
  gatewayKem: KemId,
): Promise<VectorCase & ConversationVector> {
  const issuer = await createAnchor(
    { subject: 'Hospital', roles: ['administrator'], ...VALIDITY },
    { kem: KEM_X25519, random: seededRandom(`${name} issuer`) },
  );
  const user = await party(issuer, 'Dr. Ruiz', `${name} user`, userKem);
  const gateway = await party(issuer, 'Banc', `${name} bank`, gatewayKem);
  const tls = userKem === gatewayKem;
  const binding: Binding = tls
    ? { kind: 'tls-exporter', value: seededRandom(`${name} binding`)(32) }
    : { kind: 'none', value: new Uint8Array(0) };
  const documents = tls ? [seededRandom(`${name} document`)(40), new Uint8Array(0)] : [];
  const input: ConversationInput = {
    issuer: { credential: hex(issuer.credential.encoded), id: hex(issuer.credential.id) },
    user,
    gateway,
    binding: { kind: binding.kind, value: hex(binding.value) },
    times: TIMES,
    request: { data: '{"id":"1","read":{"record":"7"}}', documents: documents.map(hex) },
    reply: { data: '{"outcome":"done","text":"a < b & c"}', documents: documents.map(hex).reverse() },
  };
  const [drawnByUser, drawnByGateway] = [
    recorder(seededRandom(`${name} user draws`)),
    recorder(seededRandom(`${name} bank draws`)),
  ];
  const run = await playConversation(input, { user: drawnByUser.random, gateway: drawnByGateway.random });
  const randomness = { user: drawnByUser.drawn, gateway: drawnByGateway.drawn };
  return { name, operation: 'conversation', ...input, randomness, ...explain({ ...input, randomness }, run) };
}

/** What a conversation is made from, beside randomness. */
export type ConversationInput = Pick<
  ConversationVector,
  'issuer' | 'user' | 'gateway' | 'binding' | 'times' | 'request' | 'reply'
>;

/** The messages and evidence of a conversation. */
export interface ConversationRun {
  readonly messages: readonly Uint8Array[];
  readonly sessionId: Uint8Array;
  readonly evidence: { readonly request: Uint8Array; readonly reply: Uint8Array };
}

/** What arrives, and when by the receiver's clock. */
export interface Delivery {
  readonly message: Uint8Array;
  readonly at: number;
}

/**
 * Plays a conversation through the library, both sides. A receiver's clock stands at the time of its own next message.
 *
 * @param input - parties, binding, times, what is said
 * @param randoms - what each side draws from
 * @param network - what becomes of each message
 */
export async function playConversation(
  input: ConversationInput,
  randoms: { readonly user: Random; readonly gateway: Random },
  network: (step: number, sent: Delivery) => Delivery = (_, sent) => sent,
): Promise<ConversationRun> {
  let time = input.times[0]!;
  const clock = { now: () => time, monotonic: () => 0 };
  const arrive = (step: number, message: Uint8Array): Uint8Array => {
    const delivered = network(step, { message, at: input.times[Math.min(step, 4)]! });
    time = delivered.at;
    return delivered.message;
  };
  const anchor = readAnchor(unhex(input.issuer.credential), unhex(input.issuer.id));
  const validate = (encoded: Uint8Array, now: number): Credential => verifyCredential(encoded, anchor, now);
  const [user, gateway] = [identityOf(input.user, anchor), identityOf(input.gateway, anchor)];
  const binding = { kind: input.binding.kind, value: unhex(input.binding.value) };

  const one = initiate(user, gateway.credential, { binding, clock, random: randoms.user });
  const bank = {
    binding,
    clock,
    random: randoms.gateway,
    replay: new MemoryReplayCache({ capacity: 100_000, floor: 0 }),
    validate,
  };
  const two = await respond(gateway, arrive(1, one.message), bank);
  const three = await confirm(one.state, arrive(2, two.message));
  const accepted = await accept(two.state, arrive(3, three.message), binding);
  const four = await request(three.state, input.request.data, input.request.documents.map(unhex));
  const served = await serve(accepted, arrive(4, four.message), binding);
  if (!served.accepted) throw new Error('the credential is not accepted');
  const five = await reply(served.state, input.reply.data, input.reply.documents.map(unhex));
  const { sessionId, evidence } = await conclude(four.state, arrive(5, five.message));
  if (hex(served.evidence) !== hex(evidence.request) || hex(five.evidence) !== hex(evidence.reply))
    throw new Error('the two sides keep different evidence');
  const messages = [one.message, two.message, three.message, four.message, five.message];
  return { messages, sessionId, evidence };
}

/** Randomness that gives these draws, in this order and these lengths, and no others. */
export function fixedRandom(draws: readonly string[]): Random {
  const left = draws.map(unhex);
  return (length) => {
    const next = left.shift();
    if (next?.length !== length) throw new Error('not the draws of this conversation');
    return next;
  };
}

function recorder(source: Random): { readonly random: Random; readonly drawn: readonly string[] } {
  const drawn: string[] = [];
  return {
    random: (length) => {
      const bytes = source(length);
      drawn.push(hex(bytes));
      return bytes;
    },
    drawn,
  };
}

async function party(issuer: Identity, subject: string, label: string, id: KemId): Promise<PartyVector> {
  const { random, drawn } = recorder(seededRandom(label));
  const { credential } = await enrol(
    issuer,
    { subject, roles: ['doctor'], ...VALIDITY },
    { kem: id, random },
  );
  const [signingSecret = '', handshakeSecret = '', sealingSecret = ''] = drawn;
  return {
    kem: id,
    signingSecret,
    handshakeSecret,
    sealingSecret,
    credential: hex(credential.encoded),
    id: hex(credential.id),
  };
}

/** A party's identity from its seeds and credential. */
export function identityOf(vector: PartyVector, anchor: Credential): Identity {
  return createIdentity(
    keysOf(vector),
    verifyCredential(unhex(vector.credential), anchor, VALIDITY.notBefore),
  );
}

function keysOf({ kem: id, signingSecret, handshakeSecret, sealingSecret }: PartyVector): SoftwareKeys {
  return createKeys({ kem: id, random: fixedRandom([signingSecret, handshakeSecret, sealingSecret]) });
}

type Explained = Omit<ConversationVector, keyof ConversationInput | 'operation' | 'randomness'>;

// Opens the messages with the receivers' keys and writes down what is in between.
function explain(
  input: ConversationInput & Pick<ConversationVector, 'randomness'>,
  run: ConversationRun,
): Explained {
  const [userId, gatewayId] = [unhex(input.user.id), unhex(input.gateway.id)];
  const binding = { kind: input.binding.kind, value: unhex(input.binding.value) };
  const [userKeys, gatewayKeys] = [keysOf(input.user), keysOf(input.gateway)];
  const message = (step: number): Uint8Array => run.messages[step - 1]!;

  const one = opened(gatewayKeys, message(1), handshakeInfo(1, gatewayKeys.handshake, binding, gatewayId));
  const th1 = firstTranscript(
    one.header,
    one.encapsulation,
    one.ciphertext,
    one.plaintext,
    gatewayId,
    binding,
  );
  const first = decodeFirst(one.plaintext);

  const two = opened(
    userKeys,
    message(2),
    handshakeInfo(2, userKeys.handshake, binding, userId, gatewayId, th1),
  );
  const { second, core2, confirmation } = decodeConfirmed(two.plaintext);
  const th2 = secondTranscript(th1, two.header, two.encapsulation, core2);
  const ephemeralSecret = decapsulate(
    first.ephemeral.kem,
    second.encapsulation,
    unhex(input.randomness.user[1]!),
  );
  const secrets = [ephemeralSecret, one.exported, two.exported, second.userNonce, second.gatewayNonce];
  const prk = hkdfExtract(th2, concat(...secrets));
  const key = (label: string): Uint8Array => deriveTuple(prk, 'key', label, th2);
  const [confirmGateway, confirmUser] = [hmac(key('confirm g'), th2), hmac(key('confirm u'), th2)];
  if (hex(confirmGateway) !== hex(confirmation)) throw new Error('the schedule is another');

  const three = opened(
    gatewayKeys,
    message(3),
    handshakeInfo(3, gatewayKeys.handshake, binding, userId, gatewayId, th2),
  );
  const four = unsealed(key('data u2g'), message(4));
  const fourSigned = tuple('request', run.sessionId, userId, gatewayId, four.innerHeader, four.digest);
  const five = unsealed(key('data g2u'), message(5));
  const answered = [four.digest, sha256(four.inner.signature)];
  const fiveSigned = tuple(
    'reply',
    run.sessionId,
    gatewayId,
    userId,
    five.innerHeader,
    ...answered,
    five.digest,
  );
  return {
    message1: handshakeVector(one, true),
    th1: hex(th1),
    message2: handshakeVector(two, true),
    core2: hex(core2),
    th2: hex(th2),
    ephemeralSecret: hex(ephemeralSecret),
    prk: hex(prk),
    keys: {
      'confirm g': hex(key('confirm g')),
      'confirm u': hex(key('confirm u')),
      'data u2g': hex(key('data u2g')),
      'data g2u': hex(key('data g2u')),
      'session id': hex(key('session id')),
    },
    confirmations: { gateway: hex(confirmGateway), user: hex(confirmUser) },
    message3: handshakeVector(three, false),
    message4: { ...four.vector, signatureInput: hex(fourSigned), evidence: hex(run.evidence.request) },
    message5: { ...five.vector, signatureInput: hex(fiveSigned), evidence: hex(run.evidence.reply) },
    sessionId: hex(run.sessionId),
  };
}

interface Opened extends Record<'message' | 'header' | 'info' | 'encapsulation' | 'ciphertext', Uint8Array> {
  readonly sharedSecret: Uint8Array;
  readonly plaintext: Uint8Array;
  readonly exported: Uint8Array;
}

function opened({ handshake }: SoftwareKeys, message: Uint8Array, info: Uint8Array): Opened {
  const envelope = sealedEnvelope(message);
  const header = headerTuple(envelope.header);
  const { encapsulation, ciphertext } = splitHandshake(
    envelope,
    handshake.kem,
    envelope.ciphertext.length - kem(handshake.kem).encapsulationLength - TAG_LENGTH,
  );
  const sharedSecret = decapsulate(handshake.kem, encapsulation, exposeSecret(handshake.secret));
  const { plaintext, exporter } = hpkeOpen(handshake.kem, sharedSecret, info, header, ciphertext);
  const exported = exporter(EXPORT_CONTEXT, 32);
  return { message, header, info, encapsulation, ciphertext, sharedSecret, plaintext, exported };
}

function handshakeVector(one: Opened, withExport: boolean): HandshakeVector {
  const { message, header, info, encapsulation, sharedSecret, ciphertext, plaintext, exported } = one;
  return {
    message: hex(message),
    header: hex(header),
    info: hex(info),
    encapsulation: hex(encapsulation),
    sharedSecret: hex(sharedSecret),
    ciphertext: hex(ciphertext),
    plaintext: hex(plaintext),
    ...(withExport ? { exported: hex(exported) } : {}),
  };
}

function unsealed(
  sessionKey: Uint8Array,
  message: Uint8Array,
): {
  readonly inner: SignedEnvelope;
  readonly innerHeader: Uint8Array;
  readonly digest: Uint8Array;
  readonly vector: Omit<SealedVector, 'signatureInput' | 'evidence'>;
} {
  const outer = sealedEnvelope(message);
  const header = headerTuple(outer.header);
  const sealed = outer.ciphertext;
  const plaintext = openOnce(sessionKey, header, sealed);
  const reader = TupleReader.labelled(plaintext, 'message');
  const envelope = reader.bytes();
  const documents = reader.list(16, (part) => part.bytes());
  const inner = decodeEnvelope(envelope);
  if (!(inner instanceof SignedEnvelope)) throw new Error('what is inside is not signed');
  const salt = sealed.subarray(0, 32);
  return {
    inner,
    innerHeader: headerTuple(inner.header),
    digest: digestsOf(inner).data,
    vector: {
      message: hex(message),
      header: hex(header),
      salt: hex(salt),
      key: hex(deriveTuple(sessionKey, 'once', salt, header)),
      plaintext: hex(plaintext),
      envelope: fromUtf8(envelope),
      documents: documents.map(hex),
    },
  };
}

function sealedEnvelope(message: Uint8Array): SealedEnvelope {
  const envelope = decodeEnvelope(message);
  if (envelope instanceof SignedEnvelope) throw new Error('what travels is not sealed');
  return envelope;
}

// An altered message keeps its form: what is flipped is a byte of the ciphertext, or a field of the header.
function refusedCases(one: VectorCase & ConversationVector): ProtocolCase[] {
  const messages = [one.message1, one.message2, one.message3, one.message4, one.message5].map((sent) =>
    unhex(sent.message),
  );
  const refused = (
    name: string,
    step: number,
    change: (envelope: SealedEnvelope) => Envelope,
    error: ErrorCode = 'SESSION_MESSAGE',
    at = one.times[Math.min(step, 4)]!,
  ): ProtocolCase => ({
    name: `refused: message ${step}, ${name}`,
    operation: 'refused',
    conversation: one.name,
    step,
    message: hex(encodeEnvelope(change(sealedEnvelope(messages[step - 1]!)))),
    at,
    error,
  });
  const header = (changes: Partial<Header>) => (envelope: SealedEnvelope) => ({
    ...envelope,
    header: { ...envelope.header, ...changes },
  });
  const data = (change: (sealed: Uint8Array) => Uint8Array) => (envelope: SealedEnvelope) => ({
    ...envelope,
    ciphertext: change(envelope.ciphertext),
  });
  const same = (envelope: SealedEnvelope): Envelope => envelope;
  const other = new Uint8Array(16);
  const steps = [1, 2, 3, 4, 5];
  return [
    ...steps.map((step) =>
      refused(
        'first byte of the data flipped',
        step,
        data((sealed) => flipped(sealed, 0)),
      ),
    ),
    ...steps.map((step) =>
      refused(
        'last byte of the data flipped',
        step,
        data((sealed) => flipped(sealed, sealed.length - 1)),
      ),
    ),
    ...steps.map((step) =>
      refused(
        'data cut off',
        step,
        data((sealed) => sealed.subarray(0, -1)),
      ),
    ),
    ...steps.map((step) =>
      refused(
        'data of one byte',
        step,
        data((sealed) => sealed.subarray(0, 1)),
      ),
    ),
    ...[4, 5].map((step) =>
      refused('signed instead of sealed', step, ({ header: { type, ...rest } }) => {
        const signed = {
          ...rest,
          type: type === 'reply' ? type : ('request' as const),
          sender: new Uint8Array(32),
        };
        return new SignedEnvelope(signed, '{}', new Uint8Array(64));
      }),
    ),
    ...steps.map((step) =>
      refused('other time', step, (envelope) =>
        header({ timestamp: envelope.header.timestamp + 1 })(envelope),
      ),
    ),
    ...steps.map((step) =>
      refused('other timestamp1', step, (envelope) =>
        header({ timestamp1: envelope.header.timestamp1 + 1 })(envelope),
      ),
    ),
    ...steps.map((step) => refused('other sender', step, header({ sender: other }))),
    ...steps.map((step) => refused('other n1', step, header({ n1: other }))),
    ...steps.slice(1).map((step) => refused('other n2', step, header({ n2: other }))),
    ...steps.slice(1).map((step) => refused('other timestamp2', step, header({ timestamp2: 0 }))),
    refused('300 s and one millisecond late', 1, same, 'SESSION_REPLAY', one.times[0]! + 300_001),
    refused('300 s and one millisecond early', 1, same, 'SESSION_REPLAY', one.times[0]! - 300_001),
    ...steps
      .slice(1)
      .map((step) =>
        refused(
          '300 s and one millisecond late',
          step,
          same,
          'SESSION_MESSAGE',
          one.times[step - 1]! + 300_001,
        ),
      ),
    refused('type of message 4', 3, header({ type: 'request' })),
    refused('type of message 3', 4, header({ type: 'nsl-3' })),
    refused('type of message 5, reflected', 4, (envelope) =>
      header({ type: 'reply', sender: envelope.header.n2! })(envelope),
    ),
  ];
}
