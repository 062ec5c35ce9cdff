/**
 * Both sides of the handshake by hand, so that a test can be a liar who otherwise knows and does everything right.
 * Without changes each of these makes what the library would make.
 */

import { hpkeSeal, hpkeSender, kem, systemRandom } from '../../src/crypto/index.ts';
import {
  decodeEnvelope,
  encodeEnvelope,
  headerTuple,
  SignedEnvelope,
  type Header,
  type SealedEnvelope,
} from '../../src/envelope/index.ts';
import {
  hpkeOpenWith,
  readUnverifiedCredential,
  Secret,
  SoftwareDecapsulator,
  type Credential,
  type Identity,
  type KemPublicKey,
} from '../../src/keys/index.ts';
import type { Binding } from '../../src/protocol/index.ts';
import {
  decodeConfirmed,
  decodeFirst,
  encodeConfirmed,
  encodeFirst,
  encodeHandshake,
  encodeSecond,
  encodeThird,
  PLAINTEXT_LENGTHS,
  splitHandshake,
  type First,
  type Second,
} from '../../src/protocol/messages.ts';
import {
  ephemeralKem,
  EXPORT_CONTEXT,
  firstTranscript,
  handshakeInfo,
  secondTranscript,
  sessionKeys,
  type SessionKeys,
} from '../../src/protocol/schedule.ts';
import { NONE, NOW } from './fixture.ts';

/** A message 1 of one's own making, and what its maker knows. */
export interface MadeFirst {
  readonly message: Uint8Array;
  readonly header: Header;
  readonly plaintext: Uint8Array;
  readonly th1: Uint8Array;
  readonly x1: Uint8Array;
  readonly nonce: Uint8Array;
  readonly ephemeral: SoftwareDecapsulator;
}

/** Makes message 1 in the name of any credential. */
export function makeFirst(
  caller: Pick<Credential, 'encoded' | 'handshake'>,
  gateway: Pick<Credential, 'id' | 'handshake'>,
  changes: {
    readonly header?: Partial<Header>;
    readonly first?: Partial<First>;
    readonly plaintext?: Uint8Array;
    readonly infoId?: Uint8Array;
    readonly binding?: Binding;
  } = {},
): MadeFirst {
  const binding = changes.binding ?? NONE;
  const nonce = changes.first?.nonce ?? systemRandom(32);
  const ephemeral = new SoftwareDecapsulator(
    ephemeralKem(caller.handshake, gateway.handshake),
    new Secret('kem key', systemRandom(32)),
  );
  const n1 = systemRandom(16);
  const header: Header = {
    type: 'nsl-1',
    sender: n1,
    timestamp: NOW,
    n1,
    timestamp1: NOW,
    n2: null,
    timestamp2: null,
    ...changes.header,
  };
  const plaintext =
    changes.plaintext ?? encodeFirst({ credential: caller.encoded, nonce, ephemeral, ...changes.first });
  const info = handshakeInfo(1, gateway.handshake, binding, changes.infoId ?? gateway.id);
  const sealed = hpkeSeal(gateway.handshake, info, headerTuple(header), plaintext);
  const { encapsulation, ciphertext } = sealed;
  return {
    message: encodeHandshake(header, sealed),
    header,
    plaintext,
    th1: firstTranscript(headerTuple(header), encapsulation, ciphertext, plaintext, gateway.id, binding),
    x1: sealed.exporter(EXPORT_CONTEXT, 32),
    nonce,
    ephemeral,
  };
}

/** What the receiver of a message 1 learns. */
export interface OpenedFirst {
  readonly header: Header;
  readonly plaintext: Uint8Array;
  readonly first: First;
  readonly caller: { readonly id: Uint8Array; readonly handshake: KemPublicKey };
  readonly th1: Uint8Array;
  readonly x1: Uint8Array;
}

/** Opens message 1 with the keys of the gateway that it is for. */
export async function openFirst(
  gateway: Identity,
  message: Uint8Array,
  binding: Binding = NONE,
): Promise<OpenedFirst> {
  const envelope = decodeSealed(message);
  const { header } = envelope;
  const sealed = splitHandshake(envelope, gateway.handshake.kem, PLAINTEXT_LENGTHS.first);
  const { id } = gateway.credential;
  const info = handshakeInfo(1, gateway.handshake, binding, id);
  const { plaintext, exporter } = await hpkeOpenWith(gateway.handshake, info, headerTuple(header), sealed);
  const first = decodeFirst(plaintext);
  const { encapsulation, ciphertext } = sealed;
  return {
    header,
    plaintext,
    first,
    caller: readUnverifiedCredential(first.credential),
    th1: firstTranscript(headerTuple(header), encapsulation, ciphertext, plaintext, id, binding),
    x1: exporter(EXPORT_CONTEXT, 32),
  };
}

/** A message 2 of one's own making. */
export interface MadeSecond {
  readonly message: Uint8Array;
  readonly header: Header;
  readonly th2: Uint8Array;
  readonly keys: SessionKeys;
  readonly nonce: Uint8Array;
}

/** Makes message 2 as the gateway with this Id, changed as told. */
export function makeSecond(
  gatewayId: Uint8Array,
  opened: Pick<OpenedFirst, 'header' | 'first' | 'caller' | 'th1' | 'x1'>,
  changes: {
    readonly header?: Partial<Header>;
    /** Goes out in place of `header`, which is the one that everything else covers. */
    readonly sentHeader?: Partial<Header>;
    readonly second?: Partial<Second>;
    readonly infoUserId?: Uint8Array;
    readonly infoGatewayId?: Uint8Array;
    readonly infoTranscript?: Uint8Array;
    readonly binding?: Binding;
    readonly sealTo?: KemPublicKey;
    readonly x1?: Uint8Array;
    readonly confirmation?: (keys: SessionKeys) => Uint8Array;
  } = {},
): MadeSecond {
  const { first, caller, th1 } = opened;
  const { n1, timestamp1 } = opened.header;
  const n2 = systemRandom(16);
  const header: Header = {
    type: 'nsl-2',
    sender: n2,
    timestamp: NOW,
    n1,
    timestamp1,
    n2,
    timestamp2: NOW,
    ...changes.header,
  };
  const ephemeral = kem(first.ephemeral.kem).encapsulate(first.ephemeral.publicKey, systemRandom);
  const nonce = changes.second?.gatewayNonce ?? systemRandom(32);
  const core2 = encodeSecond({
    userNonce: first.nonce,
    gatewayNonce: nonce,
    gatewayId,
    encapsulation: ephemeral.encapsulation,
    ...changes.second,
  });
  const sealTo = changes.sealTo ?? caller.handshake;
  const info = handshakeInfo(
    2,
    sealTo,
    changes.binding ?? NONE,
    changes.infoUserId ?? caller.id,
    changes.infoGatewayId ?? gatewayId,
    changes.infoTranscript ?? th1,
  );
  const sender = hpkeSender(sealTo, info);
  const th2 = secondTranscript(th1, headerTuple(header), sender.encapsulation, core2);
  const x2 = sender.exporter(EXPORT_CONTEXT, 32);
  const secrets = [ephemeral.sharedSecret, changes.x1 ?? opened.x1, x2, first.nonce, nonce];
  const keys = sessionKeys(th2, secrets);
  const confirmation = changes.confirmation?.(keys) ?? keys.confirmGateway;
  const sent = { ...header, ...changes.sentHeader };
  const ciphertext = sender.seal(headerTuple(sent), encodeConfirmed(core2, confirmation));
  const message = encodeHandshake(sent, { encapsulation: sender.encapsulation, ciphertext });
  return { message, header, th2, keys, nonce };
}

/** What the maker of a message 1 learns from the answer. */
export async function openSecond(
  caller: Identity,
  gateway: Pick<Credential, 'id'>,
  made: MadeFirst,
  message: Uint8Array,
): Promise<{
  readonly header: Header;
  readonly th2: Uint8Array;
  readonly keys: SessionKeys;
  readonly second: Second;
}> {
  const envelope = decodeSealed(message);
  const { header } = envelope;
  const sealed = splitHandshake(envelope, caller.handshake.kem, PLAINTEXT_LENGTHS.second(made.ephemeral.kem));
  const info = handshakeInfo(2, caller.handshake, NONE, caller.credential.id, gateway.id, made.th1);
  const opened = await hpkeOpenWith(caller.handshake, info, headerTuple(header), sealed);
  const { second, core2 } = decodeConfirmed(opened.plaintext);
  const th2 = secondTranscript(made.th1, headerTuple(header), sealed.encapsulation, core2);
  const ephemeral = await made.ephemeral.decapsulate(second.encapsulation);
  const x2 = opened.exporter(EXPORT_CONTEXT, 32);
  const keys = sessionKeys(th2, [ephemeral, made.x1, x2, made.nonce, second.gatewayNonce]);
  return { header, th2, keys, second };
}

/** Makes message 3, changed as told. */
export function makeThird(
  gateway: Pick<Credential, 'id' | 'handshake'>,
  callerId: Uint8Array,
  session: {
    readonly header: Header;
    readonly th2: Uint8Array;
    readonly keys: SessionKeys;
    readonly nonce: Uint8Array;
  },
  changes: {
    readonly header?: Partial<Header>;
    readonly nonce?: Uint8Array;
    readonly confirmation?: Uint8Array;
    readonly th2?: Uint8Array;
    readonly callerId?: Uint8Array;
    readonly gatewayId?: Uint8Array;
  } = {},
): Uint8Array {
  const header: Header = {
    ...session.header,
    type: 'nsl-3',
    sender: session.header.n1,
    timestamp: NOW,
    ...changes.header,
  };
  const info = handshakeInfo(
    3,
    gateway.handshake,
    NONE,
    changes.callerId ?? callerId,
    changes.gatewayId ?? gateway.id,
    changes.th2 ?? session.th2,
  );
  const plaintext = encodeThird(
    changes.nonce ?? session.nonce,
    changes.confirmation ?? session.keys.confirmUser,
  );
  return encodeHandshake(header, hpkeSeal(gateway.handshake, info, headerTuple(header), plaintext));
}

/** A message with another header around the same data: what anybody on the wire can make. */
export function reheaded(message: Uint8Array, changes: Partial<Header>): Uint8Array {
  const { header, ciphertext } = decodeSealed(message);
  return encodeEnvelope({ header: { ...header, ...changes }, ciphertext });
}

/** A message as it travels. */
export function decodeSealed(message: Uint8Array): SealedEnvelope {
  const envelope = decodeEnvelope(message);
  if (envelope instanceof SignedEnvelope) throw new Error('expected a sealed envelope');
  return envelope;
}
