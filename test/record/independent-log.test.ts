/**
 * A checker of test/vectors/log.json that shares no code with src: every key id, every signed message, every signature,
 * every tile again, on node:crypto and noble's ML-DSA alone, from the words of spec/log.md and of C2SP.
 */

import { ml_dsa44 } from '@noble/post-quantum/ml-dsa.js';
import { createPublicKey, verify as verifySignature } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { H, unhexed } from '../tuple.ts';
import { casesOf, readVectors } from '../vectors/file.ts';
import type { LogCase, LogJson } from '../vectors/generators/log.ts';

const file = readVectors<LogCase>('log');
const good = file.cases.filter(({ error }) => error === undefined);
const MILLISECONDS = 1000n;

interface Key {
  readonly name: string;
  readonly type: number;
  readonly publicKey: Buffer;
}

const keyId = ({ name, type, publicKey }: Key): Buffer =>
  H(Buffer.from(name), Buffer.of(10, type), publicKey).subarray(0, 4);

function readKey(vkey: string): Key {
  const [name = '', id = ''] = vkey.split('+');
  const bytes = Buffer.from(vkey.slice(name.length + id.length + 2), 'base64');
  const key = { name, type: bytes[0] ?? 0, publicKey: bytes.subarray(1) };
  expect(keyId(key).toString('hex')).toBe(id);
  return key;
}

function isSigned({ type, publicKey }: Key, message: Buffer, signature: Buffer): boolean {
  if (type === 6) return ml_dsa44.verify(signature, message, publicKey);
  const der = Buffer.concat([unhexed('302a300506032b6570032100'), publicKey]);
  return verifySignature(
    null,
    message,
    createPublicKey({ key: der, format: 'der', type: 'spki' }),
    signature,
  );
}

function splitNote(note: string): { text: string; lines: { name: string; id: Buffer; rest: Buffer }[] } {
  const at = note.lastIndexOf('\n\n') + 1;
  const lines = note
    .slice(at + 1, -1)
    .split('\n')
    .map((line) => {
      const [dash, name = '', base64 = ''] = line.split(' ');
      expect(dash).toBe('\u2014');
      const bytes = Buffer.from(base64, 'base64');
      return { name, id: bytes.subarray(0, 4), rest: bytes.subarray(4) };
    });
  return { text: note.slice(0, at), lines };
}

function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

/** What a cosigner of this type signs of a checkpoint at a time. */
function cosigned(key: Key, text: string, time: bigint): Buffer {
  if (key.type === 4) return Buffer.from(`cosignature/v1\ntime ${time}\n${text}`);
  const [origin = '', size = '', root = ''] = text.split('\n');
  return Buffer.concat([
    Buffer.from('subtree/v1\n\0'),
    Buffer.of(Buffer.byteLength(key.name)),
    Buffer.from(key.name),
    uint64(time),
    Buffer.of(Buffer.byteLength(origin)),
    Buffer.from(origin),
    uint64(0n),
    uint64(BigInt(size)),
    Buffer.from(root, 'base64'),
  ]);
}

/** The times of a key's lines under a note, each verified. */
function timesOf(note: string, key: Key): bigint[] {
  const { text, lines } = splitNote(note);
  return lines
    .filter(({ name, id }) => name === key.name && id.equals(keyId(key)))
    .map(({ rest }) => {
      if (key.type === 1) {
        expect(isSigned(key, Buffer.from(text), rest)).toBe(true);
        return 0n;
      }
      const time = rest.readBigUInt64BE();
      expect(isSigned(key, cosigned(key, text, time), rest.subarray(8))).toBe(true);
      return time;
    });
}

function checkLog(note: string, { origin, ed25519, mlDsa44 }: LogJson): void {
  expect(splitNote(note).text.split('\n')[0]).toBe(origin);
  expect(timesOf(note, { name: origin, type: 1, publicKey: unhexed(ed25519) })).toHaveLength(1);
  if (mlDsa44 === null) return;
  expect(timesOf(note, { name: origin, type: 6, publicKey: unhexed(mlDsa44) })).toHaveLength(1);
}

// RFC 6962 section 2.1 over leaves i in two bytes.
function tree(start: number, end: number): Buffer {
  if (start === end) return H();
  if (end - start === 1) return H(Buffer.of(0, start >> 8, start & 0xff));
  let k = 1;
  while (2 * k < end - start) k *= 2;
  return H(Buffer.of(1), tree(start, start + k), tree(start + k, end));
}

describe('every value again', () => {
  it.each(casesOf(file, 'verifier key'))('$name', ({ key, vkey }) => {
    expect(readKey(vkey)).toEqual({ ...key, publicKey: unhexed(key.publicKey) });
  });

  it.each(casesOf({ ...file, cases: good }, 'open note'))('$name', ({ note, keys, text, by }) => {
    expect(splitNote(note).text).toBe(text);
    const signed = keys.map(readKey).filter((key) => timesOf(note, key).length > 0);
    expect(signed.map(({ name }) => name)).toEqual(by);
  });

  it.each(casesOf(file, 'checkpoint'))('$name', ({ log, head, at, text, message, note }) => {
    expect(text).toBe(`${log.origin}\n${head.size}\n${unhexed(head.root).toString('base64')}\n`);
    expect(splitNote(note).text).toBe(text);
    checkLog(note, log);
    if (message === null) return;
    const key = { name: log.origin, type: 6, publicKey: unhexed(log.mlDsa44 ?? '') };
    const [time = 0n] = timesOf(note, key);
    expect(time).toBe(BigInt(at) / MILLISECONDS);
    expect(cosigned(key, text, time).toString('hex')).toBe(message);
  });

  it.each(casesOf({ ...file, cases: good }, 'cosign'))('$name', (one) => {
    checkLog(one.checkpoint, one.log);
    const key = readKey(one.vkey);
    const { text } = splitNote(one.checkpoint);
    const time = BigInt(one.at) / MILLISECONDS;
    expect(cosigned(key, text, time).toString('hex')).toBe(one.message);
    expect(timesOf(`${one.checkpoint}${one.line ?? ''}\n`, key)).toEqual([time]);
    const [, size = '', root = ''] = text.split('\n');
    expect(tree(0, Number(size)).toString('base64')).toBe(root);
    expect(tree(0, one.known.size).toString('hex')).toBe(one.known.root);
  });

  it.each(casesOf({ ...file, cases: good }, 'verify checkpoint'))('$name', (one) => {
    checkLog(one.note, one.log);
    const [, size = '', root = ''] = splitNote(one.note).text.split('\n');
    expect({ size: Number(size), root: Buffer.from(root, 'base64').toString('hex') }).toEqual(one.head);
    const earliest = new Map<string, bigint>();
    for (const key of one.witnesses.map(readKey))
      for (const time of timesOf(one.note, key)) {
        const before = earliest.get(key.name) ?? time;
        earliest.set(key.name, time < before ? time : before);
      }
    const counted = [...earliest].map(([name, time]) => ({ name, time: Number(time * MILLISECONDS) }));
    expect(counted).toEqual(one.cosignatures);
    expect(counted.length).toBeGreaterThanOrEqual(one.threshold);
  });

  it.each(casesOf(file, 'tile'))('$name', ({ size, path, bytes }) => {
    const [, level = '', index = 0, width = 0] = /^tile\/(\w+)\/(\d+)\.p\/(\d+)$/.exec(path) ?? [];
    const start = Number(index) * 256;
    const span = level === 'entries' ? 1 : 256 ** Number(level);
    if ((start + Number(width)) * span > size) {
      expect(bytes).toBeNull();
      return;
    }
    const parts = Array.from({ length: Number(width) }, (_, i) => {
      const at = (start + i) * span;
      return level === 'entries' ? Buffer.of(0, 2, at >> 8, at & 0xff) : tree(at, at + span);
    });
    expect(Buffer.concat(parts).toString('hex')).toBe(bytes);
  });
});
