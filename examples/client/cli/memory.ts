/** What a client must not forget: the newest checkpoint, heads, epochs of groups and lists of compartments that it verified, and every receipt. */

import { toBase64url, toHex } from 'muniment/wire';
import { appendFileSync, existsSync } from 'node:fs';
import { z } from 'zod';
import type { Memory } from '../bank.ts';
import { readForm, writeWhole } from './files.ts';

const hash = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .transform((text) => Uint8Array.from(Buffer.from(text, 'hex')));
const size = z.int().min(0);
const memoryForm = z.strictObject({
  format: z.literal('muniment memory 2'),
  newest: z.strictObject({ size, root: hash }).nullable(),
  heads: z.record(z.string().regex(/^[0-9a-f]{32}(?::access)?$/), z.strictObject({ size, hash })),
  seen: z.record(z.string(), z.strictObject({ number: size, digest: hash })),
});

/** Reads the memory; one that is there and broken is an error, for a memory that was lost protects nobody. */
export function readMemory(file: string, receiptsFile: string): Memory {
  const keepReceipt = (receipt: Uint8Array): void => {
    appendFileSync(receiptsFile, `${toBase64url(receipt)}\n`, { mode: 0o600, flush: true });
  };
  if (!existsSync(file)) return { newest: null, heads: new Map(), seen: new Map(), keepReceipt };
  const { newest, heads, seen } = readForm(file, memoryForm);
  return {
    newest,
    heads: new Map(Object.entries(heads)),
    seen: new Map(Object.entries(seen)),
    keepReceipt,
  };
}

/** Writes the memory in the place of the older one. */
export function writeMemory(file: string, { newest, heads, seen }: Memory): void {
  const text = JSON.stringify({
    format: 'muniment memory 2',
    newest: newest === null ? null : { size: newest.size, root: toHex(newest.root) },
    heads: Object.fromEntries(Array.from(heads, ([id, head]) => [id, { ...head, hash: toHex(head.hash) }])),
    seen: Object.fromEntries(Array.from(seen, ([of, one]) => [of, { ...one, digest: toHex(one.digest) }])),
  });
  writeWhole(file, `${text}\n`);
}
