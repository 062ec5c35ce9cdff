/** DER out (X.690), as much of it as PKCS#12 needs, over asn1js. */

import * as asn1js from 'asn1js';
import { compareBytes } from 'muniment/wire';
import type { BerNode } from './ber.ts';

const CONTEXT_ZERO = { tagClass: 3, tagNumber: 0 };

/** The bytes of a value. */
export function toDer(node: BerNode): Uint8Array {
  return new Uint8Array(node.toBER());
}

export function sequence(...value: BerNode[]): BerNode {
  return new asn1js.Sequence({ value });
}

/** A SET OF: its members in the order of their bytes. */
export function set(...value: BerNode[]): BerNode {
  return new asn1js.Set({ value: value.sort((a, b) => compareBytes(toDer(a), toDer(b))) });
}

export function integer(value: number): BerNode {
  return new asn1js.Integer({ value });
}

export function oid(value: string): BerNode {
  return new asn1js.ObjectIdentifier({ value });
}

export function octets(bytes: Uint8Array): BerNode {
  return new asn1js.OctetString({ valueHex: new Uint8Array(bytes) });
}

export function bmpString(value: string): BerNode {
  return new asn1js.BmpString({ value });
}

/** `[0]`, explicitly, around one value. */
export function explicit(value: BerNode): BerNode {
  return new asn1js.Constructed({ idBlock: CONTEXT_ZERO, value: [value] });
}

/** An OCTET STRING that is tagged `[0]` instead. */
export function implicitOctets(bytes: Uint8Array): BerNode {
  return new asn1js.Primitive({ idBlock: CONTEXT_ZERO, valueHex: new Uint8Array(bytes) });
}

/** An algorithm identifier; one without parameters has NULL. */
export function algorithm(identifier: string, parameters: BerNode = new asn1js.Null()): BerNode {
  return sequence(oid(identifier), parameters);
}
