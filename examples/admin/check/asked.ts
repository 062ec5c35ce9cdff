/** What was asked in a session, as its archived evidence says: read here without verifying, which the archive's own check does. */

import { decodeEnvelope, digestsOf, readUnverifiedData, SignedEnvelope } from 'muniment/envelope';
import type { EnvelopeDigests } from 'muniment/envelope';
import { toHex, TupleReader } from 'muniment/wire';
import { z } from 'zod';
import type { Source } from './source.ts';

const count = z.int().min(0);
const form = z.object({
  id: z.string(),
  type: z.string(),
  recordId: z.string().optional(),
  /** Of an append. */
  entries: z
    .array(z.object({ entry: z.string(), attachments: z.array(z.string()), annexes: z.array(z.string()) }))
    .optional(),
  /** Of a break-glass, and of an erasure. */
  entry: z.string().optional(),
  /** Of an upload. */
  annexes: z.array(z.object({ name: z.string(), size: count })).optional(),
  /** Of a read. */
  chain: z.enum(['content', 'access']).optional(),
  purpose: z.string().optional(),
  from: count.optional(),
  seenSize: count.optional(),
});

/** A request's text. */
export type RequestText = z.output<typeof form>;

/** The parts of an archived piece of evidence. */
export interface Evidence {
  readonly session: Uint8Array;
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  readonly data: string;
  readonly digests: EnvelopeDigests;
}

/** What was asked in a session. */
export interface Asked extends Evidence {
  /** The request's number in the archive. */
  readonly number: number;
  readonly request: RequestText;
}

/** Takes evidence apart. Throws a `MunimentError` if it is none. */
export function readEvidence(evidence: Uint8Array): Evidence {
  const reader = TupleReader.labelled(evidence, 'evidence');
  const [session, from, to] = [reader.bytes(32), reader.bytes(32), reader.bytes(32)];
  const envelope = decodeEnvelope(reader.bytes());
  reader.end();
  if (!(envelope instanceof SignedEnvelope)) throw new TypeError('evidence is of a signed envelope');
  return { session, from, to, data: readUnverifiedData(envelope), digests: digestsOf(envelope) };
}

/** Reads a request's text, or throws an `Error`. */
export function readRequest(data: string): RequestText {
  return form.parse(JSON.parse(data));
}

/** Sessions whose request is kept at hand: the entries of one stand side by side. */
const KEPT = 8;

/** Looks up what was asked in sessions. */
export class AskedIn {
  readonly #source: Source;
  readonly #kept = new Map<string, Asked | null>();

  constructor(source: Source) {
    this.#source = source;
  }

  /** What was asked in a session; `null` if the archive has nothing of it that can be read. */
  async find(session: Uint8Array): Promise<Asked | null> {
    const key = toHex(session);
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const asked = await this.#read(session);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= KEPT && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(key, asked);
    return asked;
  }

  async #read(session: Uint8Array): Promise<Asked | null> {
    const row = await this.#source.row<{ number: number; evidence: Uint8Array }>(
      `SELECT number, evidence FROM requests WHERE session = ?
       UNION ALL SELECT request AS number, evidence FROM repeats WHERE session = ?`,
      session,
      session,
    );
    if (row === undefined) return null;
    try {
      const evidence = readEvidence(row.evidence);
      return { ...evidence, number: row.number, request: readRequest(evidence.data) };
    } catch {
      return null; // the archive's own check says so
    }
  }
}
