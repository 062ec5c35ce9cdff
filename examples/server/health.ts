/** Whether the server can do its work now, and what will soon keep it from it. */

import type { Credential } from 'muniment/keys';
import type { Clock } from 'muniment/protocol';
import type { Bank } from './bank.ts';
import { codeOf } from './refusal.ts';
import type { Revocations } from './revocations.ts';
import type { Database } from './store/tables.ts';

const HOUR = 3_600_000;
/** How long before its end something is warned of: a list is made every day and lasts seven, certificates are renewed by hand. */
export const WARNING = { list: 48 * HOUR, certificate: 14 * 24 * HOUR } as const;
/** How long a check may take, in milliseconds. */
const PATIENCE = 5000;

/** What a check found. */
export interface Check {
  readonly ok: boolean;
  /** A code, a time or a number; `null` if there is nothing to say. */
  readonly note: string | null;
}

/** What all checks found. */
export interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, Check>>;
}

/** What is looked at. */
export interface HealthParts {
  readonly bank: Pick<Bank, 'catchUp' | 'checkStanding'>;
  readonly reading: Database;
  readonly credential: Credential;
  /** When the server's TLS certificate ends, in milliseconds since 1970. */
  readonly certificateUntil: number;
  readonly revocations: Revocations | null;
  readonly clock: Clock;
}

/** Looks. */
export class Health {
  readonly #parts: HealthParts;
  #catchingUp: Promise<number> | null = null;

  constructor(parts: HealthParts) {
    this.#parts = parts;
  }

  /** Runs all checks. */
  async ready(): Promise<Readiness> {
    const { bank, reading, credential, certificateUntil, revocations } = this.#parts;
    const [database, log, standing] = await Promise.all([
      judge(() => reading.selectFrom('replay_floor').select('one').executeTakeFirstOrThrow()),
      judge(() => this.#catchUp()),
      judge(() => bank.checkStanding()),
    ]);
    const checks: Record<string, Check> = {
      database,
      log,
      credential: standing.ok ? this.#until(credential.notAfter, WARNING.certificate) : standing,
      certificate: this.#until(certificateUntil, WARNING.certificate),
      ...(revocations !== null && { revocations: this.#until(revocations.lists.until, WARNING.list) }),
    };
    return { ready: Object.values(checks).every(({ ok }) => ok), checks };
  }

  // An empty turn: the ledger's lock can be had, and what other processes have written is read. One at a time, for a
  // database that does not answer would be asked ever more often.
  #catchUp(): Promise<number> {
    this.#catchingUp ??= this.#parts.bank.catchUp().finally(() => {
      this.#catchingUp = null;
    });
    return this.#catchingUp;
  }

  #until(end: number, warning: number): Check {
    const left = end - this.#parts.clock.now();
    const time = new Date(end).toISOString();
    if (left < 0) return { ok: false, note: `ended ${time}` };
    return { ok: true, note: left < warning ? `warning: ends ${time}` : null };
  }
}

async function judge(check: () => Promise<unknown>): Promise<Check> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(Object.assign(new Error('late'), { code: 'TIMEOUT' }));
    }, PATIENCE);
  });
  try {
    await Promise.race([check(), late]);
    return { ok: true, note: null };
  } catch (error) {
    return { ok: false, note: codeOf(error) };
  } finally {
    clearTimeout(timer);
  }
}
