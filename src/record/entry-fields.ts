/** What the format takes of an entry's parts. spec/record.md, "Entries". */

import { MunimentError } from '../errors.ts';
import { NAME_LIMIT } from '../keys/index.ts';
import { utf8Length } from '../wire/index.ts';

/** A record has two chains: its content, authored by people, and its accesses, authored by the bank. */
export type ChainName = 'content' | 'access';

/** What an entry does. */
export const ENTRY_KINDS = [
  'create',
  'insert',
  'annotate',
  'amend',
  'grant',
  'revoke',
  'access',
  'emergency',
  'release',
  'register',
  'key',
  'erase',
  'close',
] as const;
/** One of {@link ENTRY_KINDS}. */
export type EntryKind = (typeof ENTRY_KINDS)[number];

const CHAINS: readonly ChainName[] = ['content', 'access'];

/** The name of a chain, or throws. */
export function checkChain(name: string): ChainName {
  return oneOf(CHAINS, name);
}

/** A kind of entry, or throws. */
export function checkKind(name: string): EntryKind {
  return oneOf(ENTRY_KINDS, name);
}

function oneOf<Value extends string>(known: readonly Value[], text: string): Value {
  if (!(known as readonly string[]).includes(text)) throw new MunimentError('RECORD_ENTRY');
  return text as Value;
}

/** A text that is not too long, or throws. */
export function checkText(text: string): string {
  if (typeof text !== 'string' || utf8Length(text) > NAME_LIMIT) throw new MunimentError('WIRE_LIMIT');
  return text;
}

/** An integer from 0 to 2^53 - 1, or throws. */
export function checkInteger(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new MunimentError('WIRE_TUPLE');
  return value + 0; // of zero there is one
}

/** Bytes of this length, or throws. */
export function checkBytes(bytes: Uint8Array, length: number): Uint8Array {
  if (!(bytes instanceof Uint8Array) || bytes.length !== length) throw new MunimentError('WIRE_TUPLE');
  return bytes;
}

/** What is made of parts that are checked meanwhile: what is refused there is `RECORD_ENTRY`. */
export function wellFormed<Made>(make: () => Made): Made {
  try {
    return make();
  } catch (cause) {
    throw new MunimentError('RECORD_ENTRY', undefined, { cause });
  }
}
