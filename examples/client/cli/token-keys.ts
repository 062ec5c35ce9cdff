/**
 * Keys in a token, as a wallet refers to them: where the token is found, the name of the keys in it, and the sealed
 * halves that lie outside it. Nothing of it opens anything without the token and its PIN.
 */

import { KEM_MLKEM768_P256, KEM_P256 } from 'muniment/crypto';
import type { IdentityKeys } from 'muniment/keys';
import { toBase64url } from 'muniment/wire';
import { z } from 'zod';
import { makeTokenKeys, openTokenKeys, removeTokenKeys } from '../keystores/pkcs11.ts';
import { Token, type TokenPlace } from '../keystores/token.ts';
import { readForm, writeNew } from './files.ts';
import { encoded } from './settings.ts';

/** The KEMs of keys in a token, by the names that commands know them by; the first is what a token gets unasked. */
export const TOKEN_KEMS = { 'mlkem768-p256': KEM_MLKEM768_P256, p256: KEM_P256 } as const;
/** One of them. */
export type TokenKem = keyof typeof TOKEN_KEMS;
/** What a token gets unless another is asked for. */
export const DEFAULT_TOKEN_KEM: TokenKem = 'mlkem768-p256';

/** Which keys to make, and where. */
export interface TokenWish extends TokenPlace {
  readonly kem: TokenKem;
}

/** An open token and an identity's keys in it. */
export interface OpenKeys {
  readonly token: Token;
  readonly keys: IdentityKeys;
}

const FORMAT = 'muniment token keys 1';
const form = z.strictObject({
  format: z.literal(FORMAT),
  module: z.string(),
  token: z.string(),
  name: z.string(),
  seeds: z.strictObject({ handshake: encoded, sealing: encoded }).nullable(),
});

/** Makes keys in a token, and the file that refers to them. */
export async function makeReferredKeys(
  file: string,
  { module, token: label, kem }: TokenWish,
  name: string,
  pin: string,
): Promise<OpenKeys> {
  const token = Token.open({ module, token: label }, pin, 'write');
  try {
    const { keys, seeds } = await makeTokenKeys(token, name, TOKEN_KEMS[kem]);
    try {
      const sealed = seeds && {
        handshake: toBase64url(seeds.handshake),
        sealing: toBase64url(seeds.sealing),
      };
      writeNew(file, `${JSON.stringify({ format: FORMAT, module, token: label, name, seeds: sealed })}\n`);
    } catch (error) {
      removeTokenKeys(token, name);
      throw error;
    }
    return { token, keys };
  } catch (error) {
    token.close();
    throw error;
  }
}

/** Opens the keys that a file refers to. */
export async function openReferredKeys(file: string, pin: string): Promise<OpenKeys> {
  const { module, token: label, name, seeds } = readForm(file, form);
  const token = Token.open({ module, token: label }, pin);
  try {
    return { token, keys: await openTokenKeys(token, name, seeds) };
  } catch (error) {
    token.close();
    throw error;
  }
}
