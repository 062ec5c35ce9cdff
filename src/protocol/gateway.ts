/**
 * The bank's side of NSL-KEM/1 and its one-request session: `respond`, `accept`, `serve`, `reply`. Each takes the
 * state before it, which is then used up, and a message. spec/protocol.md, "Bank".
 */

import { equalSecrets, hpkeSender, kem, sha256, systemRandom, type Random } from '../crypto/index.ts';
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
  readUnverifiedCredential,
  Secret,
  type Credential,
  type CredentialFields,
  type Identity,
} from '../keys/index.ts';
import { equalBytes } from '../wire/index.ts';
import { DEADLINES, NONCE_LENGTH } from './constants.ts';
import {
  clockWindow,
  decodeFirst,
  decodeThird,
  encodeConfirmed,
  encodeHandshake,
  encodeSecond,
  isNear,
  openSealed,
  PLAINTEXT_LENGTHS,
  readMessage,
  receive,
  sealMessage,
  splitHandshake,
  type Context,
} from './messages.ts';
import type { ReplayCache } from './replay.ts';
import {
  ephemeralKem,
  EXPORT_CONTEXT,
  firstTranscript,
  handshakeInfo,
  secondTranscript,
  sessionKeys,
} from './schedule.ts';
import { checkBindingShape, State, type Binding } from './state.ts';
import type { SessionOptions, Step } from './user.ts';

/** What a bank needs to answer calls. */
export interface GatewayOptions extends SessionOptions {
  readonly replay: ReplayCache;
  /**
   * Judges a caller's credential: returns it verified, or throws. The verdict is kept until the caller is
   * authenticated, since an answer now would tell strangers who is a user.
   */
  readonly validate: (encoded: Uint8Array, now: number) => Credential | Promise<Credential>;
}

/** Message 2 is out, message 3 is awaited. */
export type Responded = State<'responded', RespondedContent>;
/** The caller is authenticated; its request is awaited. */
export type Accepted = State<'accepted', AcceptedContent>;
/** A request was opened; the reply is owed. */
export type Served = State<'served', ServedContent>;

/** A state and the handle under which the bank keeps it. */
export interface Response extends Step<Responded> {
  /** n2, 16 bytes. */
  readonly handle: Uint8Array;
}

/** What was asked: of an accepted caller the verified request, of another only the means to refuse. */
export type Service =
  | {
      readonly accepted: true;
      readonly state: Served;
      readonly request: VerifiedEnvelope<'request'>;
      readonly documents: readonly Uint8Array[];
      readonly sessionId: Uint8Array;
      readonly evidence: Uint8Array;
    }
  | { readonly accepted: false; readonly state: Served };

type Caller = CredentialFields & { readonly id: Uint8Array };

interface Common {
  readonly gateway: Identity;
  readonly caller: Caller;
  readonly verdict: Credential | null;
  readonly binding: Binding;
  readonly random: Random;
  readonly end: number;
  readonly context: Context;
  readonly sessionId: Uint8Array;
  readonly toGateway: Secret<'session key'>;
  readonly toUser: Secret<'session key'>;
}

interface RespondedContent extends Common {
  readonly th2: Uint8Array;
  readonly nonce: Secret<'nonce'>;
  readonly confirmation: Secret<'confirmation'>;
}

type AcceptedContent = Common;

interface ServedContent extends Common {
  readonly digests: EnvelopeDigests;
}

/**
 * Answers message 1 with message 2. No state exists before it opens; every failure is one and the same to the caller.
 *
 * @param gateway - the bank's identity
 * @param message - message 1 as it came
 * @param options - binding of this connection, clocks, replay memory, judge of credentials
 * @throws `MunimentError` `SESSION_MESSAGE`, `SESSION_REPLAY`: for the bank's own log; to the caller both look alike; `RangeError` for a binding of the wrong length
 */
export async function respond(
  gateway: Identity,
  message: Uint8Array,
  options: GatewayOptions,
): Promise<Response> {
  checkBindingShape(options.binding);
  try {
    return await respondTo(gateway, message, options);
  } catch (cause) {
    if (cause instanceof MunimentError && cause.code === 'SESSION_REPLAY') throw cause;
    throw new MunimentError('SESSION_MESSAGE', undefined, { cause });
  }
}

async function respondTo(gateway: Identity, message: Uint8Array, options: GatewayOptions): Promise<Response> {
  const { binding, clock, replay, validate, random = systemRandom } = options;
  const now = clock.now();
  const outer = receive(message, now, { type: 'nsl-1', sender: 'n1', context: {} });
  const { n1, timestamp, timestamp1 } = outer.header;
  if (!isNear(timestamp1, now)) throw new MunimentError('SESSION_REPLAY');
  const sealed1 = splitHandshake(outer, gateway.handshake.kem, PLAINTEXT_LENGTHS.first);
  // Both times must be near the clock, so the earlier one says until when the message could be taken again.
  await replay.remember({ digest: sha256(outer.ciphertext), time: Math.min(timestamp, timestamp1) }, now);

  const gatewayId = gateway.credential.id;
  const header1 = headerTuple(outer.header);
  const info1 = handshakeInfo(1, gateway.handshake, binding, gatewayId);
  const opened = await hpkeOpenWith(gateway.handshake, info1, header1, sealed1);
  const first = decodeFirst(opened.plaintext);
  const caller = readUnverifiedCredential(first.credential);
  if (equalBytes(caller.id, gatewayId)) throw new MunimentError('SESSION_MESSAGE');
  if (first.ephemeral.kem !== ephemeralKem(caller.handshake, gateway.handshake))
    throw new MunimentError('SESSION_MESSAGE');
  const verdict = await judge(() => validate(first.credential, now));
  const { encapsulation, ciphertext } = sealed1;
  const th1 = firstTranscript(header1, encapsulation, ciphertext, opened.plaintext, gatewayId, binding);

  const nonce = random(NONCE_LENGTH);
  const ephemeral = kem(first.ephemeral.kem).encapsulate(first.ephemeral.publicKey, random);
  const handle = random(HANDLE_LENGTH);
  const context: Context = { n1, timestamp1, n2: handle, timestamp2: now };
  const header: Header = { type: 'nsl-2', sender: handle, timestamp: now, ...context };
  const header2 = headerTuple(header);
  const core2 = encodeSecond({
    userNonce: first.nonce,
    gatewayNonce: nonce,
    gatewayId,
    encapsulation: ephemeral.encapsulation,
  });
  const info2 = handshakeInfo(2, caller.handshake, binding, caller.id, gatewayId, th1);
  // The confirmation inside message 2 covers the message's own encapsulation and exporter secret.
  const sender = hpkeSender(caller.handshake, info2, random);
  const th2 = secondTranscript(th1, header2, sender.encapsulation, core2);
  const x1 = opened.exporter(EXPORT_CONTEXT, 32);
  const x2 = sender.exporter(EXPORT_CONTEXT, 32);
  const keys = sessionKeys(th2, [ephemeral.sharedSecret, x1, x2, first.nonce, nonce]);
  const sealed2 = {
    encapsulation: sender.encapsulation,
    ciphertext: sender.seal(header2, encodeConfirmed(core2, keys.confirmGateway)),
  };

  const content: RespondedContent = {
    gateway,
    caller,
    verdict,
    binding,
    random,
    end: clock.monotonic() + DEADLINES.session,
    context,
    sessionId: keys.sessionId,
    toGateway: new Secret('session key', keys.dataToGateway),
    toUser: new Secret('session key', keys.dataToUser),
    th2,
    nonce: new Secret('nonce', nonce),
    confirmation: new Secret('confirmation', keys.confirmUser),
  };
  return {
    handle,
    state: new State('responded', content, clock, clock.monotonic() + DEADLINES.third),
    message: encodeHandshake(header, sealed2),
  };
}

/**
 * Checks message 3: the caller is authenticated. Nothing is sent yet; the request follows, or came along.
 *
 * @param state - from {@link respond}; a bad message leaves it usable for a few more tries
 * @param message - message 3 as it came
 * @param binding - of the connection that it came on, compared again
 * @throws `MunimentError` `SESSION_MESSAGE`, `SESSION_CLOSED`
 */
export function accept(state: Responded, message: Uint8Array, binding: Binding): Promise<Accepted> {
  return state.step(
    async (content, clock) => {
      const { gateway, caller, th2, context } = content;
      checkBinding(content, binding);
      const outer = receive(message, clock.now(), { type: 'nsl-3', sender: 'n1', context });
      const sealed3 = splitHandshake(outer, gateway.handshake.kem, PLAINTEXT_LENGTHS.third);
      const info3 = handshakeInfo(3, gateway.handshake, binding, caller.id, gateway.credential.id, th2);
      return hpkeOpenWith(gateway.handshake, info3, headerTuple(outer.header), sealed3);
    },
    ({ plaintext }, content, clock): Accepted => {
      const { nonce, confirmation } = content;
      const third = decodeThird(plaintext);
      const nonceFits = equalSecrets(third.gatewayNonce, exposeSecret(nonce));
      const confirmed = equalSecrets(third.confirmation, exposeSecret(confirmation));
      // Both are evaluated before either counts.
      if (Number(nonceFits) + Number(confirmed) !== 2) throw new MunimentError('SESSION_MESSAGE');
      nonce.erase();
      confirmation.erase();
      const deadline = Math.min(content.end, clock.monotonic() + DEADLINES.request);
      return new State<'accepted', AcceptedContent>('accepted', content, clock, deadline);
    },
  );
}

/**
 * Opens and verifies the session's one request. Consume the session and store the evidence before serving it.
 *
 * @param state - from {@link accept}; a bad message leaves it usable for a few more tries
 * @param message - message 4 as it came
 * @param binding - of the connection that it came on, compared again
 * @returns the verified request; of a caller whose credential was not accepted only the state for a refusal
 * @throws `MunimentError` `SESSION_MESSAGE`, `SESSION_CLOSED`
 */
export function serve(state: Accepted, message: Uint8Array, binding: Binding): Promise<Service> {
  return state.step(
    (content, clock) => {
      checkBinding(content, binding);
      const { context, toGateway } = content;
      const outer = receive(message, clock.now(), { type: 'request', sender: 'n1', context });
      return { outer: outer.header, plaintext: openSealed(exposeSecret(toGateway), outer) };
    },
    ({ outer, plaintext }, content, clock): Service => {
      const { gateway, caller, verdict, sessionId } = content;
      const { envelope, documents } = readMessage(plaintext, outer, caller.id);
      const deadline = Math.min(content.end, clock.monotonic() + DEADLINES.reply);
      // Of a refused caller the signature is nobody's: its digests only tie the refusal to what was sent.
      const state = new State('served', { ...content, digests: digestsOf(envelope) }, clock, deadline);
      content.toGateway.erase();
      if (verdict === null) return { accepted: false, state };
      const context = { sessionId, from: caller.id, to: gateway.credential.id, answers: null };
      const time = clockWindow(clock.now());
      const request = verifyEnvelope(envelope, { type: 'request', author: verdict, context, time });
      const evidence = encodeEvidence(envelope, context);
      return { accepted: true, state, request, documents, sessionId, evidence };
    },
  );
}

/**
 * Signs and seals the reply: message 5. The session is over.
 *
 * @param state - from {@link serve}
 * @param data - the reply as JSON text
 * @param documents - bodies that travel beside the signed envelope
 * @returns the message and the reply's evidence
 * @throws `MunimentError` `SESSION_CLOSED`, `SESSION_MESSAGE`
 */
export function reply(
  state: Served,
  data: string,
  documents: readonly Uint8Array[] = [],
): Promise<{ readonly message: Uint8Array; readonly evidence: Uint8Array }> {
  return state.make(async (content, clock) => {
    const { gateway, caller, sessionId, context, digests, toUser, random } = content;
    const sender = gateway.credential.id;
    const outer = { type: 'reply' as const, sender: handleOf(context), timestamp: clock.now(), ...context };
    const signing = { sessionId, from: sender, to: caller.id, answers: digests };
    const envelope = await signEnvelope(gateway.signer, { header: { ...outer, sender }, data }, signing);
    const message = sealMessage(exposeSecret(toUser), outer, { envelope, documents }, random);
    const evidence = encodeEvidence(envelope, signing);
    toUser.erase();
    return { message, evidence };
  });
}

async function judge(validate: () => Credential | Promise<Credential>): Promise<Credential | null> {
  try {
    return await validate();
  } catch {
    return null; // the verdict counts later; an error now would tell strangers apart
  }
}

function checkBinding(content: Common, binding: Binding): void {
  const same = binding.kind === content.binding.kind && equalBytes(binding.value, content.binding.value);
  if (!same) throw new MunimentError('SESSION_MESSAGE');
}

function handleOf(context: Context): Uint8Array {
  if (context.n2 === null) throw new MunimentError('SESSION_MESSAGE');
  return context.n2;
}
