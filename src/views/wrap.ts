/** Wraps: what a reader gets its keys by. One HPKE encryption a reader, however many fields. spec/views.md, "Wraps". */

import { hpkeSeal, type HpkeSealed, type Random } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { hpkeOpenWith, NAME_LIMIT, suite } from '../keys/index.ts';
import { tuple, TupleReader } from '../wire/index.ts';
import { MANIFEST_LINES } from './constants.ts';
import type { WrapKind } from './manifest.ts';
import type { OpeningReader, Reader } from './reader.ts';

/** A class's key, or for break-glass readers half of one. */
export interface ClassKey {
  readonly index: number;
  readonly key: Uint8Array;
}

/** What only the owner's root gets: D, and the policy that the document was sealed under. */
export interface OwnerOpening {
  readonly ownerKey: Uint8Array;
  readonly policy: { readonly name: string; readonly hash: Uint8Array };
}

/** The content of a wrap. */
export interface WrapContent {
  readonly kind: WrapKind;
  readonly blind: Uint8Array;
  readonly keys: readonly ClassKey[];
  readonly owner: OwnerOpening | null;
}

/** Seals keys to a reader, bound to the document's `bodyHash`. */
export function sealWrap(
  reader: Reader,
  bodyHash: Uint8Array,
  content: WrapContent,
  random: Random,
): HpkeSealed {
  const { kind, blind, keys, owner } = content;
  const opening = owner === null ? [] : [owner.ownerKey, owner.policy.name, owner.policy.hash];
  const plaintext = tuple(
    `wrap ${kind}`,
    blind,
    keys.map(({ index, key }) => [index, key]),
    opening,
  );
  return hpkeSeal(reader, wrapInfo(reader), wrapAad(bodyHash), plaintext, random);
}

/** Opens a wrap, or throws `VIEW_COMMITMENT`. */
export async function openWrap(
  opening: OpeningReader,
  bodyHash: Uint8Array,
  wrap: HpkeSealed,
): Promise<WrapContent> {
  try {
    const { plaintext } = await hpkeOpenWith(opening.key, wrapInfo(opening.reader), wrapAad(bodyHash), wrap);
    return decodeContent(plaintext);
  } catch (cause) {
    throw new MunimentError('VIEW_COMMITMENT', undefined, { cause });
  }
}

function decodeContent(plaintext: Uint8Array): WrapContent {
  const label = new TupleReader(plaintext).text();
  const kind = label.endsWith('wrap half') ? 'half' : 'keys';
  const reader = TupleReader.labelled(plaintext, `wrap ${kind}`);
  const blind = reader.bytes(32);
  const keys = reader.list(MANIFEST_LINES, (item) =>
    item.group((part) => ({ index: part.integer(), key: part.bytes(32) })),
  );
  const owner = reader.group((part) => {
    if (part.done) return null;
    return { ownerKey: part.bytes(32), policy: { name: part.text(NAME_LIMIT), hash: part.bytes(32) } };
  });
  reader.end();
  return { kind, blind, keys, owner };
}

function wrapInfo(reader: Reader): Uint8Array {
  return tuple('wrap', suite(reader.kem), reader.id);
}

function wrapAad(bodyHash: Uint8Array): Uint8Array {
  return tuple('wrap aad', bodyHash);
}
