/** The demo's doctor with keys in a PKCS#11 token: made for this run, and removed from the token at its end. */

import { kem } from 'muniment/crypto';
import type { IdentityKeys } from 'muniment/keys';
import { toHex } from 'muniment/wire';
import { randomBytes } from 'node:crypto';
import type { TokenWish } from '../client/cli/token-keys.ts';
import { makeTokenKeys, removeTokenKeys } from '../client/keystores/pkcs11.ts';
import { Token } from '../client/keystores/token.ts';

/** Keys in a token, for as long as the demo runs. */
export interface TokenDoctor {
  readonly keys: IdentityKeys;
  /** What and where they are, to follow the words "the keys". */
  readonly described: string;
  /** Removes the keys and logs out. */
  end(): void;
}

/** Makes the keys. Throws `TokenError`. */
export function createTokenDoctor(wish: TokenWish, pin: string): TokenDoctor {
  const token = Token.open(wish, pin, 'write');
  const name = `muniment demo ${toHex(randomBytes(4))}`;
  let ended = false;
  const end = (): void => {
    if (ended) return;
    ended = true;
    process.removeListener('exit', end);
    try {
      removeTokenKeys(token, name);
    } finally {
      token.close();
    }
  };
  // However the demo ends, the user's token is as it was.
  process.once('exit', end);
  const { keys } = makeTokenKeys(token, name, wish.kem);
  const described = `are in the token ${token.label}, and never were anywhere else: ${keys.signer.algorithm} and ${kem(keys.sealing.kem).name}`;
  return { keys, described, end };
}
