/** Sending and fetching annexes: what breaks off goes on where it stopped, on another connection, some times. */

import { ReadableStream as NodeStream } from 'node:stream/web';
import { setTimeout } from 'node:timers/promises';
import { MunimentError } from 'muniment';
import { annexName, type Annex } from 'muniment/views';
import type { BankClient } from './bank.ts';
import { ConnectionError, type AnnexRight, type Connection } from './connection.ts';

/** An annex ready to be sent. */
export interface SealedAnnex {
  readonly annex: Annex;
  readonly ciphertext: Uint8Array;
}

/** How often in a row a connection may break without anything getting through. */
const ATTEMPTS = 5;
/** The first wait before another, in milliseconds; each is twice as long as the one before. */
const WAIT = 100;

/** Announces annexes for a record and sends them, so that an entry may name them. */
export async function sendAnnexes(
  client: BankClient,
  recordId: Uint8Array,
  annexes: readonly SealedAnnex[],
): Promise<void> {
  if (annexes.length === 0) return;
  const named = annexes.map(({ annex, ciphertext }) => ({ name: annexName(annex.root), ciphertext }));
  const announced = named.map(({ name, ciphertext }) => ({ name, size: ciphertext.length }));
  const { reply } = await client.ask<'upload'>({ type: 'upload', recordId, annexes: announced });
  const { capability, offsets } = reply;
  let connection: Connection | null = null;
  try {
    for (const [i, { name, ciphertext }] of named.entries()) {
      const right = { name, capability };
      let offset: number | null = offsets[i] ?? 0;
      for (let [failed, most] = [0, offset]; offset !== ciphertext.length;) {
        try {
          offset ??= await offsetOf(client, right);
          if (offset > ciphertext.length) throw new MunimentError('VIEW_ANNEX');
          if (offset > most) [failed, most] = [0, offset];
          if (offset === ciphertext.length) break;
          connection ??= await client.connect();
          offset = await connection.sendAnnex(right, offset, ciphertext.subarray(offset));
        } catch (error) {
          await connection?.close();
          [connection, offset] = [null, null];
          failed = await orThrow(error, failed);
        }
      }
    }
  } finally {
    await connection?.close();
  }
}

// On a connection of its own: undici ends it after HEAD.
async function offsetOf(client: BankClient, right: AnnexRight): Promise<number> {
  const connection = await client.connect();
  try {
    return await connection.annexOffset(right);
  } finally {
    await connection.close();
  }
}

/**
 * Fetches an annex's ciphertext, as it is read. Nothing of it is verified: `openAnnex` does that.
 *
 * @param capability - what the reply gave that named it
 */
export function fetchAnnex(
  client: BankClient,
  capability: Uint8Array | null,
  root: Uint8Array,
): ReadableStream<Uint8Array> {
  if (capability === null) throw new MunimentError('VIEW_ANNEX');
  // The same class as the global one, which a program with a browser's types takes for another.
  const pieces: unknown = NodeStream.from(fetchPieces(client, { name: annexName(root), capability }));
  return pieces as ReadableStream<Uint8Array>;
}

async function* fetchPieces(client: BankClient, right: AnnexRight): AsyncGenerator<Uint8Array, void> {
  let offset = 0;
  for (let failed = 0; ;) {
    let connection: Connection | null = null;
    try {
      connection = await client.connect();
      for await (const piece of connection.getAnnex(right, offset)) {
        offset += piece.length;
        failed = 0;
        yield piece;
      }
      return;
    } catch (error) {
      failed = await orThrow(error, failed);
    } finally {
      await connection?.close();
    }
  }
}

// Waits before another attempt, and counts it; throws what no other connection helps against, and after too many.
async function orThrow(error: unknown, failed: number): Promise<number> {
  if (!(error instanceof ConnectionError) || failed + 1 >= ATTEMPTS) throw error;
  await setTimeout(WAIT * 2 ** failed);
  return failed + 1;
}
