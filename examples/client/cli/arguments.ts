/** Arguments of commands that are more than text. */

import { InvalidArgumentError, Option } from 'commander';
import { DEFAULT_TOKEN_KEM, TOKEN_KEMS, type TokenKem } from '../keystores/pkcs11.ts';
import { UsageError } from './error.ts';
import type { TokenWish } from './token-keys.ts';

/** A whole number from 1. */
export function positive(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('a whole number from 1');
  return Number(text);
}

/** A port. */
export function port(text: string): number {
  const value = positive(text);
  if (value > 65535) throw new InvalidArgumentError('a port');
  return value;
}

/** An Id in hexadecimal. */
export function hexId(text: string): Uint8Array {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new InvalidArgumentError('64 hexadecimal digits');
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

/** A user, and the Id of its credential as it has told it itself. */
export interface Told {
  readonly subject: string;
  readonly id: Uint8Array;
}

/** Users with their Ids, each as `NAME=ID`; a name may have an equals sign too. */
export function told(text: string, before: readonly Told[] = []): Told[] {
  const at = text.lastIndexOf('=');
  if (at < 1) throw new InvalidArgumentError('NAME=ID, with the own id that the user has told you');
  return [...before, { subject: text.slice(0, at), id: hexId(text.slice(at + 1)) }];
}

/** A time as ISO 8601 writes it, such as `2026-03-14T09:30:00Z`, in milliseconds since 1970. */
export function time(text: string): number {
  const value = Date.parse(text);
  if (!/^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/.test(text) || Number.isNaN(value))
    throw new InvalidArgumentError('a time such as 2026-03-14T09:30:00Z');
  return value;
}

/** The options that name a token. */
export interface TokenOptions {
  readonly pkcs11?: string;
  readonly token?: string;
  readonly kem?: TokenKem;
}

/** The token that these options name, or `null`. */
export function tokenWish({ pkcs11: module, token, kem }: TokenOptions): TokenWish | null {
  if (module === undefined && token === undefined && kem === undefined) return null;
  if (module === undefined || token === undefined)
    throw new UsageError('keys in a token take --pkcs11 MODULE and --token LABEL');
  return { module, token, kem: kem ?? DEFAULT_TOKEN_KEM };
}

/** The option for the KEM of keys in a token. */
export function tokenKemOption(): Option {
  const option = new Option('--kem <name>', `of keys in a token, else ${DEFAULT_TOKEN_KEM}`);
  return option.choices(Object.keys(TOKEN_KEMS));
}
