/**
 * An identity's keys in a PKCS#11 token: P-256 pairs made in the token, which signs and agrees on keys itself and
 * never gives a private value out. docs/keystores.md, "PKCS#11" and "Split custody".
 */

import { MunimentError } from 'muniment';
import { dhKem, ES256, KEM_MLKEM768_P256, KEM_P256, sha256, toLowS, type DhKey } from 'muniment/crypto';
import {
  createSplitKey,
  openSplitKey,
  type Decapsulator,
  type IdentityKeys,
  type Signer,
} from 'muniment/keys';
import { TokenError } from './cryptoki.ts';
import type { Token, TokenPair } from './token.ts';

/** The KEMs that an identity in a token can have, by name. */
export const TOKEN_KEMS = { 'mlkem768-p256': KEM_MLKEM768_P256, p256: KEM_P256 } as const;
/** One of them. */
export type TokenKem = keyof typeof TOKEN_KEMS;
/** What a token gets unless another is asked for by name: less than post-quantum nobody gets unasked. */
export const DEFAULT_TOKEN_KEM: TokenKem = 'mlkem768-p256';

/**
 * What of a post-quantum identity lies outside its token: the ML-KEM half of either KEM key, sealed to a further
 * key in the token. Of no use without it.
 */
export interface SealedSeeds {
  readonly handshake: Uint8Array;
  readonly sealing: Uint8Array;
}

/** What each key of an identity is for. `custody` opens the sealed seeds, and is there only if the identity has any. */
const USES = { signing: 'sign', handshake: 'derive', sealing: 'derive', custody: 'derive' } as const;
type Purpose = keyof typeof USES;
type FindPair = (purpose: Purpose) => TokenPair;

/**
 * Makes an identity's keys in a token, each for one purpose: P-256, or post-quantum in split custody.
 *
 * @param token - opened to write
 * @param name - under which the keys are found again
 * @param kem - of the handshake and sealing keys
 * @returns the keys, and what has to be kept beside the token if they are split, else `null`
 * @throws `TokenError`; then no key of this name was left behind
 */
export function makeTokenKeys(
  token: Token,
  name: string,
  kem: TokenKem = DEFAULT_TOKEN_KEM,
): { readonly keys: IdentityKeys; readonly seeds: SealedSeeds | null } {
  const made: string[] = [];
  const make: FindPair = (purpose) => {
    const label = labelOf(name, purpose);
    const pair = token.makePair(label, USES[purpose]);
    made.push(label);
    return pair;
  };
  try {
    if (kem === 'p256') return { keys: keysOf(token, make), seeds: null };
    const custodian = decapsulatorOf(token, make('custody'));
    const [handshake, sealing] = [
      createSplitKey(TOKEN_KEMS[kem], dhOf(token, make('handshake')), custodian),
      createSplitKey(TOKEN_KEMS[kem], dhOf(token, make('sealing')), custodian),
    ];
    const signer = signerOf(token, make('signing'));
    return {
      keys: { signer, handshake: tellingOf(handshake.key), sealing: tellingOf(sealing.key) },
      seeds: { handshake: handshake.sealedSeed, sealing: sealing.sealedSeed },
    };
  } catch (error) {
    for (const label of made) token.remove(label);
    throw error;
  }
}

/**
 * Opens an identity's keys, and refuses one that was ever extractable or has more than its one use.
 *
 * @param token - the token
 * @param name - that the keys were made under
 * @param seeds - as they came from {@link makeTokenKeys}
 * @throws `TokenError` `TOKEN_KEY`; `MunimentError` `KEY_FILE`, `KEY_OPEN` if a seed is not this token's
 */
export async function openTokenKeys(
  token: Token,
  name: string,
  seeds: SealedSeeds | null,
): Promise<IdentityKeys> {
  const find: FindPair = (purpose) => token.findPair(labelOf(name, purpose), USES[purpose]);
  if (seeds === null) return keysOf(token, find);
  const custodian = decapsulatorOf(token, find('custody'));
  return {
    signer: signerOf(token, find('signing')),
    handshake: tellingOf(await openSplitKey(seeds.handshake, dhOf(token, find('handshake')), custodian)),
    sealing: tellingOf(await openSplitKey(seeds.sealing, dhOf(token, find('sealing')), custodian)),
  };
}

/** Removes an identity's keys for good. Throws `TokenError`. */
export function removeTokenKeys(token: Token, name: string): void {
  for (const purpose of Object.keys(USES)) token.remove(labelOf(name, purpose));
}

function labelOf(name: string, purpose: string): string {
  return `${name} ${purpose}`;
}

function keysOf(token: Token, find: FindPair): IdentityKeys {
  return {
    signer: signerOf(token, find('signing')),
    handshake: decapsulatorOf(token, find('handshake')),
    sealing: decapsulatorOf(token, find('sealing')),
  };
}

function signerOf(token: Token, pair: TokenPair): Signer {
  return {
    algorithm: ES256,
    publicKey: pair.publicKey,
    // eslint-disable-next-line @typescript-eslint/require-await -- async, so that a refusal of the token rejects
    async sign(message) {
      return toLowS(token.sign(pair, sha256(message)));
    },
  };
}

function decapsulatorOf(token: Token, pair: TokenPair): Decapsulator {
  const key = dhKem(KEM_P256, dhOf(token, pair));
  const decapsulate = (encapsulation: Uint8Array): Promise<Uint8Array> => key.decapsulate(encapsulation);
  return tellingOf({ kem: KEM_P256, publicKey: key.publicKey, decapsulate });
}

function dhOf(token: Token, pair: TokenPair): DhKey {
  return { publicKey: pair.publicKey, agree: (peer) => token.derive(pair, peer) };
}

// Whatever does not open has one code. That the token is gone is no fault of the message, and its owner has to know.
function tellingOf(key: Decapsulator): Decapsulator {
  return {
    kem: key.kem,
    publicKey: key.publicKey,
    async decapsulate(encapsulation) {
      try {
        return await key.decapsulate(encapsulation);
      } catch (error) {
        throw error instanceof MunimentError && error.cause instanceof TokenError ? error.cause : error;
      }
    },
  };
}
