/** Wraps: what a reader gets its keys by. One HPKE encryption a reader, however many fields. spec/views.md, "Wraps". */

import { hpkeSeal, KEY_LENGTH, type HpkeSealed, type Random } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { exposeSecret, hpkeOpenWith, NAME_LIMIT, Secret, suite } from '../keys/index.ts';
import { tuple, TupleReader } from '../wire/index.ts';
import { MANIFEST_LINES, SHARE_LENGTH } from './constants.ts';
import type { WrapKind } from './manifest.ts';
import type { OpeningReader, Reader } from './reader.ts';

/** A class's key (32 bytes), half of one (32 bytes), or a custodian's share of the other half (33 bytes). */
export interface ClassKey {
  readonly index: number;
  readonly key: Uint8Array;
}

/** A class's key, opened: whoever holds it reads the class. */
export interface OpenedKey {
  /** The class's line in the manifest. */
  readonly index: number;
  readonly key: Secret<'class key'>;
}

/** A custodian's share of half a class's key, released for one emergency. */
export interface OpenedShare {
  readonly index: number;
  readonly share: Secret<'key share'>;
}

/** What only the owner's root gets: D, and the policy that the document was sealed under. */
export interface OwnerOpening {
  /** D, 32 bytes. */
  readonly ownerKey: Secret<'document opening'>;
  readonly policy: { readonly name: string; readonly hash: Uint8Array };
}

/** The content of a wrap. */
export interface WrapContent {
  readonly kind: WrapKind;
  /** 0 for whole keys, else how many custodians it takes. */
  readonly threshold: number;
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
  const { kind, threshold, blind, keys, owner } = content;
  const opening = owner === null ? [] : [exposeSecret(owner.ownerKey), owner.policy.name, owner.policy.hash];
  const plaintext = tuple(
    `wrap ${kind}`,
    blind,
    threshold,
    keys.map(({ index, key }) => [index, key]),
    opening,
  );
  return hpkeSeal(reader, wrapInfo(reader), wrapAad(bodyHash), plaintext, random);
}

/** Opens a wrap, or throws `VIEW_WRAP`. */
export async function openWrap(
  opening: OpeningReader,
  bodyHash: Uint8Array,
  wrap: HpkeSealed,
): Promise<WrapContent> {
  try {
    const { plaintext } = await hpkeOpenWith(opening.key, wrapInfo(opening.reader), wrapAad(bodyHash), wrap);
    return decodeContent(plaintext);
  } catch (cause) {
    throw new MunimentError('VIEW_WRAP', undefined, { cause });
  }
}

const KINDS = ['keys', 'half', 'share'] as const;

function decodeContent(plaintext: Uint8Array): WrapContent {
  const label = new TupleReader(plaintext).text();
  const kind = KINDS.find((one) => label.endsWith(`wrap ${one}`)) ?? 'keys';
  const reader = TupleReader.labelled(plaintext, `wrap ${kind}`);
  const [blind, threshold] = [reader.bytes(32), reader.integer()];
  const length = kind === 'share' ? SHARE_LENGTH : KEY_LENGTH;
  const keys = reader.list(MANIFEST_LINES, (item) =>
    item.group((part) => ({ index: part.integer(), key: part.bytes(length) })),
  );
  const owner = reader.group((part) => {
    if (part.done) return null;
    return {
      ownerKey: new Secret('document opening', part.bytes(32)),
      policy: { name: part.text(NAME_LIMIT), hash: part.bytes(32) },
    };
  });
  reader.end();
  return { kind, threshold, blind, keys, owner };
}

function wrapInfo(reader: Reader): Uint8Array {
  return tuple('wrap', suite(reader.kem), reader.id);
}

function wrapAad(bodyHash: Uint8Array): Uint8Array {
  return tuple('wrap aad', bodyHash);
}
