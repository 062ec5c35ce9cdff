/**
 * The user's side of NSL-KEM/1 and its one-request session: `initiate`, `confirm`, `request`, `conclude`. Each
 * takes the state before it, which is then used up, and a message. spec/protocol.md, "User".
 */

import { equalSecrets, hpkeSeal, kem, systemRandom, type Random } from '../crypto/index.ts';
import {
  digestsOf,
  encodeEvidence,
  HANDLE_LENGTH,
  headerTuple,
  signEnvelope,
  verifyEnvelope,
  type EnvelopeDigests,
  type Header,
  type VerifiedEnvelope,
} from '../envelope/index.ts';
import { MunimentError } from '../errors.ts';
import {
  exposeSecret,
  hpkeOpenWith,
  Secret,
  SoftwareDecapsulator,
  type Credential,
  type Identity,
} from '../keys/index.ts';
import { equalBytes } from '../wire/index.ts';
import { DEADLINES, NONCE_LENGTH } from './constants.ts';
import {
  clockWindow,
  decodeConfirmed,
  encodeFirst,
  encodeHandshake,
  encodeThird,
  openSealed,
  PLAINTEXT_LENGTHS,
  readMessage,
  receive,
  sealMessage,
  splitHandshake,
  type Context,
} from './messages.ts';
import {
  ephemeralKem,
  EXPORT_CONTEXT,
  firstTranscript,
  handshakeInfo,
  secondTranscript,
  sessionKeys,
} from './schedule.ts';
import { checkBindingShape, State, type Binding, type Clock } from './state.ts';

/** What a session needs from its surroundings. */
export interface SessionOptions {
  /** How it is bound to the transport; required, because leaving it out would be a policy. */
  readonly binding: Binding;
  readonly clock: Clock;
  /** For vectors only. */
  readonly random?: Random;
}

/** Message 1 is out, message 2 is awaited. */
export type Initiated = State<'initiated', InitiatedContent>;
/** The bank is authenticated; the user may ask. */
export type Confirmed = State<'confirmed', ConfirmedContent>;
/** The request is out, the reply is awaited. */
export type Requested = State<'requested', RequestedContent>;

/** A state and the message that goes out with it. */
export interface Step<Next> {
  readonly state: Next;
  readonly message: Uint8Array;
}

/** A verified reply: its signed content, the documents beside it, and the evidence of both to keep. */
export interface Conclusion {
  readonly reply: VerifiedEnvelope<'reply'>;
  readonly documents: readonly Uint8Array[];
  /** The digests of the request, by which receipts name it. */
  readonly request: EnvelopeDigests;
  readonly sessionId: Uint8Array;
  readonly evidence: { readonly request: Uint8Array; readonly reply: Uint8Array };
}

interface Common {
  readonly user: Identity;
  readonly gateway: Credential;
  readonly binding: Binding;
  readonly random: Random;
  /** The session's end, on the monotonic clock. */
  readonly end: number;
}

interface InitiatedContent extends Common {
  readonly context: Pick<Context, 'n1' | 'timestamp1'>;
  readonly th1: Uint8Array;
  readonly x1: Secret<'exporter secret'>;
  readonly nonce: Secret<'nonce'>;
  readonly ephemeral: SoftwareDecapsulator;
}

interface ConfirmedContent extends Common {
  readonly context: Context;
  readonly sessionId: Uint8Array;
  readonly toGateway: Secret<'session key'>;
  readonly toUser: Secret<'session key'>;
}

interface RequestedContent extends ConfirmedContent {
  readonly digests: EnvelopeDigests;
  readonly evidence: Uint8Array;
}

/**
 * Starts a conversation with a bank: message 1.
 *
 * @param user - the caller's identity
 * @param gateway - the verified credential of the bank that the user means
 * @param options - binding, clocks
 * @throws `MunimentError` `SESSION_PEER` if user and bank are one and the same; `RangeError` for a binding of the wrong length
 */
export function initiate(user: Identity, gateway: Credential, options: SessionOptions): Step<Initiated> {
  if (equalBytes(user.credential.id, gateway.id)) throw new MunimentError('SESSION_PEER');
  const { binding, clock, random = systemRandom } = options;
  checkBindingShape(binding);
  const nonce = random(NONCE_LENGTH);
  const ephemeral = SoftwareDecapsulator.generate(ephemeralKem(user.handshake, gateway.handshake), random);
  const n1 = random(HANDLE_LENGTH);
  const timestamp1 = clock.now();
  const header: Header = {
    type: 'nsl-1',
    sender: n1,
    timestamp: timestamp1,
    n1,
    timestamp1,
    n2: null,
    timestamp2: null,
  };
  const header1 = headerTuple(header);
  const plaintext = encodeFirst({ credential: user.credential.encoded, nonce, ephemeral });
  const sealed = hpkeSeal(
    gateway.handshake,
    handshakeInfo(1, gateway.handshake, binding, gateway.id),
    header1,
    plaintext,
    random,
  );
  const { encapsulation, ciphertext, exporter } = sealed;
  const end = clock.monotonic() + DEADLINES.session;
  const content: InitiatedContent = {
    user,
    gateway,
    binding,
    random,
    end,
    context: { n1, timestamp1 },
    th1: firstTranscript(header1, encapsulation, ciphertext, plaintext, gateway.id, binding),
    x1: new Secret('exporter secret', exporter(EXPORT_CONTEXT, 32)),
    nonce: new Secret('nonce', nonce),
    ephemeral,
  };
  return {
    state: new State('initiated', content, clock, clock.monotonic() + DEADLINES.second),
    message: encodeHandshake(header, sealed),
  };
}

/**
 * Checks message 2, that it answers this conversation and comes from the bank that was meant, and makes message 3.
 *
 * @param state - from {@link initiate}; a bad message leaves it usable for a few more tries
 * @param message - what came back
 * @throws `MunimentError` `SESSION_MESSAGE` for every fault of the message, `SESSION_CLOSED` for a used or late state
 */
export function confirm(state: Initiated, message: Uint8Array): Promise<Step<Confirmed>> {
  return state.step(
    async ({ user, gateway, binding, context, th1, ephemeral }, clock) => {
      const outer = receive(message, clock.now(), { type: 'nsl-2', sender: 'n2', context });
      const length = PLAINTEXT_LENGTHS.second(ephemeral.kem);
      const sealed2 = splitHandshake(outer, user.handshake.kem, length);
      const info2 = handshakeInfo(2, user.handshake, binding, user.credential.id, gateway.id, th1);
      const header2 = headerTuple(outer.header);
      const opened = await hpkeOpenWith(user.handshake, info2, header2, sealed2);
      return { ...opened, header: outer.header, header2, encapsulation: sealed2.encapsulation };
    },
    async ({ plaintext, exporter, header, header2, encapsulation }, content, clock) => {
      const { user, gateway, binding, random, end, th1, ephemeral } = content;
      const { second, core2, confirmation } = decodeConfirmed(plaintext);
      const nonce = exposeSecret(content.nonce);
      if (!equalSecrets(second.userNonce, nonce)) throw new MunimentError('SESSION_MESSAGE');
      if (!equalBytes(second.gatewayId, gateway.id)) throw new MunimentError('SESSION_MESSAGE');
      if (second.encapsulation.length !== kem(ephemeral.kem).encapsulationLength)
        throw new MunimentError('SESSION_MESSAGE');
      const ephemeralSecret = await ephemeral.decapsulate(second.encapsulation);
      const th2 = secondTranscript(th1, header2, encapsulation, core2);
      const [x1, x2] = [exposeSecret(content.x1), exporter(EXPORT_CONTEXT, 32)];
      const keys = sessionKeys(th2, [ephemeralSecret, x1, x2, nonce, second.gatewayNonce]);
      if (!equalSecrets(confirmation, keys.confirmGateway)) throw new MunimentError('SESSION_MESSAGE');

      const { n1, timestamp1, n2, timestamp2 } = header;
      const context: Context = { n1, timestamp1, n2, timestamp2 };
      const header3: Header = { type: 'nsl-3', sender: n1, timestamp: clock.now(), ...context };
      const sealed3 = hpkeSeal(
        gateway.handshake,
        handshakeInfo(3, gateway.handshake, binding, user.credential.id, gateway.id, th2),
        headerTuple(header3),
        encodeThird(second.gatewayNonce, keys.confirmUser),
        random,
      );
      content.x1.erase();
      content.nonce.erase();
      ephemeral.erase();
      const next: ConfirmedContent = {
        user,
        gateway,
        binding,
        random,
        end,
        context,
        sessionId: keys.sessionId,
        toGateway: new Secret('session key', keys.dataToGateway),
        toUser: new Secret('session key', keys.dataToUser),
      };
      return {
        state: new State('confirmed', next, clock, Math.min(end, clock.monotonic() + DEADLINES.request)),
        message: encodeHandshake(header3, sealed3),
      };
    },
  );
}

/**
 * Signs the session's one request and seals it: message 4, which may travel with message 3.
 *
 * @param state - from {@link confirm}
 * @param data - the request as JSON text; documents are named in it by digest
 * @param documents - bodies that travel beside the signed envelope
 * @throws `MunimentError` `SESSION_CLOSED`, `SESSION_MESSAGE`
 */
export function request(
  state: Confirmed,
  data: string,
  documents: readonly Uint8Array[] = [],
): Promise<Step<Requested>> {
  return state.make(async (content, clock) => {
    const { user, gateway, context, sessionId, toGateway, random } = content;
    const outer = { type: 'request' as const, sender: context.n1, timestamp: clock.now(), ...context };
    const header = { ...outer, sender: user.credential.id };
    const signing = { sessionId, from: user.credential.id, to: gateway.id, answers: null };
    const envelope = await signEnvelope(user.signer, { header, data }, signing);
    const message = sealMessage(exposeSecret(toGateway), outer, { envelope, documents }, random);
    const next = { ...content, digests: digestsOf(envelope), evidence: encodeEvidence(envelope, signing) };
    const deadline = Math.min(content.end, clock.monotonic() + DEADLINES.reply);
    const state = new State('requested', next, clock, deadline);
    // Last, when nothing can fail any more: a failed step may be tried again.
    toGateway.erase();
    return { state, message };
  });
}

/**
 * Opens and verifies the reply; the session is over. Without a valid reply the outcome is unknown, never failed:
 * ask again in a new session under the same request id.
 *
 * @param state - from {@link request}; a bad message leaves it usable for a few more tries
 * @param message - what came back
 * @throws `MunimentError` `SESSION_MESSAGE`, `SESSION_CLOSED`
 */
export function conclude(state: Requested, message: Uint8Array): Promise<Conclusion> {
  return state.step(
    ({ context, toUser }, clock) => {
      const outer = receive(message, clock.now(), { type: 'reply', sender: 'n2', context });
      return { outer: outer.header, plaintext: openSealed(exposeSecret(toUser), outer) };
    },
    ({ outer, plaintext }, content, clock): Conclusion => {
      const { user, gateway, sessionId, digests } = content;
      const { envelope, documents } = readMessage(plaintext, outer, gateway.id);
      const signing = { sessionId, from: gateway.id, to: user.credential.id, answers: digests };
      const time = clockWindow(clock.now());
      const reply = verifyEnvelope(envelope, { type: 'reply', author: gateway, context: signing, time });
      content.toUser.erase();
      const evidence = { request: content.evidence, reply: encodeEvidence(envelope, signing) };
      return { reply, documents, request: digests, sessionId, evidence };
    },
  );
}
