/** What a client must not forget: the newest checkpoint, what the bank said of each chain, epochs of groups and lists of compartments, and every receipt. */

import { toBase64url, toHex } from 'muniment/wire';
import { appendFileSync, existsSync } from 'node:fs';
import { z } from 'zod';
import type { Memory } from '../bank.ts';
import { readForm, writeNew, writeWhole } from './files.ts';
import { encoded } from './settings.ts';

const hash = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .transform((text) => Uint8Array.from(Buffer.from(text, 'hex')));
const size = z.int().min(0);
const memoryForm = z.strictObject({
  format: z.literal('muniment memory 3'),
  newest: z.strictObject({ size, root: hash, checkpoint: z.string() }).nullable(),
  chains: z.record(
    z.string().regex(/^[0-9a-f]{32}(?::access)?$/),
    z.strictObject({
      head: z.strictObject({ size, hash }),
      receipt: encoded.nullable(),
      stated: encoded.nullable(),
    }),
  ),
  seen: z.record(z.string(), z.strictObject({ number: size, digest: hash })),
});

/** Where a wallet's memory lies. */
export interface MemoryFiles {
  readonly memory: string;
  /** Every receipt, one a line. */
  readonly receipts: string;
  /** The name of a fraud file. */
  readonly proof: () => string;
}

/** Reads the memory; one that is there and broken is an error, for a memory that was lost protects nobody. */
export function readMemory(files: MemoryFiles): Memory {
  const keep = {
    keepReceipt: (receipt: Uint8Array): void => {
      appendFileSync(files.receipts, `${toBase64url(receipt)}\n`, { mode: 0o600, flush: true });
    },
    keepProof: (proof: string): void => {
      writeNew(files.proof(), proof);
    },
  };
  if (!existsSync(files.memory)) return { newest: null, chains: new Map(), seen: new Map(), ...keep };
  const { newest, chains, seen } = readForm(files.memory, memoryForm);
  return {
    newest,
    chains: new Map(Object.entries(chains)),
    seen: new Map(Object.entries(seen)),
    ...keep,
  };
}

/** Writes the memory in the place of the older one. */
export function writeMemory(file: string, { newest, chains, seen }: Memory): void {
  const bytes = (value: Uint8Array | null): string | null => (value === null ? null : toBase64url(value));
  const text = JSON.stringify({
    format: 'muniment memory 3',
    newest: newest === null ? null : { ...newest, root: toHex(newest.root) },
    chains: Object.fromEntries(
      Array.from(chains, ([id, { head, receipt, stated }]) => [
        id,
        {
          head: { ...head, hash: toHex(head.hash) },
          receipt: bytes(receipt),
          stated: bytes(stated),
        },
      ]),
    ),
    seen: Object.fromEntries(Array.from(seen, ([of, one]) => [of, { ...one, digest: toHex(one.digest) }])),
  });
  writeWhole(file, `${text}\n`);
}
