/** What the independent checker of exports stands on: signatures, credentials, notes and proofs, without src. */

import { ml_dsa44 } from '@noble/post-quantum/ml-dsa.js';
import { createPublicKey, verify } from 'node:crypto';
import { H, parts, T, unhexed } from '../tuple.ts';
import type { EstablishedJson, PolicyJson } from '../vectors/generators/export.ts';
import type { LogJson } from '../vectors/generators/log.ts';

/** Refuses. */
export const no = (): never => {
  throw new Error('refused');
};
/** Refuses what does not hold. */
export const demand = (holds: boolean): void => {
  if (!holds) no();
};
/** An integer's part of a tuple. */
export const number = (part: Buffer): number => Number(part.readBigUInt64BE());

/** Bytes from base64url, which has one spelling. */
export function bytesOf(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  demand(bytes.toString('base64url') === text);
  return bytes;
}

/** The parts of a tuple with this label. */
export function open(bytes: Buffer, label: string, count: number): Buffer[] {
  const [name, ...rest] = parts(bytes);
  demand(name?.toString() === `muniment/1 ${label}` && rest.length === count);
  return rest;
}

/** Whether an Ed25519 key signed. */
export function signed(key: Buffer, message: Buffer, signature: Buffer): boolean {
  const der = Buffer.concat([unhexed('302a300506032b6570032100'), key]);
  return verify(null, message, createPublicKey({ key: der, format: 'der', type: 'spki' }), signature);
}

/** A verified credential. */
export interface Credential {
  id: Buffer;
  roles: string[];
  key: Buffer;
  from: number;
  to: number;
}

/** Verifies a credential as the anchor's; with `null` as the anchor's own. */
export function credentialOf(encoded: Buffer, anchor: Credential | null): Credential {
  const [body, signature] = open(encoded, 'signed credential', 2) as [Buffer, Buffer];
  const all = parts(body);
  const [, key] = parts(all[3]!) as [Buffer, Buffer];
  const roles = parts(all[2]!).map((role) => role.toString());
  const one = { id: H(body), roles, key, from: number(all[4]!), to: number(all[5]!) };
  demand(all[7]!.equals(anchor?.id ?? Buffer.alloc(32)));
  demand(signed((anchor ?? one).key, T('credential signature', body), signature));
  return one;
}

/** The body of a statement that this author signed. */
export function statementOf(encoded: Buffer, author: Credential): Buffer {
  const [id, body, signature] = open(encoded, 'signed statement', 3) as [Buffer, Buffer, Buffer];
  demand(id.equals(author.id) && signed(author.key, T('statement signature', id, body), signature));
  return body;
}

/** Up from a leaf: the recursion of RFC 6962 section 2.1.1 turned round. */
export function climb(leaf: Buffer, index: number, size: number, proof: readonly Buffer[]): Buffer {
  demand(index < size);
  if (size === 1) return proof.length === 0 ? H(Buffer.of(0), leaf) : no();
  let k = 1;
  while (2 * k < size) k *= 2;
  const [rest, sibling] = [proof.slice(0, -1), proof.at(-1) ?? no()];
  return index < k
    ? H(Buffer.of(1), climb(leaf, index, k, rest), sibling)
    : H(Buffer.of(1), sibling, climb(leaf, index - k, size - k, rest));
}

interface Key {
  readonly name: string;
  readonly type: number;
  readonly publicKey: Buffer;
}

function readKey(vkey: string): Key {
  const [name = '', id = ''] = vkey.split('+');
  const bytes = Buffer.from(vkey.slice(name.length + id.length + 2), 'base64');
  return { name, type: bytes[0]!, publicKey: bytes.subarray(1) };
}

/** A checkpoint of a log that enough witnesses cosigned, and since when it stands. */
export function establish(note: string, log: LogJson, policy: PolicyJson): EstablishedJson {
  const { origin, ed25519, mlDsa44 } = log;
  const end = note.lastIndexOf('\n\n') + 1;
  const text = note.slice(0, end);
  demand(end > 0 && text.split('\n')[0] === origin);
  const first = linesOf(note.slice(end + 1), { name: origin, type: 1, publicKey: unhexed(ed25519) });
  demand(first.length === 1 && signed(unhexed(ed25519), Buffer.from(text), first[0]!));
  if (mlDsa44 !== null) {
    const key = { name: origin, type: 6, publicKey: unhexed(mlDsa44) };
    demand(timesOf(note, key).length === 1);
  }
  const cosignatures = policy.witnesses.map(readKey).flatMap((key) => {
    const [time] = timesOf(note, key);
    return time === undefined ? [] : [{ name: key.name, time }];
  });
  demand(cosignatures.length >= policy.threshold);
  const times = cosignatures.map(({ time }) => time).sort((a, b) => a - b);
  const [, size, root = ''] = text.split('\n');
  return {
    size: Number(size),
    root: Buffer.from(root, 'base64').toString('hex'),
    cosignatures,
    since: policy.threshold === 0 ? null : times[policy.threshold - 1]!,
  };
}

function linesOf(lines: string, { name, type, publicKey }: Key): Buffer[] {
  const id = H(Buffer.from(name), Buffer.of(10, type), publicKey).subarray(0, 4);
  return lines
    .slice(0, -1)
    .split('\n')
    .map((line) => line.split(' ') as [string, string, string])
    .filter((line) => line[1] === name && Buffer.from(line[2], 'base64').subarray(0, 4).equals(id))
    .map((line) => Buffer.from(line[2], 'base64').subarray(4));
}

/** The times in milliseconds of a cosigner's lines under a note, each verified. */
function timesOf(note: string, key: Key): number[] {
  const end = note.lastIndexOf('\n\n') + 1;
  return linesOf(note.slice(end + 1), key).map((rest) => {
    const [time, signature] = [number(rest), rest.subarray(8)];
    const message = cosigned(key, note.slice(0, end), time);
    demand(
      key.type === 6
        ? ml_dsa44.verify(signature, message, key.publicKey)
        : signed(key.publicKey, message, signature),
    );
    return time * 1000;
  });
}

function cosigned({ name, type }: Key, text: string, time: number): Buffer {
  if (type === 4) return Buffer.from(`cosignature/v1\ntime ${time}\n${text}`);
  const [origin = '', size = '', root = ''] = text.split('\n');
  const short = (one: string): Buffer => Buffer.concat([Buffer.of(Buffer.byteLength(one)), Buffer.from(one)]);
  const uint64 = (value: number): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(BigInt(value));
    return bytes;
  };
  return Buffer.concat([
    ...[Buffer.from('subtree/v1\n\0'), short(name), uint64(time), short(origin), uint64(0)],
    ...[uint64(Number(size)), Buffer.from(root, 'base64')],
  ]);
}
