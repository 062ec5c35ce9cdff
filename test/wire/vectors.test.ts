/** test/vectors/wire.json, read back by the library. */

import { describe, expect, it } from 'vitest';
import {
  fromBase64,
  fromBase64url,
  fromUtf8,
  pad,
  padmeLength,
  readJson,
  toBase64,
  toBase64url,
  tuple,
  TupleReader,
  unpad,
  utf8,
  writeJson,
} from '../../src/wire/index.ts';
import { refusal } from '../refusal.ts';
import { casesOf, readVectors, type CaseOf } from '../vectors/file.ts';
import { tupleItem, type Item, type Shape, type WireCase } from '../vectors/generators/wire.ts';
import { hex, unhex } from '../vectors/hex.ts';

const file = readVectors<WireCase>('wire');

it('holds as many cases as it should', () => {
  const counts: Record<string, number> = {};
  for (const { operation } of file.cases) counts[operation] = (counts[operation] ?? 0) + 1;
  expect(counts).toEqual({
    utf8: 12,
    tuple: 12,
    'read tuple': 22,
    base64url: 24,
    base64: 15,
    'padded length': 23,
    padding: 20,
    json: 73,
  });
});

describe('utf8', () => {
  it.each(casesOf(file, 'utf8'))('$name', ({ bytes, text, error }) => {
    if (error !== undefined) {
      expect(refusal(() => fromUtf8(unhex(bytes)))).toBe(error);
      return;
    }
    expect(fromUtf8(unhex(bytes))).toBe(text);
    expect(hex(utf8(text ?? ''))).toBe(bytes);
  });
});

describe('tuple', () => {
  it.each(casesOf(file, 'tuple'))('$name', ({ label, items, encoded }) => {
    expect(hex(tuple(label, ...items.map(tupleItem)))).toBe(encoded);
    const reader = TupleReader.labelled(unhex(encoded), label);
    expect(items.map((item) => readItem(reader, item))).toEqual(items);
    reader.end();
  });
});

describe('read tuple', () => {
  it.each(casesOf(file, 'read tuple'))('$name', (one) => {
    if (one.error === undefined) readShape(one);
    else expect(refusal(() => readShape(one))).toBe(one.error);
  });
});

describe('base64url', () => {
  it.each(casesOf(file, 'base64url'))('$name', ({ text, bytes, error }) => {
    if (error !== undefined) {
      expect(refusal(() => fromBase64url(text))).toBe(error);
      return;
    }
    expect(hex(fromBase64url(text))).toBe(bytes);
    expect(toBase64url(unhex(bytes ?? ''))).toBe(text);
  });
});

describe('base64', () => {
  it.each(casesOf(file, 'base64'))('$name', ({ text, bytes, error }) => {
    if (error !== undefined) {
      expect(refusal(() => fromBase64(text))).toBe(error);
      return;
    }
    expect(hex(fromBase64(text))).toBe(bytes);
    expect(toBase64(unhex(bytes ?? ''))).toBe(text);
    expect(Buffer.from(unhex(bytes ?? '')).toString('base64')).toBe(text);
  });
});

describe('padding', () => {
  it.each(casesOf(file, 'padded length'))('$name', ({ length, paddedLength }) => {
    expect(padmeLength(length)).toBe(paddedLength);
  });

  it.each(casesOf(file, 'padding'))('$name', ({ padded, bucket, plaintext, error }) => {
    if (error !== undefined) {
      expect(refusal(() => unpad(unhex(padded), bucket))).toBe(error);
      return;
    }
    expect(hex(unpad(unhex(padded), bucket))).toBe(plaintext);
    expect(hex(pad(unhex(plaintext ?? ''), bucket))).toBe(padded);
  });
});

describe('json', () => {
  it.each(casesOf(file, 'json'))('$name', ({ text, bytes, limits, minified, error }) => {
    const source = text ?? unhex(bytes ?? '');
    if (error !== undefined) {
      expect(refusal(() => readJson(source, limits))).toBe(error);
      return;
    }
    expect(writeJson(readJson(source, limits))).toBe(minified);
    expect(writeJson(readJson(minified ?? '', limits))).toBe(minified);
  });
});

function readItem(reader: TupleReader, item: Item): Item {
  if ('bytes' in item) return { bytes: hex(reader.bytes()) };
  if ('text' in item) return { text: reader.text() };
  if ('integer' in item) return { integer: reader.integer() };
  return { list: reader.group((inner) => item.list.map((part) => readItem(inner, part))) };
}

function readShape({ label, shape, encoded }: CaseOf<WireCase, 'read tuple'>): void {
  const reader = TupleReader.labelled(unhex(encoded), label);
  for (const part of shape) readPart(reader, part);
  reader.end();
}

function readPart(reader: TupleReader, shape: Shape): unknown {
  switch (shape.read) {
    case 'bytes':
      return reader.bytes(shape.length);
    case 'text':
      return reader.text(shape.limit);
    case 'integer':
      return reader.integer();
    case 'list':
      return reader.list(shape.limit, (inner) => readPart(inner, shape.of));
    case 'group':
      return reader.group((inner) => shape.of.map((part) => readPart(inner, part)));
  }
}
