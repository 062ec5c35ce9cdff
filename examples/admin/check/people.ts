/** Whose credentials the directory has, and how each stood when the log had a size. */

import { MunimentError } from 'muniment';
import {
  createKeyHistory,
  credentialAsOf,
  verifyCredential,
  verifyRenunciation,
  verifyRevocation,
  type Credential,
  type Revocation,
  type Standing,
} from 'muniment/keys';
import { equalBytes, toHex } from 'muniment/wire';
import type { Scratch } from './scratch.ts';
import type { BankTrust } from './trust.ts';

/** Credentials that are kept at hand. */
const KEPT = 4096;

/** Anchor, bank, and whoever the directory has registered. */
export class People {
  readonly #anchor: Credential;
  readonly #own: ReadonlyMap<string, Credential>;
  readonly #scratch: Scratch;
  readonly #kept = new Map<string, { credential: Credential; leaf: number }>();

  constructor(trust: Pick<BankTrust, 'anchor' | 'bank' | 'former'>, scratch: Scratch) {
    this.#anchor = trust.anchor;
    this.#own = new Map(
      [trust.anchor, trust.bank, ...(trust.former ?? [])].map((one) => [toHex(one.id), one]),
    );
    this.#scratch = scratch;
  }

  /** The credential of an Id that was registered before a place in the log; `null` if none was. */
  find(id: Uint8Array, before = Infinity): Credential | null {
    const own = this.#own.get(toHex(id));
    if (own !== undefined) return own;
    const found = this.#registered(id);
    return found === null || found.leaf >= before ? null : found.credential;
  }

  /** The credentials that a registered subject was given, oldest first. */
  credentialsOf(subject: string): Credential[] {
    const rows = this.#scratch.all<{ id: Uint8Array }>(
      'SELECT id FROM users WHERE subject = ? ORDER BY number',
      subject,
    );
    return rows.map(({ id }) => this.find(id)).filter((one) => one !== null);
  }

  /** Whether a name is the anchor's or the bank's. */
  isOwn(subject: string): boolean {
    return [...this.#own.values()].some((one) => one.subject === subject);
  }

  /**
   * How an author stood when an entry came to its place in the log, by what the log had heard until then. `null` for
   * somebody who was not registered; throws `KEY_CREDENTIAL` and `KEY_REVOKED`.
   */
  standing(id: Uint8Array, place: { readonly leaf: number; readonly time: number }): Standing | null {
    const credential = this.find(id, place.leaf);
    if (credential === null) return null;
    // Nobody can revoke the anchor.
    if (equalBytes(credential.id, this.#anchor.id)) {
      if (place.time < credential.notBefore || place.time > credential.notAfter)
        throw new MunimentError('KEY_CREDENTIAL');
      return { credential, standing: 'valid' };
    }
    const revocations = this.#heard(credential, place.leaf);
    const history = createKeyHistory(this.#anchor, { credentials: [credential], revocations });
    return credentialAsOf(history, credential.id, place.time);
  }

  #heard(credential: Credential, before: number): Revocation[] {
    return this.#scratch
      .all<{ author: Uint8Array; statement: Uint8Array; heard: number }>(
        'SELECT author, statement, heard FROM revocations WHERE credential = ? AND leaf < ?',
        credential.id,
        before,
      )
      .map(({ author, statement, heard }) =>
        equalBytes(author, this.#anchor.id)
          ? verifyRevocation(statement, this.#anchor, heard)
          : verifyRenunciation(statement, credential, heard),
      );
  }

  #registered(id: Uint8Array): { credential: Credential; leaf: number } | null {
    const key = toHex(id);
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const row = this.#scratch.row<{ credential: Uint8Array; leaf: number }>(
      'SELECT credential, leaf FROM users WHERE id = ?',
      id,
    );
    if (row === undefined) return null;
    const found = { credential: verifyCredential(row.credential, this.#anchor, 'ever'), leaf: row.leaf };
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= KEPT && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(key, found);
    return found;
  }
}
