/**
 * A witness of one log: it remembers the newest state that it cosigned, durably, and cosigns only what follows from it
 * (c2sp.org/tlog-witness, `add-checkpoint`).
 */

import { MunimentError } from 'muniment';
import { emptyRoot } from 'muniment/crypto';
import { cosign, witnessKey, type LogKeys, type NoteKey, type TreeHead, type Witness } from 'muniment/record';
import { fromBase64url, toBase64url } from 'muniment/wire';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

/** What is answered over HTTP. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

const PROOF_LIMIT = 63;
const stateForm = z.strictObject({ size: z.int().min(0), root: z.string() });

/** One witness's memory of one log. */
export class LogWitness {
  readonly #witness: Witness;
  readonly #log: LogKeys;
  readonly #file: string;
  readonly #now: () => number;
  #queue: Promise<unknown> = Promise.resolve();

  /** @param file - where the newest state is kept; `now` in milliseconds since 1970 */
  constructor(witness: Witness, log: LogKeys, { file, now }: { file: string; now: () => number }) {
    [this.#witness, this.#log, this.#file, this.#now] = [witness, log, file, now];
  }

  /** The key under which its lines verify. */
  get key(): NoteKey {
    return witnessKey(this.#witness);
  }

  /** Serves one request: `old` and a size, proof hashes, an empty line, the checkpoint. One at a time. */
  add(request: string): Promise<Answer> {
    const turn = this.#queue.then(() => this.#add(request));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #add(request: string): Promise<Answer> {
    const parsed = parse(request);
    if (parsed === null) return { status: 400, body: '' };
    const known = this.#known();
    if (parsed.old !== known.size) return { status: 409, body: `${String(known.size)}\n` };
    try {
      const seen = { log: this.#log, known, proof: parsed.proof, at: this.#now() };
      const { known: next, line } = await cosign(this.#witness, parsed.checkpoint, seen);
      // On disk before the line leaves the house: after a power cut it must not cosign another future.
      this.#keep(next);
      return { status: 200, body: `${line}\n` };
    } catch (error) {
      if (!(error instanceof MunimentError)) throw error;
      return { status: error.code === 'RECORD_CONSISTENCY' ? 422 : 403, body: '' };
    }
  }

  #known(): TreeHead {
    if (!existsSync(this.#file)) return { size: 0, root: emptyRoot() };
    const { size, root } = stateForm.parse(JSON.parse(readFileSync(this.#file, 'utf8')));
    return { size, root: fromBase64url(root) };
  }

  #keep({ size, root }: TreeHead): void {
    const temporary = `${this.#file}.tmp`;
    const descriptor = openSync(temporary, 'w', 0o600);
    writeSync(descriptor, JSON.stringify({ size, root: toBase64url(root) }));
    fsyncSync(descriptor);
    closeSync(descriptor);
    renameSync(temporary, this.#file);
    const folder = openSync(path.dirname(this.#file), 'r');
    fsyncSync(folder);
    closeSync(folder);
  }
}

function parse(request: string): { old: number; proof: Uint8Array[]; checkpoint: string } | null {
  const end = request.indexOf('\n\n');
  const [first = '', ...lines] = request.slice(0, Math.max(end, 0)).split('\n');
  const old = /^old (0|[1-9]\d{0,15})$/.exec(first)?.[1];
  const proof = lines.map((line) => new Uint8Array(Buffer.from(line, 'base64')));
  const canonical = proof.every((hash, i) => Buffer.from(hash).toString('base64') === lines[i]);
  if (old === undefined || !canonical || proof.length > PROOF_LIMIT) return null;
  return { old: Number(old), proof, checkpoint: request.slice(end + 2) };
}
