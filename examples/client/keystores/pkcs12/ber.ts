/**
 * BER in (X.690), as much of it as PKCS#12 needs, over asn1js. Files in the wild use BER's indefinite lengths and
 * strings in pieces, so that strict DER would refuse them.
 *
 * asn1js forgives more than the standard: a member that runs past its parent, an indefinite length without an end,
 * a tag with the wrong bit. Here these are refused: bytes that two programs read differently have no place in a file
 * of keys.
 */

import * as asn1js from 'asn1js';
import { MunimentError } from 'muniment';
import { concat } from 'muniment/wire';

/** A parsed value of whatever type. */
export type BerNode = asn1js.BaseBlock;

/** No file of keys is nested deeper, or has more parts; and what asn1js allocates for a part is many times its size. */
const LIMITS = { maxDepth: 24, maxNodes: 4096 };
/** Six bytes: as far as a number is exact. */
const INTEGER_LIMIT = 6;

/** What is thrown for bytes that are not what they must be. */
export function malformed(cause?: unknown): MunimentError {
  return new MunimentError('KEY_FILE', 'the PKCS#12 file is malformed', { cause });
}

/**
 * Parses exactly one value, which stays where it is: who erases the bytes erases the value.
 *
 * @throws `MunimentError` `KEY_FILE`
 */
export function parseBer(bytes: Uint8Array): BerNode {
  let parsed;
  try {
    const options = { ...LIMITS, maxContentLength: bytes.length, parseEmbedded: false, copyInput: false };
    parsed = asn1js.fromBER(bytes, options);
  } catch (cause) {
    throw malformed(cause);
  }
  if (parsed.offset !== bytes.length || parsed.result.error !== '') throw malformed();
  return parsed.result;
}

/** The members of a constructed value, read one after the other; each method throws `KEY_FILE` if the next is another. */
export class Members {
  readonly #nodes: readonly BerNode[];
  #at = 0;

  constructor(node: BerNode | undefined) {
    if (!(node instanceof asn1js.Constructed || node instanceof asn1js.OctetString)) throw malformed();
    if (!node.idBlock.isConstructed) throw malformed();
    const { valueBlock, lenBlock } = node;
    const whole = lenBlock.isIndefiniteForm
      ? valueBlock.warnings.length === 0
      : valueBlock.blockLength === lenBlock.length;
    if (!whole) throw malformed();
    this.#nodes = valueBlock.value;
  }

  /** Parses a SEQUENCE. */
  static parse(bytes: Uint8Array): Members {
    return membersOf(asn1js.Sequence, parseBer(bytes));
  }

  /** Whether there is another member. */
  get more(): boolean {
    return this.#at < this.#nodes.length;
  }

  /** The next member, of whatever type. */
  any(): BerNode {
    const node = this.#nodes[this.#at++];
    if (node === undefined) throw malformed();
    return node;
  }

  /** Nothing may follow. */
  end(): void {
    if (this.more) throw malformed();
  }

  /** The next member is a SEQUENCE. */
  sequence(): Members {
    return membersOf(asn1js.Sequence, this.any());
  }

  /** The next member is a SEQUENCE, if it is there. */
  optionalSequence(): Members | null {
    return this.more ? this.sequence() : null;
  }

  /** The next member is a SET, if it is there. */
  optionalSet(): Members | null {
    return this.more ? this.set() : null;
  }

  /** The next member is a SET. */
  set(): Members {
    return membersOf(asn1js.Set, this.any());
  }

  /** The next member is tagged `[tag]`, explicitly, around one value. */
  explicit(tag: number): Members {
    const node = this.any();
    if (!isTagged(node, tag)) throw malformed();
    return new Members(node);
  }

  /** The next member is an INTEGER that is not negative. */
  integer(): number {
    const value = this.optionalInteger();
    if (value === null) throw malformed();
    return value;
  }

  /** The next member is an INTEGER that is not negative; `null`, and it is left, if it is something else. */
  optionalInteger(): number | null {
    const node = this.#nodes[this.#at];
    if (!(node instanceof asn1js.Integer) || !isPrimitive(node, INTEGER)) return null;
    this.#at++;
    const bytes = node.valueBlock.valueHexView;
    const [first = 0x80] = bytes; // an INTEGER without any byte is none
    if (first >= 0x80 || bytes.length > INTEGER_LIMIT) throw malformed();
    return bytes.reduce((value, byte) => value * 256 + byte, 0);
  }

  /** The next member is an OBJECT IDENTIFIER. */
  oid(): string {
    const node = this.any();
    if (!(node instanceof asn1js.ObjectIdentifier) || !isPrimitive(node, OBJECT_IDENTIFIER))
      throw malformed();
    return node.getValue();
  }

  /** The next member is an OCTET STRING, whole or in pieces. */
  octets(): Uint8Array {
    const node = this.any();
    if (!(node instanceof asn1js.OctetString)) throw malformed();
    return joined(node);
  }

  /** The next member is an OCTET STRING that is tagged `[tag]` instead. */
  implicitOctets(tag: number): Uint8Array {
    const node = this.any();
    if (!isTagged(node, tag)) throw malformed();
    return joined(node);
  }

  /** The next member is a BMPString. */
  bmpString(): string {
    const node = this.any();
    if (!(node instanceof asn1js.BmpString) || !isPrimitive(node, BMP_STRING)) throw malformed();
    const bytes = node.valueBlock.valueHexView;
    if (bytes.length % 2 !== 0) throw malformed();
    // As UTF-16, as everybody writes it; a lone surrogate is no text.
    try {
      return new TextDecoder('utf-16be', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (cause) {
      throw malformed(cause);
    }
  }

  /** NULL, or nothing: how the parameters of an algorithm that has none are spelled. */
  noParameters(): void {
    if (this.more && !isPrimitive(this.any(), NULL)) throw malformed();
    this.end();
  }
}

/** The bytes of a value as they stand in its file, as a copy. */
export function bytesOf(node: BerNode): Uint8Array {
  return new Uint8Array(node.valueBeforeDecodeView);
}

const UNIVERSAL = 1;
const CONTEXT = 3;
const INTEGER = 2;
const NULL = 5;
const OBJECT_IDENTIFIER = 6;
const BMP_STRING = 30;

// Beside the class: to asn1js an ENUMERATED is an INTEGER too, and a tag's bit for "constructed" means nothing.
function isPrimitive({ idBlock }: BerNode, tag: number): boolean {
  return idBlock.tagClass === UNIVERSAL && idBlock.tagNumber === tag && !idBlock.isConstructed;
}

function isTagged(node: BerNode, tag: number): boolean {
  return node.idBlock.tagClass === CONTEXT && node.idBlock.tagNumber === tag;
}

function membersOf(type: typeof asn1js.Sequence | typeof asn1js.Set, node: BerNode): Members {
  if (!(node instanceof type)) throw malformed();
  return new Members(node);
}

// The pieces of a string are OCTET STRINGs, and may be in pieces themselves; the depth was limited by the parser.
function joined(node: BerNode): Uint8Array {
  if (node instanceof asn1js.Primitive || (node instanceof asn1js.OctetString && !node.idBlock.isConstructed))
    return new Uint8Array(node.valueBlock.valueHexView);
  const pieces = new Members(node);
  const found: Uint8Array[] = [];
  while (pieces.more) found.push(pieces.octets());
  return concat(...found);
}
