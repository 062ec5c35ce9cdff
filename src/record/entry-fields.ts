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

// What each of these refuses is a RangeError that names the part: whoever drafts an entry made the mistake; of an entry that
// came from elsewhere `wellFormed` makes a refusal of it.

/** The name of a chain. */
export function checkChain(name: string): ChainName {
  return oneOf(CHAINS, name, 'chain');
}

/** A kind of entry. */
export function checkKind(name: string): EntryKind {
  return oneOf(ENTRY_KINDS, name, 'kind');
}

function oneOf<Value extends string>(known: readonly Value[], text: string, part: string): Value {
  if (!(known as readonly string[]).includes(text))
    throw new RangeError(`${part} is one of ${known.join(', ')}`);
  return text as Value;
}

/** A text that is not too long. */
export function checkText(text: string, part: string): string {
  if (typeof text !== 'string' || utf8Length(text) > NAME_LIMIT)
    throw new RangeError(`${part} is text of at most ${String(NAME_LIMIT)} bytes`);
  return text;
}

/** An integer from 0 to 2^53 - 1. */
export function checkInteger(value: number, part: string): number {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`${part} is a whole number from 0 to 2^53 - 1`);
  return value + 0; // of zero there is one
}

/** Bytes of this length. What only has their prototype is none: a copy of a buffer is a view of it. */
export function checkBytes(bytes: Uint8Array, length: number, part: string): Uint8Array {
  if (!(bytes instanceof Uint8Array) || !ArrayBuffer.isView(bytes) || bytes.length !== length)
    throw new RangeError(`${part} is ${String(length)} bytes`);
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
