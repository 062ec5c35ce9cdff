/** What a client must not forget: the newest checkpoint, heads and epochs that it verified, and every receipt. */

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
  format: z.literal('muniment memory 1'),
  newest: z.strictObject({ size, root: hash }).nullable(),
  heads: z.record(z.string().regex(/^[0-9a-f]{32}(?::access)?$/), z.strictObject({ size, hash })),
  epochs: z.record(z.string(), size),
});

/** Reads the memory; one that is there and broken is an error, for a memory that was lost protects nobody. */
export function readMemory(file: string, receiptsFile: string): Memory {
  const keepReceipt = (receipt: Uint8Array): void => {
    appendFileSync(receiptsFile, `${toBase64url(receipt)}\n`, { mode: 0o600, flush: true });
  };
  if (!existsSync(file)) return { newest: null, heads: new Map(), epochs: new Map(), keepReceipt };
  const { newest, heads, epochs } = readForm(file, memoryForm);
  return {
    newest,
    heads: new Map(Object.entries(heads)),
    epochs: new Map(Object.entries(epochs)),
    keepReceipt,
  };
}

/** Writes the memory in the place of the older one. */
export function writeMemory(file: string, { newest, heads, epochs }: Memory): void {
  const text = JSON.stringify({
    format: 'muniment memory 1',
    newest: newest === null ? null : { size: newest.size, root: toHex(newest.root) },
    heads: Object.fromEntries(Array.from(heads, ([id, head]) => [id, { ...head, hash: toHex(head.hash) }])),
    epochs: Object.fromEntries(epochs),
  });
  writeWhole(file, `${text}\n`);
}
