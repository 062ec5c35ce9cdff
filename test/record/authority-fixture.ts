/** A record and the people around it, for the tests of who may act in it. */

import { KEM_X25519 } from '../../src/crypto/index.ts';
import {
  appointGuardians,
  approveRecovery,
  createAnchor,
  createRoot,
  enrol,
  requestRecovery,
  verifyAppointment,
  verifyRecoveryRequest,
  type Appointment,
  type Credential,
  type Identity,
} from '../../src/keys/index.ts';
import {
  appendEntry,
  encodeAuthorityStatement,
  encodeCreation,
  encodeErasure,
  encodeStatement,
  ERASE,
  recordRule,
  signEntry,
  startOf,
  STATEMENT,
  statementDigest,
  TEN_YEARS_AFTER_DEATH,
  type Authority,
  type AuthoritySaid,
  type ChainRules,
  type ChainState,
  type EntryKind,
  type Erasure,
  type ShownEntry,
  type Statement,
} from '../../src/record/index.ts';
import { equalBytes } from '../../src/wire/index.ts';
import { seededRandom } from '../vectors/generators/seed.ts';

let random = seededRandom('authority');
const VALID = { notBefore: 0, notAfter: 9e12 };
export const NOTE: Statement = { kind: 'note', content: new Uint8Array(0) };

/** Everybody; the owner has three credentials, and a stranger the same role. */
export type People = Readonly<Record<Name, Identity>>;
type Name =
  | ('admin' | 'bank' | 'doctor' | 'old' | 'owner' | 'second' | 'third')
  | ('eva' | 'eva2' | 'bob' | 'lea' | 'lea2' | 'mother' | 'carer' | 'heir' | 'mallory');

/** Everybody anew, and all that is drawn after it the same again. */
export async function people(): Promise<People> {
  random = seededRandom('authority');
  const options = { kem: KEM_X25519, random };
  const admin = await createAnchor({ subject: 'admin', roles: ['administrator'], ...VALID }, options);
  const make = (subject: string, role = 'patient', notBefore = 1): Promise<Identity> =>
    enrol(admin, { subject, roles: [role], ...VALID, notBefore }, options);
  // One pair of keys under two names.
  const twin = (subject: string): Promise<Identity> =>
    enrol(
      admin,
      { subject, roles: ['patient'], ...VALID, notBefore: 1 },
      { ...options, random: seededRandom('eva') },
    );
  return {
    ...{ admin, bank: await make('bank', 'bank'), doctor: await make('doctor', 'doctor') },
    ...{ owner: await make('Ana'), second: await make('Ana'), third: await make('Ana') },
    ...{ old: await make('Ana', 'patient', 0), eva: await twin('Eva'), eva2: await twin('Eva Maria') },
    ...{ bob: await make('Bob'), lea: await make('Lea'), lea2: await make('Lea') },
    ...{ mother: await make('Mother'), carer: await make('Carer'), heir: await make('Heir') },
    mallory: await make('Mallory'),
  };
}

/** One record. What is written into it is verified as the bank does. */
export class Life {
  readonly all: People;
  readonly recordId: Uint8Array;
  readonly root = createRoot(random);
  readonly items: ShownEntry[] = [];
  readonly states: ChainState<Authority>[];
  readonly rules: ChainRules<Authority>;
  now = 1e12;
  /** What the verifier's clock shows. */
  clock = (): number => 9e12;

  constructor(all: People, recordId: Uint8Array = new Uint8Array(16).fill(3)) {
    [this.all, this.recordId] = [all, recordId];
    const known = (id: Uint8Array): Credential | null =>
      Object.values(all).find(({ credential }) => equalBytes(credential.id, id))?.credential ?? null;
    const authors: ChainRules<Authority>['authors'] = (id) => {
      const credential = known(id);
      return credential === null ? null : { credential, standing: 'valid' };
    };
    const rule = recordRule({
      mayWrite: ({ kind }, author, capacity) =>
        kind === 'annotate' ? capacity !== null : author.roles.includes('doctor'),
      retention: TEN_YEARS_AFTER_DEATH,
      now: () => this.clock(),
      ...{ authors, known },
    });
    this.rules = { origin: 'bank.example/log', recordId, chain: 'content', authors, rule };
    this.states = [startOf(rule)];
  }

  /** A record that its doctor has created. */
  static async created(all: People, recordId = new Uint8Array(16).fill(3)): Promise<Life> {
    const life = new Life(all, recordId);
    const content = encodeCreation({ owner: id(all.owner), tagSalt: random(32) });
    await life.write(all.doctor, 'create', { kind: 'create', content });
    return life;
  }

  get at(): ChainState<Authority> {
    return this.states.at(-1)!;
  }

  get state(): Authority {
    return this.at.state;
  }

  /** Signs an entry over the head. */
  async sign(author: Identity, kind: EntryKind, statement: Statement, time: number): Promise<ShownEntry> {
    const payload = encodeStatement(statement, random);
    const { origin, recordId, chain } = this.rules;
    const said = { kind, time, payloadType: STATEMENT, payloadDigest: statementDigest(payload), seen: null };
    const signed = await signEntry(author, this.at.head, { origin, recordId, chain, ...said });
    return { ...signed, payload };
  }

  /** Signs an entry, a second after the last, and has it verified; nothing is kept of a refused one. */
  async write(author: Identity, kind: EntryKind, statement = NOTE, time = this.now + 1000): Promise<void> {
    const item = await this.sign(author, kind, statement, time);
    this.states.push(appendEntry(item, this.rules, this.at).after);
    this.items.push(item);
    this.now = Math.max(this.now, time);
  }

  /** States something about who acts, under the number that is due. */
  async say(author: Identity, said: AuthoritySaid, time?: number): Promise<void> {
    const kind = said.kind === 'closing' || said.kind === 'reopening' ? 'close' : 'key';
    await this.write(author, kind, encodeAuthorityStatement({ ...said, number: this.state.number }), time);
  }

  /** A tombstone over entries of this record. */
  tombstone(seqs: readonly number[], changes: object = {}): Statement {
    const erased = seqs.map((seq) => ({
      seq,
      entryHash: this.states[seq + 1]?.head.hash ?? new Uint8Array(32),
    }));
    const said: Erasure = {
      ...{ chain: 'content', ground: 'retention', ruleVersion: TEN_YEARS_AFTER_DEATH.version, erased },
      ...changes,
    };
    return { kind: ERASE, content: encodeErasure(said) };
  }

  /** Has the payloads of entries destroyed. */
  async erase(author: Identity, seqs: readonly number[], time?: number, changes: object = {}): Promise<void> {
    await this.write(author, 'erase', this.tombstone(seqs, changes), time);
  }

  /** An appointment of Eva, Bob and Lea, any two of whom bring the owner back. */
  async appointed(owner: Identity, changes: object = {}): Promise<Uint8Array> {
    const guardians = (['eva', 'bob', 'lea'] as const).map((name) => this.all[name].credential);
    const terms = { recordId: this.recordId, threshold: 2, guardians, previous: null, ...changes };
    return appointGuardians(owner, this.root, terms, random);
  }

  /** The statement by which somebody is the owner again. */
  async recovery(
    claimant: Identity,
    signed: Uint8Array,
    from: {
      appointer: Identity;
      replaces: Identity;
      by: readonly Identity[];
      until?: number;
      since?: Uint8Array;
    },
  ): Promise<Extract<AuthoritySaid, { kind: 'recovery' }>> {
    const appointment: Appointment = verifyAppointment(signed, from.appointer.credential);
    const until = from.until ?? this.now + 1e6;
    const since = from.since ?? this.state.since;
    const request = await requestRecovery(claimant, { appointment, owner: id(from.replaces), since, until });
    const asked = verifyRecoveryRequest(request, claimant.credential);
    // What guardians take the record to be who believe whatever the claimant says.
    const holding = { owner: from.replaces.credential, appointment: appointment.digest, since, spent: [] };
    const approvals = [];
    for (const guardian of from.by) {
      const approval = await approveRecovery(guardian, appointment, asked, { holding, at: until, random });
      if (approval !== null) approvals.push({ guardian: id(guardian), signed: approval });
    }
    return { kind: 'recovery', appointment: signed, request, approvals };
  }
}

export function id(identity: Identity): Uint8Array {
  return identity.credential.id;
}
