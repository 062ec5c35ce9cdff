/**
 * Keys in a token, as a wallet refers to them: where the token is found, the name of the keys in it, and the sealed
 * halves that lie outside it. Nothing of it opens anything without the token and its PIN.
 */

import type { IdentityKeys } from 'muniment/keys';
import { toBase64url } from 'muniment/wire';
import path from 'node:path';
import { z } from 'zod';
import { makeTokenKeys, openTokenKeys, removeTokenKeys, type TokenKem } from '../keystores/pkcs11.ts';
import { Token, type TokenPlace } from '../keystores/token.ts';
import { readForm, writeNew } from './files.ts';
import { encoded } from './settings.ts';

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
export function makeReferredKeys(
  file: string,
  { module: named, token: label, kem }: TokenWish,
  name: string,
  pin: string,
): OpenKeys {
  // A bare name is looked for where the system keeps its libraries; a path must lead there from everywhere.
  const module = path.basename(named) === named ? named : path.resolve(named);
  const token = Token.open({ module, token: label }, pin, 'write');
  try {
    const { keys, seeds } = makeTokenKeys(token, name, kem);
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
