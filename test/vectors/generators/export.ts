/** Vectors of spec/export.md: exports verified and refused, and the leaves that renew them. */

import { KEM_X25519 } from '../../../src/crypto/index.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import { enrol, renounceCredential, revokeCredential } from '../../../src/keys/index.ts';
import {
  encodeStatement,
  exportRecord,
  formatNoteKey,
  hashEntry,
  issueReceipt,
  logKeysOf,
  NO_WITNESSES,
  removePayload,
  renewalLeaf,
  signCharter,
  verifyExport,
  verifyReceipt,
  type EstablishedTree,
  type ExportedEntry,
  type ExportRules,
  type LogTrust,
  type PayloadDigest,
  type Receipt,
  type Renewal,
  type RecordExport,
  type VerifiedExport,
  type VerifiedExportEntry,
  type WitnessPolicy,
} from '../../../src/record/index.ts';
import { parseExport } from '../../../src/record/export-file.ts';
import { utf8 } from '../../../src/wire/index.ts';
import { flipped } from '../../mutation.ts';
import {
  ARCHIVES,
  charterOf,
  EXPORT_RULES,
  FIRST_LOG,
  HASHED,
  named,
  OLD_POLICY,
  erase,
  oldExport,
  renewedTwice,
  SMALL_POLICY,
  smallExport,
  witnessed,
} from '../../record/export-fixture.ts';
import { Bank, BODY, ORIGIN, timeOf } from '../../record/fixture.ts';
import type { VectorCase, VectorFile } from '../file.ts';
import { hex } from '../hex.ts';
import type { LogJson, TreeJson } from './log.ts';
import { seededRandom } from './seed.ts';
import type { HeadJson, RightJson } from './record.ts';

/** Whose cosignatures count, as verifier keys, and how many of them. */
export interface PolicyJson {
  readonly witnesses: readonly string[];
  readonly threshold: number;
}

/** A log that is trusted for renewals. */
export interface RenewalLogJson {
  readonly log: LogJson;
  readonly witnesses: PolicyJson;
}

/** What an export is verified against. */
export interface ExportRulesJson {
  readonly anchorId: string;
  /** The origin that the record is expected from. */
  readonly origin: string;
  readonly witnesses: PolicyJson;
  readonly rights: readonly RightJson[];
  /** Payload types other than statements, whose digest is SHA-256 of the payload. */
  readonly hashedTypes: readonly string[];
  /** Payload types whose payload is SHA-256 of a text, which is what was opened. */
  readonly openedTypes: readonly string[];
  readonly renewalLogs: readonly RenewalLogJson[];
}

/** A state of a log, who cosigned it, and since when it stands. */
export interface EstablishedJson extends TreeJson {
  readonly cosignatures: readonly { readonly name: string; readonly time: number }[];
  readonly since: number | null;
}

/** What was established of one entry. */
export interface ExportEntryJson {
  /** Ids. */
  readonly author: string;
  readonly bank: string;
  readonly standing: string;
  readonly state: string;
  readonly erasedBy: { readonly seq: number; readonly ground: string; readonly ruleVersion: string } | null;
  readonly opened: string | null;
}

/** What was established of an export. */
export interface ExportResultJson {
  readonly owner: string;
  /** The Id of the last charter's bank. */
  readonly bank: string;
  readonly heads: { readonly content: HeadJson; readonly access: HeadJson };
  readonly tree: EstablishedJson;
  readonly content: readonly ExportEntryJson[];
  readonly access: readonly ExportEntryJson[];
  readonly renewals: readonly { readonly origin: string; readonly tree: EstablishedJson | null }[];
}

export type ExportCase = VectorCase &
  (
    | {
        readonly operation: 'verify export';
        readonly export: string;
        readonly rules: ExportRulesJson;
        readonly result?: ExportResultJson;
      }
    | {
        readonly operation: 'renewal leaf';
        readonly export: string;
        readonly algorithm: string;
        readonly leaf?: string;
      }
  );

const RIGHTS: readonly RightJson[] = [
  { role: 'doctor', chain: 'content', kinds: ['create', 'insert'] },
  { role: 'patient', chain: 'content', kinds: ['grant'] },
  { role: 'administrator', chain: 'content', kinds: ['erase'] },
  { role: 'bank', chain: 'access', kinds: ['access'] },
];

/** The file. */
export async function generate(): Promise<VectorFile<ExportCase>> {
  const [small, old] = [await smallExport(), await oldExport()];
  const cases = new Cases(small.bank, SMALL_POLICY, []);
  const later = new Cases(
    small.bank,
    OLD_POLICY,
    ARCHIVES.map(({ trust }) => trust),
  );
  const twice = await renewedTwice(old.parts);
  await cases.small(small.parts);
  await later.old(old.parts, twice);
  cases.form(small.parts);
  await cases.charters(small.parts);
  cases.checkpoints(small.parts);
  await later.renewals(twice);
  cases.directory(small.parts);
  await cases.entries(small.parts);
  await cases.lives();
  return {
    description: 'Exports, verified and refused, and the leaves that renew them.',
    spec: 'spec/export.md',
    cases: [...cases.all, ...later.all, ...leafCases(small.parts, twice)],
  };
}

function leafCases(small: RecordExport, twice: string): ExportCase[] {
  const leaf = (name: string, text: string): ExportCase => ({
    name: `renewal leaf: ${name}`,
    operation: 'renewal leaf',
    export: text,
    algorithm: 'SHA-512',
    leaf: hex(renewalLeaf(text, 'SHA-512')),
  });
  const refused = { operation: 'renewal leaf', error: 'RECORD_RENEWAL' } as const;
  return [
    leaf('never renewed', exportRecord(small)),
    leaf('renewed twice', twice),
    leaf('without directory and accesses', exportRecord({ ...small, directory: null, access: [] })),
    { ...refused, name: 'renewal leaf: an unknown algorithm', export: twice, algorithm: 'SHA-1' },
  ];
}

/** Verifying, with the small export's bank for whatever has to be signed anew. */
class Cases {
  readonly all: ExportCase[] = [];
  readonly #bank: Bank;
  readonly #policy: WitnessPolicy;
  readonly #logs: readonly LogTrust[];
  readonly #rules: ExportRulesJson;

  constructor(bank: Bank, policy: WitnessPolicy, logs: readonly LogTrust[]) {
    [this.#bank, this.#policy, this.#logs] = [bank, policy, logs];
    this.#rules = {
      anchorId: hex(bank.anchor.credential.id),
      origin: ORIGIN,
      witnesses: policyJson(policy),
      rights: RIGHTS,
      hashedTypes: [BODY, HASHED],
      openedTypes: [HASHED],
      renewalLogs: logs.map(renewalLogJson),
    };
  }

  async good(
    name: string,
    one: RecordExport | string,
    changes: Partial<ExportRulesJson> = {},
  ): Promise<void> {
    const text = typeof one === 'string' ? one : exportRecord(one);
    const rules = { ...this.#rules, ...changes };
    const trust = {
      anchorId: this.#bank.anchor.credential.id,
      witnesses: rules.witnesses.threshold === 0 ? NO_WITNESSES : this.#policy,
      renewalLogs: this.#logs.filter(({ log }) =>
        rules.renewalLogs.some((known) => known.log.origin === log.origin),
      ),
    } satisfies Partial<ExportRules>;
    const result = resultJson(await verifyExport(text, { ...EXPORT_RULES, ...trust }));
    this.all.push({
      name: `verify export: ${name}`,
      operation: 'verify export',
      export: text,
      rules,
      result,
    });
  }

  bad(
    name: string,
    error: ErrorCode,
    one: RecordExport | string,
    changes: Partial<ExportRulesJson> = {},
  ): void {
    this.all.push({
      name: `verify export: ${name}`,
      operation: 'verify export',
      export: typeof one === 'string' ? one : exportRecord(one),
      rules: { ...this.#rules, ...changes },
      error,
    });
  }

  async small(small: RecordExport): Promise<void> {
    await this.good('small, with all but renewals', small);
    await this.good('no witness demanded', small, { witnesses: { witnesses: [], threshold: 0 } });
    await this.good('before anything was read or heard', { ...small, access: [], directory: null });
    await this.good('its end cut off', { ...small, content: small.content.slice(0, 2), access: [] });
    const [create, opened, , tombstone, grant] = small.content as Five;
    await this.good('a tombstone withheld erases nothing', {
      ...small,
      content: small.content.map((one) => (one === tombstone ? { ...one, payload: null } : one)),
    });
    const bare = [create, { ...opened, payload: null }, small.content[2]!, tombstone, grant];
    await this.good('opened, and the payload withheld', { ...small, content: bare });
  }

  async old(old: RecordExport, twice: string): Promise<void> {
    await this.good('two charters, erased and withheld', old);
    await this.good('renewed twice', twice);
    const [, second] = this.#rules.renewalLogs;
    await this.good('renewed twice, the second log trusted', twice, { renewalLogs: [second!] });
    await this.good('renewed twice, no log trusted', twice, { renewalLogs: [] });
    const [before, after] = old.charters as [Uint8Array, Uint8Array];
    this.bad('charters exchanged', 'RECORD_CHECKPOINT', { ...old, charters: [after, before] });
    this.bad('the first charter missing', 'RECORD_RECEIPT', { ...old, charters: [after] });
    const lines = old.checkpoint.split('\n');
    const checkpoint = lines.filter((_, i) => i !== 5).join('\n');
    this.bad('the log’s line by ML-DSA-44 missing', 'RECORD_CHECKPOINT', { ...old, checkpoint });
  }

  form(parts: RecordExport): void {
    const text = exportRecord(parts);
    const value = JSON.parse(text) as Record<string, unknown> & { content: object[] };
    const bad = (name: string, changes: object): void =>
      this.bad(name, 'RECORD_EXPORT', JSON.stringify({ ...value, ...changes }));
    this.bad('cut off', 'RECORD_EXPORT', text.slice(0, -1));
    this.bad('a member twice', 'RECORD_EXPORT', `{"access":[],${text.slice(1)}`);
    bad('another format', { format: 'muniment export 2' });
    bad('an unknown member', { more: null });
    bad('a member missing', { access: undefined });
    bad('a member of another type', { checkpoint: null });
    bad('bytes that are none', { recordId: 'AA==' });
    bad('an entry with an unknown member', { content: [{ ...value.content[0], more: null }] });
    bad('an entry that is none', { content: [{ ...value.content[0], entry: '' }] });
    bad('a proof of 65 hashes', {
      content: [{ ...value.content[0], proof: Array.from({ length: 65 }, () => 'AA') }],
    });
    bad('without entries', { content: [], access: [] });
    this.bad('another origin than the expected', 'RECORD_EXPORT', text, { origin: 'other.example/log' });
  }

  async charters(small: RecordExport): Promise<void> {
    const { anchor, bank, doctor } = this.#bank;
    const zeros = '00'.repeat(32);
    const [first, ...others] = small.credentials as [Uint8Array, ...Uint8Array[]];
    this.bad('without credentials', 'RECORD_EXPORT', { ...small, credentials: [] });
    this.bad('another anchor', 'KEY_CREDENTIAL', small, { anchorId: zeros });
    this.bad('the anchor not first', 'KEY_CREDENTIAL', { ...small, credentials: [...others, first] });
    const changed = [first, flipped(others[0]!, 60), ...others.slice(1)];
    this.bad('a credential changed', 'KEY_CREDENTIAL', { ...small, credentials: changed });

    const charter = small.charters[0]!;
    const log = logKeysOf(FIRST_LOG);
    const origin = 'other.example/log';
    const keys = { origin, bank: bank.credential.id, log: { ...log, origin } };
    const elsewhere = await signCharter(anchor, keys);
    const byDoctor = await signCharter(doctor, { origin: ORIGIN, bank: bank.credential.id, log });
    const nobody = await signCharter(anchor, { origin: ORIGIN, bank: new Uint8Array(32), log });
    const ofDoctor = await charterOf(this.#bank, doctor, FIRST_LOG);
    for (const [name, charters, error] of [
      ['without charters', [], 'RECORD_EXPORT'],
      ['a charter changed', [flipped(charter, 60)], 'RECORD_CHARTER'],
      ['a charter for another origin', [elsewhere, charter], 'RECORD_CHARTER'],
      ['a charter by another than the anchor', [byDoctor], 'RECORD_CHARTER'],
      ['a charter for a bank that is not there', [nobody, charter], 'RECORD_EXPORT'],
      ['a charter for a bank that is none', [ofDoctor], 'RECORD_EXPORT'],
    ] as const)
      this.bad(name, error, { ...small, charters });
  }

  checkpoints(small: RecordExport): void {
    const { checkpoint } = small;
    const with_ = (name: string, error: ErrorCode, text: string): void =>
      this.bad(name, error, { ...small, checkpoint: text });
    with_('the checkpoint changed', 'RECORD_CHECKPOINT', checkpoint.replace('\n7\n', '\n8\n'));
    with_('no checkpoint', 'RECORD_CHECKPOINT', '');
    const alone = checkpoint.split('\n').slice(0, 6).join('\n') + '\n';
    with_('one cosignature of two', 'RECORD_WITNESS', alone);
    const forged = checkpoint.replace(/(witness\.example\/1 .{20})./, (_, kept: string) => `${kept}A`);
    with_('a cosignature changed', 'RECORD_CHECKPOINT', forged);
  }

  async renewals(twice: string): Promise<void> {
    const parts = parseExport(twice);
    const [first, second] = parts.renewals as [Renewal, Renewal];
    const bare = second.checkpoint.split('\n').slice(0, 5).join('\n') + '\n';
    for (const [name, renewals] of [
      ['the first renewal removed', [second]],
      ['renewals exchanged', [second, first]],
      ['a renewal repeated', [first, first, second]],
      ['a renewal at another place', [{ ...first, index: 0 }, second]],
      ['a renewal without its proof', [first, { ...second, proof: [] }]],
      ['a renewal under another log’s checkpoint', [first, { ...second, checkpoint: first.checkpoint }]],
      ['a renewal by an unknown algorithm', [first, { ...second, algorithm: 'SHA-256' }]],
      ['a renewal by what the language knows', [first, { ...second, algorithm: 'constructor' }]],
      ['a renewal without its witness', [first, { ...second, checkpoint: bare }]],
    ] as const)
      this.bad(name, 'RECORD_RENEWAL', { ...parts, renewals });
    const content = parts.content.map((one, i) => (i === 6 ? { ...one, payload: null } : one));
    this.bad('a payload withheld after renewals', 'RECORD_RENEWAL', { ...parts, content });

    const destroyed = removePayload(twice, { chain: 'content', seq: 6 });
    await this.good('a payload taken out after renewals', destroyed);
    const [first512] = parseExport(destroyed).content[6]!.digests as [PayloadDigest];
    const digested = (name: string, error: ErrorCode, changes: Partial<ExportedEntry>): void => {
      const entries = parts.content.map((one, i) => (i === 6 ? { ...one, payload: null, ...changes } : one));
      this.bad(name, error, { ...parts, content: entries });
    };
    const spoiled = { ...first512, digest: flipped(first512.digest, 0) };
    digested('a digest changed', 'RECORD_RENEWAL', { digests: [spoiled] });
    const foreign = { ...first512, algorithm: 'SHA-256' };
    digested('a digest by another algorithm than the renewals’', 'RECORD_RENEWAL', { digests: [foreign] });
    digested('two digests by one algorithm', 'RECORD_EXPORT', { digests: [first512, first512] });
    const { payload } = parts.content[6]!;
    digested('a digest beside its payload', 'RECORD_EXPORT', { payload, digests: [first512] });
  }

  directory(small: RecordExport): void {
    const directory = small.directory!;
    const [entry] = directory.entries as [ExportedEntry];
    const { signed } = entry;
    const at = (changes: Partial<ExportedEntry>): object => ({ entries: [{ ...entry, ...changes }] });
    for (const [name, changes, error] of [
      ['of another record', { recordId: new Uint8Array(16) }, 'RECORD_EXPORT'],
      ['of another salt', { tagSalt: new Uint8Array(32) }, 'RECORD_INCLUSION'],
      ['with an entry twice', { entries: [entry, entry] }, 'RECORD_RECEIPT'],
      ['with another record’s entry', at({ signed: small.content[1]!.signed }), 'RECORD_ENTRY'],
      ['without a statement', at({ payload: null }), 'RECORD_PAYLOAD'],
      ['with another statement', at({ payload: small.content[0]!.payload }), 'RECORD_PAYLOAD'],
      ['without a proof', at({ proof: [] }), 'RECORD_INCLUSION'],
      ['with a receipt changed', at({ receipt: flipped(entry.receipt, 99) }), 'RECORD_RECEIPT'],
      [
        'with a signature changed',
        at({ signed: { ...signed, signature: flipped(signed.signature, 0) } }),
        'RECORD_AUTHOR',
      ],
      [
        'with a kind changed',
        at({ signed: { ...signed, entry: { ...signed.entry, kind: 'key' } } }),
        'RECORD_AUTHOR',
      ],
    ] as [string, object, ErrorCode][])
      this.bad(`a directory ${name}`, error, { ...small, directory: { ...directory, ...changes } });
  }

  async entries(small: RecordExport): Promise<void> {
    const { content, access } = small;
    const [a, b, c, d, e] = content as Five;
    const at = (i: number, changes: Partial<ExportedEntry>): RecordExport => ({
      ...small,
      content: content.map((one, j) => (i === j ? { ...one, ...changes } : one)),
    });
    const { signed } = b;
    this.bad('an entry dropped', 'RECORD_LINK', { ...small, content: [a, c, d, e] });
    this.bad('entries exchanged', 'RECORD_LINK', { ...small, content: [a, c, b, d, e] });
    this.bad('chains exchanged', 'RECORD_ENTRY', { ...small, content: access, access: content });
    this.bad('another record', 'RECORD_ENTRY', { ...small, recordId: new Uint8Array(16) });
    this.bad('a credential missing', 'RECORD_AUTHOR', {
      ...small,
      credentials: small.credentials.slice(0, 2),
    });
    this.bad(
      'an author’s signature changed',
      'RECORD_AUTHOR',
      at(1, { signed: { ...signed, signature: flipped(signed.signature, 0) } }),
    );
    this.bad('other rights', 'RECORD_RIGHT', small, { rights: RIGHTS.slice(1) });
    this.bad('an unknown payload type', 'RECORD_PAYLOAD', small, { hashedTypes: [BODY] });
    this.bad('a payload changed', 'RECORD_PAYLOAD', at(1, { payload: flipped(b.payload!, 0) }));
    this.bad('the first payload missing', 'RECORD_PAYLOAD', at(0, { payload: null }));
    this.bad('a receipt exchanged', 'RECORD_RECEIPT', at(1, { receipt: e.receipt }));
    this.bad('a receipt changed', 'RECORD_RECEIPT', at(1, { receipt: flipped(b.receipt, 99) }));
    this.bad('a proof exchanged', 'RECORD_INCLUSION', at(1, { proof: e.proof }));
    this.bad('opened of an unknown type', 'RECORD_PAYLOAD', small, { openedTypes: [] });
    this.bad('opened of a type that nobody opens', 'RECORD_PAYLOAD', at(4, { opened: new Uint8Array(0) }));
    this.bad('opened, another text', 'RECORD_PAYLOAD', at(1, { opened: utf8('"hidden"') }));
    this.bad('the log of an older checkpoint', 'RECORD_INCLUSION', {
      ...small,
      checkpoint: await this.#olderCheckpoint(3),
    });

    const { bank } = this.#bank;
    const about = { origin: ORIGIN, entryHash: hashEntry(signed) };
    const receipt = verifyReceipt(b.receipt, bank.credential, about);
    const zeros = new Uint8Array(32);
    for (const [name, changes, error] of [
      ['another record', { recordId: new Uint8Array(16) }, 'RECORD_RECEIPT'],
      ['another chain', { chain: 'access' }, 'RECORD_RECEIPT'],
      ['another place', { seq: 2 }, 'RECORD_RECEIPT'],
      ['another predecessor', { prev: zeros }, 'RECORD_RECEIPT'],
      ['another outcome', { outcome: 'refused' }, 'RECORD_RECEIPT'],
      ['a time before all credentials', { time: 0 }, 'RECORD_RECEIPT'],
      ['a time after all credentials', { time: 3e12 }, 'RECORD_RECEIPT'],
      ['the leaf of the entry before', { leafIndex: 0 }, 'RECORD_RECEIPT'],
      ['a leaf outside of its log', { leafIndex: 9 }, 'RECORD_RECEIPT'],
      ['a head before the entry', { head: { size: 1, hash: zeros } }, 'RECORD_RECEIPT'],
      ['another time', { time: receipt.time + 1 }, 'RECORD_INCLUSION'],
      ['a longer chain than is shown', { head: { size: 6, hash: zeros } }, 'RECORD_CONSISTENCY'],
      ['another chain of that length', { head: { size: 3, hash: zeros } }, 'RECORD_CONSISTENCY'],
      ['a larger log than the checkpoint', { tree: { size: 8, root: zeros } }, 'RECORD_CONSISTENCY'],
      ['another log of that size', { tree: { size: 7, root: zeros } }, 'RECORD_CONSISTENCY'],
      ['another log than one of the accesses', { tree: { size: 3, root: zeros } }, 'RECORD_CONSISTENCY'],
    ] as [string, Partial<Receipt>, ErrorCode][]) {
      const again = await issueReceipt(bank.signer, { ...receipt, ...changes });
      this.bad(`a receipt that states ${name}`, error, at(1, { receipt: again }));
    }

    const directory = small.directory!;
    const [heard] = directory.entries as [ExportedEntry];
    const entryHash = hashEntry(heard.signed);
    const taken = verifyReceipt(heard.receipt, bank.credential, { origin: ORIGIN, entryHash });
    const larger = await issueReceipt(bank.signer, { ...taken, tree: { size: 8, root: zeros } });
    this.bad('a directory whose receipt states a larger log than the checkpoint', 'RECORD_CONSISTENCY', {
      ...small,
      directory: { ...directory, entries: [{ ...heard, receipt: larger }] },
    });
  }

  /** Records in which something happened that refuses them, from banks of their own; the people are the same. */
  async lives(): Promise<void> {
    const late = await this.#bankWhere('doctor');
    await late.take(late.doctor, 'insert', utf8('late'), { payloadType: BODY, time: timeOf(0) });
    this.bad('an entry after its author’s key was given up', 'KEY_REVOKED', await exportOf(late));

    const stolen = await this.#bankWhere('bank');
    await stolen.take(stolen.doctor, 'insert', utf8('late'), { payloadType: BODY });
    this.bad('a receipt after its bank’s key was given up', 'KEY_REVOKED', await exportOf(stolen));

    const doubted = await Bank.open();
    await doubted.take(doubted.doctor, 'create', doubted.creation());
    await doubted.take(doubted.doctor, 'insert', utf8('one'), { payloadType: BODY });
    const theft = { reason: 'compromised', doubtfulFrom: timeOf(1), revokedAt: timeOf(2) } as const;
    const content = await revokeCredential(doubted.anchor, doubted.bank.credential, theft);
    const said = encodeStatement({ kind: 'revocation', content }, doubted.random);
    await doubted.hear(doubted.anchor, said);
    await this.good('a receipt of a bank whose key is doubtful', await exportOf(doubted));

    const at = await Bank.open();
    at.timeOf = () => timeOf(0);
    await at.take(at.doctor, 'create', at.creation());
    const renounced = await renounceCredential(at.doctor);
    const kind = { kind: 'renunciation', content: renounced };
    await at.hear(at.doctor, encodeStatement(kind, at.random));
    await this.good('an entry in the millisecond of a revocation, and before it', await exportOf(at));

    const ended = await Bank.open();
    const short = { subject: 'bank', roles: ['bank'], notBefore: timeOf(0), notAfter: timeOf(0) };
    const random = seededRandom('bank whose time is over');
    Object.assign(ended, { bank: await enrol(ended.anchor, short, { kem: KEM_X25519, random }) });
    await ended.take(ended.doctor, 'create', ended.creation());
    await ended.take(ended.doctor, 'insert', utf8('late'), { payloadType: BODY });
    this.bad('a receipt after its bank’s credential', 'RECORD_RECEIPT', await exportOf(ended));

    const other = await Bank.open();
    await other.take(other.doctor, 'create', other.creation());
    await other.hear(other.anchor, other.statement('key', 'x'), undefined, 'key');
    this.bad('a directory with an entry of another kind', 'RECORD_RIGHT', await exportOf(other));

    const backwards = await Bank.open();
    backwards.timeOf = (index) => timeOf(index === 1 ? 0 : index + 3);
    await backwards.take(backwards.doctor, 'create', backwards.creation());
    const access = backwards.statement('access', 'read');
    await backwards.take(backwards.bank, 'access', access, { chain: 'access' });
    this.bad('times that fall', 'RECORD_CONSISTENCY', await exportOf(backwards));

    const wrong = await Bank.open();
    await wrong.take(wrong.doctor, 'create', wrong.creation());
    await wrong.take(wrong.anchor, 'erase', wrong.statement('erase', 'all of it'));
    this.bad('a tombstone that is none', 'RECORD_PAYLOAD', await exportOf(wrong));

    const missed = await Bank.open();
    await missed.take(missed.doctor, 'create', missed.creation());
    const one = await missed.take(missed.doctor, 'insert', utf8('one'), { payloadType: BODY });
    await erase(missed, [{ ...named(one), entryHash: new Uint8Array(32) }]);
    const parts = await exportOf(missed);
    await this.good('a tombstone for another entry erases nothing', {
      ...parts,
      content: parts.content.map((entry, i) => (i === 1 ? { ...entry, payload: null } : entry)),
    });

    const kept = await Bank.open();
    await kept.take(kept.doctor, 'create', kept.creation());
    const gone = await kept.take(kept.doctor, 'insert', utf8('one'), { payloadType: BODY });
    await erase(kept, [named(gone)]);
    await this.good('a payload given though it was erased', await exportOf(kept));
  }

  async #bankWhere(renounces: 'doctor' | 'bank'): Promise<Bank> {
    const one = await Bank.open();
    await one.take(one.doctor, 'create', one.creation());
    const content = await renounceCredential(one[renounces]);
    await one.hear(one[renounces], encodeStatement({ kind: 'renunciation', content }, one.random));
    return one;
  }

  async #olderCheckpoint(size: number): Promise<string> {
    return witnessed({ size, root: this.#bank.log.root(size) }, FIRST_LOG);
  }
}

type Five = [ExportedEntry, ExportedEntry, ExportedEntry, ExportedEntry, ExportedEntry];

async function exportOf(bank: Bank): Promise<RecordExport> {
  return {
    ...(await bank.parts()),
    charters: [await charterOf(bank, bank.bank, FIRST_LOG)],
    checkpoint: await witnessed(bank.tree, FIRST_LOG),
  };
}

/** What was established, as a case states it. */
export function resultJson(verified: VerifiedExport): ExportResultJson {
  const { creation, bank, heads, tree, content, access, renewals } = verified;
  const head = ({ size, hash }: { size: number; hash: Uint8Array }): HeadJson => ({ size, hash: hex(hash) });
  return {
    owner: hex(creation.owner),
    bank: hex(bank.id),
    heads: { content: head(heads.content), access: head(heads.access) },
    tree: establishedJson(tree),
    content: content.map(entryJson),
    access: access.map(entryJson),
    renewals: renewals.map((one) => ({
      origin: one.origin,
      tree: one.tree === null ? null : establishedJson(one.tree),
    })),
  };
}

function entryJson({
  entry: { author },
  bank,
  standing,
  state,
  erasedBy,
  opened,
}: VerifiedExportEntry): ExportEntryJson {
  return {
    author: hex(author.id),
    bank: hex(bank.id),
    ...{ standing, state, erasedBy, opened: opened === null ? null : opened.text },
  };
}

function establishedJson({ size, root, cosignatures, since }: EstablishedTree): EstablishedJson {
  return { size, root: hex(root), cosignatures, since };
}

function policyJson({ witnesses, threshold }: WitnessPolicy): PolicyJson {
  return { witnesses: witnesses.map(formatNoteKey), threshold };
}

function renewalLogJson({ log: { origin, ed25519, mlDsa44 }, witnesses }: LogTrust): RenewalLogJson {
  const log = { origin, ed25519: hex(ed25519), mlDsa44: mlDsa44 === null ? null : hex(mlDsa44) };
  return { log, witnesses: policyJson(witnesses) };
}
