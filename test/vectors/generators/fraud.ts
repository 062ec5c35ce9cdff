/** Vectors of spec/evidence.md: head statements and fraud files. */

import { exposeSecret, revokeCredential, type Identity, type SoftwareKeys } from '../../../src/keys/index.ts';
import {
  encodeCreation,
  encodeSignedEntry,
  encodeStatement,
  proveFraud,
  signHead,
  type FraudKind,
} from '../../../src/record/index.ts';
import { TupleReader } from '../../../src/wire/index.ts';
import { writeFraud } from '../../../src/record/fraud-file.ts';
import { flipped } from '../../mutation.ts';
import { ORIGIN, timeOf } from '../../record/fixture.ts';
import { Liar, type Evidence } from '../../record/liar.ts';
import type { VectorCase, VectorFile } from '../file.ts';
import { hex } from '../hex.ts';
import type { HeadJson } from './record.ts';

/** What a head statement says. */
export interface HeadStatementJson {
  readonly origin: string;
  readonly recordId: string;
  readonly chain: string;
  readonly head: HeadJson;
  readonly tree: { readonly size: number; readonly root: string };
  readonly time: number;
}

export type FraudCase = VectorCase &
  (
    | {
        readonly operation: 'head';
        readonly signingSecret: string;
        readonly statement: HeadStatementJson;
        readonly body: string;
        readonly signature: string;
        readonly signed: string;
      }
    | {
        readonly operation: 'judge';
        readonly file: string;
        readonly anchorId: string;
        readonly origin: string;
        readonly kind?: string;
        /** The Id of who is convicted. */
        readonly bank?: string;
      }
  );

/** The file. */
export async function generate(): Promise<VectorFile<FraudCase>> {
  const liar = await Liar.open();
  return {
    description: 'Head statements, and fraud files that convict or prove nothing.',
    spec: 'spec/evidence.md',
    cases: [await headCase(liar), ...(await convictions(liar)), ...(await refusals(liar))],
  };
}

async function headCase({ bank }: Liar): Promise<FraudCase> {
  const { recordId, heads, tree } = bank;
  const signed = await signHead(bank.bank.signer, {
    ...{ origin: ORIGIN, recordId, chain: 'content', head: heads.content, tree, time: timeOf(6) },
  });
  const reader = TupleReader.labelled(signed, 'signed head');
  return {
    name: 'head: content',
    operation: 'head',
    signingSecret: hex(seedOf(bank.bank)),
    statement: {
      ...{ origin: ORIGIN, recordId: hex(recordId), chain: 'content', time: timeOf(6) },
      head: { size: heads.content.size, hash: hex(heads.content.hash) },
      tree: { size: tree.size, root: hex(tree.root) },
    },
    body: hex(reader.bytes()),
    signature: hex(reader.bytes()),
    signed: hex(signed),
  };
}

async function convictions(liar: Liar): Promise<FraudCase[]> {
  const lies = Object.entries(await liar.lies()) as [FraudKind, Evidence][];
  return lies.map(([kind, evidence]) => ({
    name: `judge: ${kind}`,
    operation: 'judge',
    file: proveFraud(kind, liar.accused, evidence as never),
    anchorId: hex(liar.trust.anchorId),
    origin: ORIGIN,
    kind,
    bank: hex(liar.accused.bank.id),
  }));
}

async function refusals(liar: Liar): Promise<FraudCase[]> {
  const lies = await liar.lies();
  const { bank, accused } = liar;
  const papers = { anchor: accused.anchor.encoded, bank: accused.bank.encoded, charter: accused.charter };
  const file = (kind: FraudKind, evidence: Evidence, changes: Partial<typeof papers> = {}): string =>
    writeFraud({ kind, ...papers, ...changes, evidence });
  const refused = (
    name: string,
    text: string,
    changes: { anchorId?: string; origin?: string } = {},
  ): FraudCase => ({
    ...{ name: `judge: ${name}`, operation: 'judge', file: text },
    ...{ anchorId: hex(liar.trust.anchorId), origin: ORIGIN, ...changes, error: 'RECORD_FRAUD' },
  });
  const good = file('two places', lies['two places']);
  const checkpoint = await liar.checkpoint();
  const [first, last] = [liar.receiptOf(0), liar.receiptOf(4)];
  const creationPayload = encodeStatement(
    {
      kind: 'create',
      content: encodeCreation({ owner: bank.patient.credential.id, tagSalt: new Uint8Array(32) }),
    },
    bank.random,
  );
  const honestLeaf = { leaf: liar.leafAt(3), proof: bank.log.inclusion(3), tree: checkpoint };
  const theft = await revokeCredential(bank.anchor, bank.doctor.credential, {
    ...{ reason: 'compromised', doubtfulFrom: 0, revokedAt: timeOf(5) },
  });
  const late = lies['after revocation']['revocation'] as Uint8Array;
  return [
    refused('no file', ''),
    refused('a space before it', ` ${good}`),
    refused('a newline after it', `${good}\n`),
    refused('another format', good.replace('fraud 1', 'fraud 2')),
    refused('a kind that there is not', good.replace('two places', 'two faces')),
    refused('a member more', good.replace('{', '{"more":1,')),
    refused('another anchor', good, { anchorId: hex(accused.bank.id) }),
    refused('another origin', good, { origin: 'other.example/log' }),
    refused(
      'a bank without a charter',
      file('two places', lies['two places'], { bank: bank.doctor.credential.encoded }),
    ),
    refused(
      'a charter changed',
      file('two places', lies['two places'], { charter: flipped(accused.charter, 60) }),
    ),
    refused('two places: one word twice', file('two places', { first, second: first })),
    refused('two places: two entries in their places', file('two places', { first, second: last })),
    refused(
      'two places: a refusal',
      file('two places', {
        first: last,
        second: await liar.lie(4, { outcome: 'refused', entryHash: new Uint8Array(32) }),
      }),
    ),
    refused('two roots: of two sizes', file('two roots', { first: checkpoint, second: last })),
    refused(
      'two leaves: one leaf twice',
      file('two leaves', {
        ...{ first: checkpoint, firstLeaf: liar.leafAt(3), firstProof: bank.log.inclusion(3), index: 3 },
        ...{ second: last, secondLeaf: liar.leafAt(3), secondProof: bank.log.inclusion(3, 5) },
      }),
    ),
    refused(
      'other leaf: the right one',
      file('other leaf', { receipt: liar.receiptOf(3), ...liar.creation(), ...honestLeaf }),
    ),
    refused(
      'other leaf: under a salt of the accuser’s',
      file('other leaf', { receipt: liar.receiptOf(3), ...liar.creation(), creationPayload, ...honestLeaf }),
    ),
    refused('cut tail: a receipt for the second word', file('cut tail', { first: last, second: first })),
    refused(
      'cut tail: a head from before',
      file('cut tail', {
        first: last,
        second: await liar.headOf({
          head: { size: 3, hash: bank.taken[4]?.signed.entry.prev ?? first },
          tree: liar.tree(bank.log, 4),
        }),
      }),
    ),
    refused('out of order: in order', file('out of order', { first, second: last })),
    refused(
      'after revocation: heard later',
      file('after revocation', {
        ...liar.taken(),
        ...(await liar.revocation(theft, 'revocation', bank.anchor, { leafIndex: 5 })),
      }),
    ),
    refused(
      'after revocation: in doubt only',
      file('after revocation', {
        ...liar.taken(),
        ...(await liar.revocation(theft, 'revocation', bank.anchor)),
      }),
    ),
    refused(
      'after revocation: of which the directory knows nothing',
      file('after revocation', {
        ...lies['after revocation'],
        revocation: encodeSignedEntry(await liar.forkOf(4)),
        revocationPayload: late,
      }),
    ),
    refused('bad entry: a good one', file('bad entry', liar.taken())),
    refused(
      'bad entry: another author’s credential',
      file('bad entry', { ...liar.taken(), author: bank.patient.credential.encoded }),
    ),
  ];
}

function seedOf(identity: Identity): Uint8Array {
  return exposeSecret((identity as unknown as SoftwareKeys).signer.secret);
}
