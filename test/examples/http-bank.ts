/** A real bank in this process, behind its real listeners, with a real certificate authority. */

import { createAnchor, enrol, type Identity } from 'muniment/keys';
import { logKeysOf, NO_WITNESSES, signCharter, type LogKeys } from 'muniment/record';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { X509Certificate } from 'node:crypto';
import { pino } from 'pino';
import { run } from '../../examples/admin/program.ts';
import { BankClient } from '../../examples/client/bank.ts';
import type { Endpoint } from '../../examples/client/connection.ts';
import { trustIn, type Trust } from '../../examples/client/trust.ts';
import { AnnexStore } from '../../examples/server/annexes.ts';
import { Bank } from '../../examples/server/bank.ts';
import { DEFAULT_LIMITS, type Limits } from '../../examples/server/limits.ts';
import { buildListeners, type Listeners, type Ports } from '../../examples/server/listening.ts';
import { createLogKeys } from '../../examples/server/log-keys.ts';
import { Revocations } from '../../examples/server/revocations.ts';
import type { Engine } from '../../examples/server/store/engine.ts';
import { makeDatabase, type EngineName } from './store/engines.ts';

const PASSPHRASE = 'of a test';
const DAY = 86_400_000;

/** A bank at work. */
export class TestBank {
  readonly folder: string;
  readonly bank: Bank;
  readonly trust: Trust;
  readonly log: LogKeys;
  readonly engine: Engine;
  readonly listeners: Listeners;
  readonly ports: Ports;
  readonly administrator: Identity;
  /** Everything that it has logged, a line each. */
  readonly logged: readonly string[];
  /** Its clock is so far ahead, in milliseconds. */
  readonly clock: { ahead: number };
  readonly #end: () => Promise<void>;

  private constructor(
    parts: Omit<TestBank, 'at' | 'read' | 'ca' | 'certify' | 'clientOf' | 'endpoint' | 'enrol' | 'end'>,
    end: () => Promise<void>,
  ) {
    this.folder = parts.folder;
    this.bank = parts.bank;
    this.trust = parts.trust;
    this.log = parts.log;
    this.engine = parts.engine;
    this.listeners = parts.listeners;
    this.ports = parts.ports;
    this.administrator = parts.administrator;
    this.logged = parts.logged;
    this.clock = parts.clock;
    this.#end = end;
  }

  static async start(
    how: { readonly limits?: Partial<Limits>; readonly store?: EngineName } = {},
  ): Promise<TestBank> {
    const folder = mkdtempSync(path.join(tmpdir(), 'muniment-http-'));
    const limits = { ...DEFAULT_LIMITS, ...how.limits };
    await ca(folder, 'init', '--name', 'Test authority');
    await ca(folder, 'issue', 'server', 'bank', '--out', path.join(folder, 'server'));
    await ca(folder, 'crl');
    const read = (...names: string[]): string => readFileSync(path.join(folder, ...names), 'utf8');
    const terms = { notBefore: Date.now() - DAY, notAfter: Date.now() + 30 * DAY };
    const administrator = await createAnchor({
      subject: 'administrator',
      roles: ['administrator'],
      ...terms,
    });
    const identity = await enrol(administrator, { subject: 'bank', roles: ['bank'], ...terms });
    const keys = { origin: 'bank.test.example', ...createLogKeys() };
    const database = await makeDatabase(how.store ?? 'sqlite');
    const engine = await database.open();
    const annexes = new AnnexStore(engine);
    const time = { ahead: 0 };
    const clock = { now: () => Date.now() + time.ahead, monotonic: () => performance.now() };
    const bank = new Bank({
      ...{ identity, engine, annexes, anchor: administrator.credential, log: keys, witnesses: [] },
      ...{ releaseTime: 60_000, now: clock.now, report: () => undefined },
    });
    const logged: string[] = [];
    const sink = new Writable({
      write(chunk: Buffer, _, done) {
        logged.push(chunk.toString());
        done();
      },
    });
    const logger = pino({ level: 'info' }, sink);
    const tls = { cert: read('server.crt'), key: read('server.key'), ca: read('authority', 'authority.crt') };
    const revocations = new Revocations(path.join(folder, 'authority', 'authority.crl'), tls.ca);
    await revocations.look(clock.now());
    const listeners = await buildListeners(
      { bank, identity, engine, annexes, tls, revocations, clock, logger },
      limits,
    );
    const place = { host: '127.0.0.1', port: 0 };
    const ports = await listeners.listen({ ...place, operations: place, publicLog: place, limits });
    const log = logKeysOf(keys);
    const { origin } = keys;
    const charter = await signCharter(administrator, { origin, bank: identity.credential.id, log });
    const anchor = administrator.credential;
    const trust = trustIn({ origin, anchor, bank: identity.credential, charter, witnesses: NO_WITNESSES });
    const parts = { folder, bank, trust, log, engine, listeners, ports, administrator, logged, clock: time };
    return new TestBank(parts, async () => {
      await listeners.close();
      await engine.close();
      await database.remove();
      rmSync(folder, { recursive: true });
    });
  }

  at(...names: string[]): string {
    return path.join(this.folder, ...names);
  }

  read(...names: string[]): string {
    return readFileSync(this.at(...names), 'utf8');
  }

  /** Runs a command of `ca`. */
  ca(...args: string[]): Promise<void> {
    return ca(this.folder, ...args);
  }

  /** Issues a client's certificate, gives its serial number, and leaves it in files of that name. */
  async certify(subject: string, name = subject): Promise<string> {
    await this.ca('issue', 'client', subject, '--out', this.at(name));
    return new X509Certificate(this.read(`${name}.crt`)).serialNumber.toLowerCase();
  }

  /** Where somebody finds the bank, by the certificate in files of that name. */
  endpoint(name: string): Endpoint {
    const authority = this.read('authority', 'authority.crt');
    const tls = { certificate: this.read(`${name}.crt`), key: this.read(`${name}.key`), authority };
    return { host: '127.0.0.1', port: this.ports.port, tls };
  }

  clientOf(user: Identity, name = user.credential.subject): BankClient {
    return new BankClient(user, this.trust, this.endpoint(name));
  }

  enrol(subject: string, ...roles: string[]): Promise<Identity> {
    const terms = { notBefore: Date.now() - DAY, notAfter: Date.now() + 30 * DAY };
    return enrol(this.administrator, { subject, roles, ...terms });
  }

  end(): Promise<void> {
    return this.#end();
  }
}

/** One whole conversation: that it comes back means that it was served. */
export async function converseOnce(client: BankClient): Promise<void> {
  await client.ask<'lookup'>({ type: 'lookup', subjects: [], ids: [], groups: [] });
}

async function ca(folder: string, ...args: string[]): Promise<void> {
  let said = '';
  const status = await run(['ca', '--folder', path.join(folder, 'authority'), ...args], {
    out: () => undefined,
    err: (line) => (said += line),
    env: { MUNIMENT_PASSPHRASE: PASSPHRASE },
  });
  if (status !== 0) throw new Error(said);
}
