/** A whole bank in this process, on a real engine: real conversations, without sockets. */

import { KEM_X25519, systemRandom } from 'muniment/crypto';
import { createAnchor, createRoot, enrol, type Identity } from 'muniment/keys';
import { converse, type Binding, type Clock } from 'muniment/protocol';
import { logKeysOf, NO_WITNESSES, signCharter, type LogSigner } from 'muniment/record';
import { BankClient } from '../../examples/client/bank.ts';
import type { Connection, Endpoint } from '../../examples/client/connection.ts';
import { openDirectory, publishCompartmentsOf, register } from '../../examples/client/publishing.ts';
import { trustIn, type Trust } from '../../examples/client/trust.ts';
import type { RecordName } from '../../examples/client/writing.ts';
import type { AnnexStore } from '../../examples/server/annexes.ts';
import { Bank } from '../../examples/server/bank.ts';
import { createLogKeys } from '../../examples/server/log-keys.ts';
import { DEFAULT_LIMITS } from '../../examples/server/limits.ts';
import { Sessions } from '../../examples/server/sessions.ts';
import type { Engine } from '../../examples/server/store/engine.ts';
import type { WitnessAt } from '../../examples/server/witnessing.ts';

const ORIGIN = 'bank.example/records';
const SUITE = { kem: KEM_X25519 };
const DAY = 86_400_000;
const NOWHERE: Endpoint = { host: '', port: 0, tls: { certificate: '', key: '', authority: '' } };

/** A bank at work, and who may register. */
export interface InProcess {
  readonly bank: Bank;
  /** What it is made of. */
  readonly parts: ConstructorParameters<typeof Bank>[0];
  readonly trust: Trust;
  readonly administrator: BankClient;
  readonly directory: RecordName;
  /** Every error that ended a request. */
  readonly reports: unknown[];
  /** Makes an identity, registered or not. */
  enrol(subject: string, roles: readonly string[], notBefore?: number): Promise<Identity>;
  /** How somebody asks. */
  clientOf(user: Identity): BankClient;
  /** Makes and registers users, by subject and roles. */
  join<Subject extends string>(
    users: Readonly<Record<Subject, readonly string[]>>,
  ): Promise<Record<Subject, BankClient>>;
  /** A patient publishes its parts. */
  publish(patient: BankClient, names: readonly string[]): Promise<Uint8Array>;
}

/** What a bank may have otherwise than usual. */
export interface Founding {
  /** Its annexes; without them none can be sent. */
  readonly annexes?: AnnexStore;
  /** For how many days everybody's credential is good. */
  readonly days?: number;
  /** By how much its clock is off once a request was verified, in milliseconds. */
  readonly jump?: () => number;
  /** Its log, and whom it asks for lines. */
  readonly log?: LogSigner;
  readonly witnesses?: readonly WitnessAt[];
}

// What comes over a line comes in pieces.
async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes;
}

/** Founds a bank on an empty database. */
export async function foundBank(engine: Engine, founding: Founding = {}): Promise<InProcess> {
  const { annexes, days = 30, jump = (): number => 0, witnesses = [] } = founding;
  const { log = { origin: ORIGIN, ...createLogKeys() } } = founding;
  const since = Date.now() - DAY;
  const validity = { notBefore: since, notAfter: since + days * DAY };
  const profile = { subject: 'administrator', roles: ['administrator'], ...validity };
  const anchor = await createAnchor(profile, SUITE);
  const make = (subject: string, roles: readonly string[], notBefore = since): Promise<Identity> =>
    enrol(anchor, { subject, roles, ...validity, notBefore }, SUITE);
  const identity = await make('bank', ['bank']);
  const reports: unknown[] = [];
  const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const parts: InProcess['parts'] = {
    ...{ identity, anchor: anchor.credential, log, witnesses, engine },
    annexes: annexes ?? ({ has: () => true } as unknown as AnnexStore), // most of these tests have none
    now: () => clock.now() + jump(),
    releaseTime: 3_600_000,
    report: (error) => reports.push(error),
  };
  const bank = new Bank(parts);
  const sessions = new Sessions(bank, identity, { clock, limits: DEFAULT_LIMITS });
  const charter = await signCharter(anchor, {
    origin: ORIGIN,
    bank: identity.credential.id,
    log: logKeysOf(log),
  });
  const trust = trustIn({
    ...{ origin: ORIGIN, anchor: anchor.credential, bank: identity.credential, charter },
    witnesses: NO_WITNESSES,
  });

  /** Who asks here has no socket: messages are handed over. */
  class Visitor extends BankClient {
    override connect(): Promise<Connection> {
      const binding: Binding = { kind: 'tls-exporter', value: systemRandom(32) };
      const place = { binding, subject: this.user.credential.subject };
      let answered = false;
      const send = async (message: Uint8Array): Promise<Uint8Array> => {
        if (answered) return (await sessions.second(message, place)).message;
        answered = true;
        return sessions.first(message, place);
      };
      const connection: Pick<Connection, 'converse' | 'sendAnnex' | 'close'> = {
        async sendAnnex(right, offset, body) {
          await bank.checkCapability({ ...right, deed: 'upload', subject: place.subject });
          const upload = await annexes?.offset(place.subject, right.name);
          const there = upload ? await annexes?.take(upload, offset, once(body)) : null;
          return there ?? Promise.reject(new Error('nobody announced it'));
        },
        converse: (parties, data, documents) => converse(send, parties, { binding, clock, data, documents }),
        close: () => Promise.resolve(),
      };
      return Promise.resolve(connection as Connection);
    }
  }

  const clientOf = (user: Identity): BankClient => new Visitor(user, trust, NOWHERE);
  const administrator = clientOf(anchor);
  const directory = await openDirectory(administrator);
  return {
    ...{ bank, parts, trust, administrator, directory, reports, enrol: make, clientOf },
    async join<Subject extends string>(users: Readonly<Record<Subject, readonly string[]>>) {
      const joined = {} as Record<Subject, BankClient>;
      for (const [subject, roles] of Object.entries(users) as [Subject, readonly string[]][])
        joined[subject] = clientOf(await make(subject, roles));
      const credentials = Object.values<BankClient>(joined).map(({ user }) => user.credential);
      await register(administrator, directory, credentials);
      return joined;
    },
    async publish(patient, names) {
      const recordId = systemRandom(16);
      await publishCompartmentsOf(patient, directory, { root: createRoot(), recordId, names });
      return recordId;
    },
  };
}
