/** Exports as they come decades later: banks and logs that renewed their keys, witnesses, tombstones, renewals. */

import { ED25519, KEM_X25519, ML_DSA_44, sha256 } from '../../src/crypto/index.ts';
import { enrol, revokeCredential, type Identity, type Signer } from '../../src/keys/index.ts';
import {
  addCosignatures,
  byRole,
  cosign,
  encodeErasure,
  encodeStatement,
  ERASE,
  exportRecord,
  hashEntry,
  Log,
  logKeysOf,
  renewalLeaf,
  renewExport,
  signCharter,
  signCheckpoint,
  TEN_YEARS_AFTER_DEATH,
  witnessKey,
  type Erased,
  type ExportRules,
  type LogSigner,
  type LogTrust,
  type RecordExport,
  type Renewal,
  type TreeHead,
  type Witness,
} from '../../src/record/index.ts';
import { MunimentError } from '../../src/errors.ts';
import { equalBytes, fromUtf8, utf8 } from '../../src/wire/index.ts';
import { deterministicSigner } from '../noble.ts';
import { seededRandom } from '../vectors/generators/seed.ts';
import { Bank, BODY, mayWrite, ORIGIN, timeOf, type Taken } from './fixture.ts';

/** A payload type whose payload is SHA-256 of a text: what was opened is the text. */
export const HASHED = 'hashed text';
const EMPTY: TreeHead = { size: 0, root: sha256(new Uint8Array(0)) };

/** A signer that signs the same each time. */
function fixed(algorithm: string, label: string): Signer {
  const { publicKey, sign } = deterministicSigner(algorithm, seededRandom(`export ${label}`)(32));
  return { algorithm, publicKey, sign: (message) => Promise.resolve(sign(message)) };
}

const WITNESS_1: Witness = { name: 'witness.example/1', signer: fixed(ED25519, 'witness 1') };
const WITNESS_2: Witness = { name: 'witness.example/2', signer: fixed(ED25519, 'witness 2') };
const WITNESS_3: Witness = { name: 'witness.example/3', signer: fixed(ML_DSA_44, 'witness 3') };
/** The witnesses of small exports: two of two. */
export const SMALL_POLICY = { witnesses: [WITNESS_1, WITNESS_2].map(witnessKey), threshold: 2 };
/** The witnesses of old exports: two of three, the third by ML-DSA-44. */
export const OLD_POLICY = { witnesses: [WITNESS_1, WITNESS_2, WITNESS_3].map(witnessKey), threshold: 2 };

/** The log's keys under its first charter, and under its second. */
export const FIRST_LOG: LogSigner = { origin: ORIGIN, ed25519: fixed(ED25519, 'log 1'), mlDsa44: null };
export const SECOND_LOG: LogSigner = {
  origin: ORIGIN,
  ed25519: fixed(ED25519, 'log 2'),
  mlDsa44: fixed(ML_DSA_44, 'log 2'),
};

/** Who may write in these records. */
export const EXPORT_RULES: Omit<ExportRules, 'anchorId'> = {
  origin: ORIGIN,
  witnesses: SMALL_POLICY,
  rule: byRole((entry, author) =>
    entry.kind === 'erase' ? author.roles.includes('administrator') : mayWrite(entry, author),
  ),
  digests: { [BODY]: sha256, [HASHED]: sha256 },
  openings: {
    [HASHED]: (opened, { author, payloadDigest }, authors) => {
      const writer = authors(author);
      const fits = writer !== null && equalBytes(sha256(sha256(opened)), payloadDigest);
      if (!fits) throw new MunimentError('RECORD_PAYLOAD');
      return { text: fromUtf8(opened), author: writer };
    },
  },
  renewalLogs: [],
};

/** Has witnesses cosign a checkpoint, each at its own time in milliseconds. */
export async function cosignedBy(
  note: string,
  log: LogSigner,
  times: readonly (readonly [Witness, number])[],
): Promise<string> {
  const lines = await Promise.all(
    times.map(async ([witness, at]) => {
      const seen = { log: logKeysOf(log), known: EMPTY, proof: [], at };
      return (await cosign(witness, note, seen)).line;
    }),
  );
  return addCosignatures(note, lines);
}

/** A log that renews exports. */
export class Archive {
  readonly signer: LogSigner;
  readonly #witness: Witness;
  readonly #log = new Log();

  constructor(origin: string) {
    this.signer = { origin, ed25519: fixed(ED25519, origin), mlDsa44: null };
    this.#witness = { name: `${origin}/witness`, signer: fixed(ED25519, `${origin} witness`) };
  }

  get trust(): LogTrust {
    const witnesses = { witnesses: [witnessKey(this.#witness)], threshold: 1 };
    return { log: logKeysOf(this.signer), witnesses };
  }

  /** The export with a renewal at its end, cosigned at this time. */
  async renew(text: string, at: number): Promise<string> {
    const log = this.#log;
    log.append(new Uint8Array(32).fill(1)); // somebody else's
    const index = log.append(renewalLeaf(text, 'SHA-512'));
    log.append(new Uint8Array(32).fill(2));
    const note = await signCheckpoint(this.signer, { size: log.size, root: log.root() }, at);
    const checkpoint = await cosignedBy(note, this.signer, [[this.#witness, at]]);
    const { origin } = this.signer;
    const renewal: Renewal = {
      ...{ algorithm: 'SHA-512', origin, index, proof: log.inclusion(index), checkpoint },
    };
    return renewExport(text, renewal);
  }
}

export const ARCHIVES = [
  new Archive('first.example/archive'),
  new Archive('second.example/archive'),
] as const;

/** An entry as a tombstone names it. */
export const named = ({ signed }: Taken): Erased => ({
  seq: signed.entry.seq,
  entryHash: hashEntry(signed),
});

/** The administrator's tombstone. */
export async function erase(
  bank: Bank,
  erased: readonly Erased[],
  chain: 'content' | 'access' = 'content',
): Promise<Taken> {
  const said = { chain, erased, ground: 'retention', ruleVersion: TEN_YEARS_AFTER_DEATH.version } as const;
  const statement = encodeStatement({ kind: ERASE, content: encodeErasure(said) }, bank.random);
  return bank.take(bank.anchor, 'erase', statement);
}

/** A charter of the fixture's anchor for one of its banks. */
export const charterOf = (bank: Bank, keeper: Identity, log: LogSigner): Promise<Uint8Array> =>
  signCharter(bank.anchor, { origin: ORIGIN, bank: keeper.credential.id, log: logKeysOf(log) });

/** A checkpoint of a log of its own keys, cosigned by the first witness late and the second soon, and by others. */
export async function witnessed(
  tree: TreeHead,
  log: LogSigner,
  others: Parameters<typeof cosignedBy>[2] = [],
): Promise<string> {
  const note = await signCheckpoint(log, tree, timeOf(0));
  return cosignedBy(note, log, [[WITNESS_1, timeOf(60_000)], [WITNESS_2, timeOf(5000)], ...others]);
}

/** A record that is small, and has all that can be in one but renewals: a directory, a tombstone, something opened. */
export async function smallExport(): Promise<{ readonly bank: Bank; readonly parts: RecordExport }> {
  const bank = await Bank.open();
  const { doctor, patient } = bank;
  await bank.take(doctor, 'create', bank.creation());
  await bank.take(doctor, 'insert', sha256(utf8('"shown"')), { payloadType: HASHED });
  await bank.take(bank.bank, 'access', bank.statement('access', 'patient read'), { chain: 'access' });
  const gone = await bank.take(doctor, 'insert', utf8('to be erased'), { payloadType: BODY });
  const theft = { reason: 'compromised', doubtfulFrom: timeOf(3), revokedAt: timeOf(4) } as const;
  const content = await revokeCredential(bank.anchor, doctor.credential, theft);
  await bank.hear(bank.anchor, encodeStatement({ kind: 'revocation', content }, bank.random));
  await erase(bank, [named(gone)]);
  await bank.take(patient, 'grant', bank.statement('grant', 'to a colleague'));
  const parts = await bank.parts();
  return {
    bank,
    parts: {
      ...parts,
      charters: [await charterOf(bank, bank.bank, FIRST_LOG)],
      checkpoint: await witnessed(bank.tree, FIRST_LOG),
      content: parts.content.map((one, i) =>
        i === 1 ? { ...one, opened: utf8('"shown"') } : i === 2 ? { ...one, payload: null } : one,
      ),
    },
  };
}

/** A record whose bank and log renewed their keys in the middle of it, with payloads withheld beside the erased. */
export async function oldExport(): Promise<{ readonly bank: Bank; readonly parts: RecordExport }> {
  const bank = await Bank.open();
  const { anchor, doctor, patient, bank: before } = bank;
  await bank.take(doctor, 'create', bank.creation());
  await bank.take(doctor, 'insert', sha256(utf8('"first"')), { payloadType: HASHED });
  const read = await bank.take(before, 'access', bank.statement('access', 'read'), { chain: 'access' });
  const gone = await bank.take(doctor, 'insert', utf8('to be erased'), { payloadType: BODY });
  const profile = { subject: 'bank', roles: ['bank'], notBefore: timeOf(0), notAfter: 2_000_000_000_000 };
  const after = await enrol(anchor, profile, { kem: KEM_X25519, random: seededRandom('renewed bank') });
  bank.others.push(before);
  Object.assign(bank, { bank: after });
  await bank.take(after, 'access', bank.statement('access', 'read again'), { chain: 'access' });
  await bank.take(doctor, 'insert', utf8('withheld'), { payloadType: BODY });
  const theft = { reason: 'compromised', doubtfulFrom: timeOf(5), revokedAt: timeOf(6) } as const;
  const content = await revokeCredential(anchor, doctor.credential, theft);
  await bank.hear(anchor, encodeStatement({ kind: 'revocation', content }, bank.random));
  await erase(bank, [named(gone)]);
  await erase(bank, [named(read)], 'access');
  await bank.take(patient, 'grant', bank.statement('grant', 'to a colleague'));
  const parts = await bank.parts();
  const missing =
    (...at: number[]) =>
    (one: RecordExport['content'][number], i: number) =>
      at.includes(i) ? { ...one, payload: null } : one;
  return {
    bank,
    parts: {
      ...parts,
      charters: [await charterOf(bank, before, FIRST_LOG), await charterOf(bank, after, SECOND_LOG)],
      checkpoint: await witnessed(bank.tree, SECOND_LOG, [[WITNESS_3, timeOf(90_000)]]),
      content: parts.content
        .map(missing(2, 3))
        .map((one, i) => (i === 1 ? { ...one, opened: utf8('"first"') } : one)),
      access: parts.access.map(missing(0)),
    },
  };
}

/** An export renewed in both archives. */
export async function renewedTwice(parts: RecordExport): Promise<string> {
  const once = await ARCHIVES[0].renew(exportRecord(parts), timeOf(10_000_000));
  return ARCHIVES[1].renew(once, timeOf(20_000_000));
}
