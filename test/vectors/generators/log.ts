/** Vectors of spec/log.md: verifier keys, notes, checkpoints, cosignatures, witnesses and tiles. */

import { ED25519, emptyRoot, ML_DSA_44 } from '../../../src/crypto/index.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import type { Signer } from '../../../src/keys/index.ts';
import { checkpointBody } from '../../../src/record/checkpoint-body.ts';
import { cosignedMessage } from '../../../src/record/cosignature.ts';
import {
  addCosignatures,
  cosign,
  encodeBundle,
  formatNoteKey,
  formatTilePath,
  hashTile,
  Log,
  logKeysOf,
  parseTilePath,
  signCheckpoint,
  signNote,
  tilesOf,
  witnessKey,
  type LogKeys,
  type LogSigner,
  type NoteKey,
  type TreeHead,
  type Witness,
} from '../../../src/record/index.ts';
import { formatNoteLine, noteKeyId, parseNoteLine } from '../../../src/record/note.ts';
import { flipped } from '../../mutation.ts';
import { deterministicSigner } from '../../noble.ts';
import type { VectorCase, VectorFile } from '../file.ts';
import { hex } from '../hex.ts';
import { seededRandom } from './seed.ts';

/** Size and root. */
export interface TreeJson {
  readonly size: number;
  readonly root: string;
}

/** A log's name and public keys. */
export interface LogJson {
  readonly origin: string;
  readonly ed25519: string;
  readonly mlDsa44: string | null;
}

export type LogCase = VectorCase &
  (
    | {
        readonly operation: 'verifier key';
        readonly key: { readonly name: string; readonly type: number; readonly publicKey: string };
        readonly keyId: string;
        readonly vkey: string;
      }
    | { readonly operation: 'read verifier key'; readonly vkey: string }
    | {
        readonly operation: 'open note';
        readonly note: string;
        readonly keys: readonly string[];
        readonly text?: string;
        readonly by?: readonly string[];
      }
    | {
        readonly operation: 'checkpoint';
        readonly ed25519Secret: string;
        readonly mlDsa44Secret: string | null;
        readonly log: LogJson;
        readonly head: TreeJson;
        readonly at: number;
        readonly text: string;
        readonly message: string | null;
        readonly note: string;
      }
    | {
        readonly operation: 'cosign';
        readonly algorithm: string;
        readonly secret: string;
        readonly vkey: string;
        readonly checkpoint: string;
        readonly log: LogJson;
        readonly known: TreeJson;
        readonly proof: readonly string[];
        readonly at: number;
        readonly message?: string;
        readonly line?: string;
      }
    | {
        readonly operation: 'verify checkpoint';
        readonly note: string;
        readonly log: LogJson;
        readonly witnesses: readonly string[];
        readonly threshold: number;
        readonly head?: TreeJson;
        readonly cosignatures?: readonly { readonly name: string; readonly time: number }[];
      }
    | {
        readonly operation: 'tile path';
        readonly path: string;
        readonly tile?: {
          readonly level: number | 'entries';
          readonly index: number;
          readonly width: number;
        };
      }
    | {
        readonly operation: 'tile';
        readonly size: number;
        readonly path: string;
        readonly bytes: string | null;
      }
    | {
        readonly operation: 'tiles';
        readonly size: number;
        readonly since: number;
        readonly paths: readonly string[];
      }
  );

const ORIGIN = 'bank.example/log';
const AT = 1_700_000_123_456;
const SECONDS = 1_700_000_123_000;
const CHECKPOINT = 'RECORD_CHECKPOINT';

/** A signer that signs the same each time, with its secret beside it. */
function fixed(algorithm: string, label: string): Signer & { readonly secret: Uint8Array } {
  const secret = seededRandom(`log ${label}`)(32);
  const { publicKey, sign } = deterministicSigner(algorithm, secret);
  return { algorithm, publicKey, secret, sign: (message) => Promise.resolve(sign(message)) };
}

const ed25519 = fixed(ED25519, 'ed25519');
const mlDsa44 = fixed(ML_DSA_44, 'ml-dsa-44');
const one: LogSigner = { origin: ORIGIN, ed25519, mlDsa44: null };
const two: LogSigner = { origin: ORIGIN, ed25519, mlDsa44 };
const other = fixed(ED25519, 'other');
const first = { name: 'witness.example/1', signer: fixed(ED25519, 'witness 1') };
const second = { name: 'witness.example/2', signer: fixed(ML_DSA_44, 'witness 2') };
const third = { name: 'zeuge.example/ä', signer: fixed(ED25519, 'witness 3') };
const log = logOf(11);

/** A log of so many leaves: leaf i is i in two bytes, big-endian. */
function logOf(size: number): Log {
  const made = new Log();
  for (let i = 0; i < size; i++) made.append(leafOf(i));
  return made;
}

function leafOf(i: number): Uint8Array {
  return Uint8Array.of(i >> 8, i);
}

const headAt = (size: number): TreeHead => ({ size, root: log.root(size) });
const treeJson = ({ size, root }: TreeHead): TreeJson => ({ size, root: hex(root) });
const logJson = (keys: LogKeys): LogJson => ({
  origin: keys.origin,
  ed25519: hex(keys.ed25519),
  mlDsa44: keys.mlDsa44 && hex(keys.mlDsa44),
});
const lineOf = (note: string): string => note.split('\n').at(-2) ?? '';

/** The file. */
export async function generate(): Promise<VectorFile<LogCase>> {
  return {
    description: 'Verifier keys, notes, checkpoints, cosignatures and tiles, made and refused.',
    spec: 'spec/log.md',
    cases: [
      ...keyCases(),
      ...(await noteCases()),
      ...(await checkpointCases()),
      ...(await verifyCases()),
      ...(await witnessCases()),
      ...(await quorumCases()),
      ...pathCases(),
      ...tileCases(),
    ],
  };
}

function keyCases(): LogCase[] {
  const keys: [string, NoteKey][] = [
    ['of a log', { name: ORIGIN, type: 1, publicKey: ed25519.publicKey }],
    ['of a witness, Ed25519', witnessKey(first)],
    ['of a witness, ML-DSA-44', witnessKey(second)],
    ['with a name that is not ASCII', witnessKey(third)],
  ];
  const made = keys.map(([name, key]): LogCase => ({
    name: `verifier key: ${name}`,
    operation: 'verifier key',
    key: { name: key.name, type: key.type, publicKey: hex(key.publicKey) },
    keyId: hex(noteKeyId(key)),
    vkey: formatNoteKey(key),
  }));
  const good = formatNoteKey(witnessKey(first));
  const [, id = ''] = good.split('+');
  const spelled = (key: NoteKey): string => {
    const bytes = Buffer.concat([Buffer.of(key.type), key.publicKey]);
    return `${key.name}+${hex(noteKeyId(key))}+${bytes.toString('base64')}`;
  };
  const { publicKey } = first.signer;
  const bad: [string, string][] = [
    ['an id in capitals', good.replace(id, id.toUpperCase())],
    ['another id', good.replace(id, '00000000')],
    ['another name', `x${good}`],
    ['no id', good.replace(`${id}+`, '')],
    [
      'base64 without its padding',
      spelled({ name: 'w', type: 6, publicKey: second.signer.publicKey }).replace(/=+$/, ''),
    ],
    ['a key of 31 bytes', spelled({ name: 'w', type: 4, publicKey: publicKey.slice(1) })],
    ['ML-DSA-44 with a key of Ed25519', spelled({ name: 'w', type: 6, publicKey })],
    ['ECDSA', spelled({ name: 'w', type: 2 as 1, publicKey })],
    ['a name with a space', spelled({ name: 'a b', type: 4, publicKey })],
    ['a name of 256 bytes', spelled({ name: 'x'.repeat(256), type: 4, publicKey })],
    ['white space at the end', `${good}\n`],
  ];
  return [
    ...made,
    ...bad.map(([name, vkey]): LogCase => ({
      name: `read verifier key: ${name}`,
      operation: 'read verifier key',
      vkey,
      error: CHECKPOINT,
    })),
  ];
}

async function noteCases(): Promise<LogCase[]> {
  const key: NoteKey = { name: 'example.com/é', type: 1, publicKey: ed25519.publicKey };
  const stranger: NoteKey = { name: 'other.example', type: 1, publicKey: other.publicKey };
  const text = 'First line.\n\nThird line: naïve.\n';
  const note = await signNote(text, key.name, ed25519);
  const own = lineOf(note);
  const foreign = lineOf(await signNote(text, stranger.name, other));
  const wrong = lineOf(await signNote('Another text.\n', stranger.name, other));
  const open = (name: string, from: string, by: readonly NoteKey[] | null, keys = [key]): LogCase => ({
    name: `open note: ${name}`,
    operation: 'open note',
    note: from,
    keys: keys.map(formatNoteKey),
    ...(by === null ? { error: CHECKPOINT } : { text, by: by.map((signer) => signer.name) }),
  });
  const { signature } = parseNoteLine(own);
  return [
    open('an empty line in the text', note, [key]),
    open('a line of an unknown key', `${note}${foreign}\n`, [key]),
    open('two known keys', `${note}${foreign}\n`, [key, stranger], [key, stranger]),
    open('a wrong line of an unknown key', `${note}${wrong}\n`, [key]),
    open('a wrong line of a known key', `${note}${wrong}\n`, null, [key, stranger]),
    open('unknown keys alone', note, null, [stranger]),
    open('no known key', note, null, []),
    open('the text changed', note.replace('First', 'Last'), null),
    open('a signature cut off', `${text}\n${formatNoteLine(key, signature.slice(0, -1))}\n`, null),
    open('a signature with a bit changed', `${text}\n${formatNoteLine(key, flipped(signature, 9))}\n`, null),
    open('a key id and nothing else', `${note}— w AAAAAA==\n`, null),
    open('a line with a space at its end', `${text}\n${own} \n`, null),
    open('a hyphen instead of the dash', `${text}\n${own.replace('—', '-')}\n`, null),
    open('a name with a no-break space', `${note}— a\u00a0b AAAAAAA=\n`, null),
    open('a control character in the text', note.replace('First', 'F\u0001irst'), null),
    open('carriage returns', note.replaceAll('\n', '\r\n'), null),
    open('101 signature lines', `${note}${`${foreign}\n`.repeat(100)}`, null),
    open('100 signature lines', `${note}${`${foreign}\n`.repeat(99)}`, [key]),
  ];
}

async function checkpointCases(): Promise<LogCase[]> {
  const made = async (name: string, signer: LogSigner, head: TreeHead): Promise<LogCase> => {
    const body = checkpointBody(ORIGIN, head);
    const key = witnessKey({ name: ORIGIN, signer: mlDsa44 });
    const hybrid = signer.mlDsa44 !== null;
    return {
      name: `checkpoint: ${name}`,
      operation: 'checkpoint',
      ed25519Secret: hex(ed25519.secret),
      mlDsa44Secret: hybrid ? hex(mlDsa44.secret) : null,
      log: logJson(logKeysOf(signer)),
      head: treeJson(head),
      at: AT,
      text: body.text,
      message: hybrid ? hex(cosignedMessage(key, body, SECONDS / 1000)) : null,
      note: await signCheckpoint(signer, head, AT),
    };
  };
  return [
    await made('of one key', one, headAt(11)),
    await made('of two keys', two, headAt(11)),
    await made('of an empty log', two, { size: 0, root: emptyRoot() }),
    await made('of the largest log', one, { size: Number.MAX_SAFE_INTEGER, root: log.root() }),
  ];
}

type Changes = Partial<{ log: LogKeys; witnesses: readonly NoteKey[]; threshold: number }>;

function verify(
  name: string,
  note: string,
  outcome: ErrorCode | readonly [string, number][],
  changes: Changes = {},
): LogCase {
  return {
    name: `verify checkpoint: ${name}`,
    operation: 'verify checkpoint',
    note,
    log: logJson(changes.log ?? logKeysOf(two)),
    witnesses: (changes.witnesses ?? []).map(formatNoteKey),
    threshold: changes.threshold ?? 0,
    ...(typeof outcome === 'string'
      ? { error: outcome }
      : { head: treeJson(headAt(11)), cosignatures: outcome.map(([who, time]) => ({ name: who, time })) }),
  };
}

async function verifyCases(): Promise<LogCase[]> {
  const note = await signCheckpoint(two, headAt(11), AT);
  const single = await signCheckpoint(one, headAt(11), AT);
  const { text } = checkpointBody(ORIGIN, headAt(11));
  const [own, lattice] = [lineOf(single), lineOf(note)];
  const foreign = lineOf(await signNote(text, 'stranger.example', other));
  const withLines = (...lines: readonly string[]): string => `${text}\n${lines.join('\n')}\n`;
  const keys = logKeysOf(one);
  const base64 = Buffer.from(log.root()).toString('base64');
  const signed = (body: string): Promise<string> => signNote(body, ORIGIN, ed25519);
  const malformed: [string, string][] = [
    ['a size with a leading zero', `${ORIGIN}\n011\n${base64}\n`],
    ['a negative size', `${ORIGIN}\n-11\n${base64}\n`],
    ['a size past 2^53', `${ORIGIN}\n9007199254740992\n${base64}\n`],
    ['a root of 31 bytes', `${ORIGIN}\n11\n${Buffer.from(log.root().subarray(1)).toString('base64')}\n`],
    ['a root in other base64', `${ORIGIN}\n11\n${base64.replace('=', '')}\n`],
    ['another origin inside', `other.example/log\n11\n${base64}\n`],
    ['no root', `${ORIGIN}\n11\n`],
    ['an empty extension line', `${text}\nextension\n`],
  ];
  return [
    verify('two lines of a log of two keys', note, []),
    verify('two lines, known by the first key', note, [], { log: keys }),
    verify('one line of a log of one key', single, [], { log: keys }),
    verify('other lines around', withLines(foreign, lattice, own, foreign), []),
    verify('an extension line', await signed(`${text}extension\n`), [], { log: keys }),
    verify('one line of a log of two keys', single, CHECKPOINT),
    verify('the second line alone', withLines(lattice), CHECKPOINT),
    verify('the first line twice', withLines(own, own), CHECKPOINT, { log: keys }),
    verify('the second line twice', withLines(own, lattice, lattice), CHECKPOINT),
    verify(
      'a second line of another size',
      withLines(own, lineOf(await signCheckpoint(two, headAt(4), AT))),
      CHECKPOINT,
    ),
    verify('another size', note.replace('\n11\n', '\n12\n'), CHECKPOINT),
    verify('another log’s origin', note, CHECKPOINT, {
      log: { ...logKeysOf(two), origin: 'other.example/log' },
    }),
    verify('another first key', note, CHECKPOINT, { log: { ...logKeysOf(two), ed25519: other.publicKey } }),
    verify('another second key', note, CHECKPOINT, {
      log: { ...logKeysOf(two), mlDsa44: second.signer.publicKey },
    }),
    verify('a line of others alone', withLines(foreign), CHECKPOINT),
    verify('no signature', `${text}\n`, CHECKPOINT),
    verify('no final newline', note.slice(0, -1), CHECKPOINT),
    ...(await Promise.all(
      malformed.map(async ([name, body]) => verify(name, await signed(body), CHECKPOINT, { log: keys })),
    )),
  ];
}

async function witnessCases(): Promise<LogCase[]> {
  const cosigning = async (
    name: string,
    witness: Witness & { readonly signer: Signer & { readonly secret: Uint8Array } },
    [from, to]: readonly [number, number],
    {
      error,
      ...changes
    }: { checkpoint?: string; known?: TreeHead; proof?: readonly Uint8Array[]; error?: ErrorCode } = {},
  ): Promise<LogCase> => {
    const checkpoint = changes.checkpoint ?? (await signCheckpoint(two, headAt(to), AT));
    const known = changes.known ?? headAt(from);
    const proof = changes.proof ?? (from <= to ? log.consistency(from, to) : []);
    const answer =
      error ?? (await cosign(witness, checkpoint, { log: logKeysOf(two), known, proof, at: AT })).line;
    const key = witnessKey(witness);
    const message = hex(cosignedMessage(key, checkpointBody(ORIGIN, headAt(to)), SECONDS / 1000));
    return {
      name: `cosign: ${name}`,
      operation: 'cosign',
      algorithm: witness.signer.algorithm,
      secret: hex(witness.signer.secret),
      vkey: formatNoteKey(key),
      checkpoint,
      log: logJson(logKeysOf(two)),
      known: treeJson(known),
      proof: proof.map(hex),
      at: AT,
      ...(error === undefined ? { message, line: answer } : { error }),
    };
  };
  const [refused, root] = ['RECORD_CONSISTENCY', seededRandom('log fork')(32)] as const;
  return [
    await cosigning('from nothing', first, [0, 11]),
    await cosigning('from 4 to 11, ML-DSA-44', second, [4, 11]),
    await cosigning('the same again', third, [11, 11]),
    await cosigning('an older one', first, [11, 4], { error: refused }),
    await cosigning('another of the same size', first, [11, 11], {
      known: { size: 11, root },
      error: refused,
    }),
    await cosigning('a fork', first, [4, 11], { known: { size: 4, root }, error: refused }),
    await cosigning('without its proof', first, [4, 11], { proof: [], error: refused }),
    await cosigning('a proof from nothing', first, [0, 11], { proof: [root], error: refused }),
    await cosigning('an empty log of another root', first, [0, 0], {
      checkpoint: await signCheckpoint(two, { size: 0, root }, AT),
      error: refused,
    }),
    await cosigning('one that the log signed with one of its keys', first, [4, 11], {
      checkpoint: await signCheckpoint(one, headAt(11), AT),
      error: CHECKPOINT,
    }),
  ];
}

async function quorumCases(): Promise<LogCase[]> {
  const note = await signCheckpoint(two, headAt(11), AT);
  const seen = { log: logKeysOf(two), known: { size: 0, root: emptyRoot() }, proof: [], at: AT };
  const all = [first, second, third];
  const lines = await Promise.all(all.map(async (witness) => (await cosign(witness, note, seen)).line));
  const [a = '', b = ''] = lines;
  const witnesses = all.map(witnessKey);
  const seenBy = (...who: readonly Witness[]): [string, number][] => who.map(({ name }) => [name, SECONDS]);
  const later = (await cosign(first, note, { ...seen, at: AT + 60_000 })).line;
  const both = { name: first.name, signer: second.signer };
  const bothLine = (await cosign(both, note, { ...seen, at: AT - 60_000 })).line;
  const self: Witness = { name: 'witness.example/self', signer: ed25519 };
  const selfLine = (await cosign(self, note, seen)).line;
  const older = await signCheckpoint(two, headAt(4), AT);
  const bits = parseNoteLine(a).signature;
  const untimed = await first.signer.sign(
    cosignedMessage(witnessKey(first), checkpointBody(ORIGIN, headAt(11)), 0),
  );
  const raw = (witness: Witness, signature: Uint8Array): string =>
    formatNoteLine(witnessKey(witness), signature);
  const quorum = (
    name: string,
    from: readonly string[],
    outcome: ErrorCode | [string, number][],
    changes: Changes = {},
  ): LogCase => verify(name, addCosignatures(note, from), outcome, { witnesses, threshold: 2, ...changes });
  return [
    quorum('two of three witnesses', [a, b], seenBy(first, second)),
    quorum('three of three witnesses', lines, seenBy(...all), { threshold: 3 }),
    quorum('one of three witnesses where two are demanded', [a], 'RECORD_WITNESS'),
    quorum('no witness where one is demanded', [], 'RECORD_WITNESS', { threshold: 1 }),
    quorum('two witnesses where none is demanded', [a, b], seenBy(first, second), { threshold: 0 }),
    quorum('one witness twice', [a, later], 'RECORD_WITNESS'),
    quorum('one witness twice, its earlier time', [later, a], seenBy(first), { threshold: 1 }),
    quorum('one witness with two keys', [a, bothLine], 'RECORD_WITNESS', {
      witnesses: [witnessKey(first), witnessKey(both), witnessKey(third)],
    }),
    quorum('a stranger', [a, b], 'RECORD_WITNESS', { witnesses: [witnessKey(first), witnessKey(third)] }),
    quorum('the log as its own witness', [a, selfLine], 'RECORD_WITNESS', {
      witnesses: [witnessKey(first), witnessKey(self)],
    }),
    quorum('a witness of the log’s name', [a], 'RECORD_WITNESS', {
      witnesses: [witnessKey(first), { ...witnessKey(second), name: ORIGIN }],
    }),
    quorum(
      'a cosignature without a time',
      [raw(first, Buffer.concat([Buffer.alloc(8), untimed])), b],
      'RECORD_WITNESS',
    ),
    quorum('a wrong cosignature of a known witness', [a, b, raw(third, flipped(bits, 20))], CHECKPOINT),
    quorum(
      'a wrong cosignature of a stranger',
      [a, b, raw(third, flipped(bits, 20))],
      seenBy(first, second),
      {
        witnesses: [witnessKey(first), witnessKey(second)],
      },
    ),
    quorum('a cosignature with its time changed', [b, raw(first, flipped(bits, 7))], CHECKPOINT),
    quorum('a cosignature cut off', [b, raw(first, bits.slice(0, 71))], CHECKPOINT),
    quorum('a cosignature shorter than its time', [b, raw(first, bits.slice(0, 7))], CHECKPOINT),
    verify('cosignatures of another size', addCosignatures(older, [a, b]), CHECKPOINT, {
      witnesses,
      threshold: 2,
    }),
  ];
}

function pathCases(): LogCase[] {
  const good = [
    'tile/0/000',
    'tile/0/000.p/1',
    'tile/1/999.p/255',
    'tile/63/x001/000',
    'tile/0/x001/x234/067',
    'tile/entries/x001/x234/067.p/17',
    'tile/entries/x009/x007/x199/x254/x740/991',
  ];
  const bad: [string, string][] = [
    ['a slash in front', '/tile/0/000'],
    ['a slash behind', 'tile/0/000/'],
    ['a level with a leading zero', 'tile/00/000'],
    ['a level of 64', 'tile/64/000'],
    ['an index of two digits', 'tile/0/00'],
    ['a group too many', 'tile/0/x000/001'],
    ['an x before the last group', 'tile/0/x001/x067'],
    ['no x before another group', 'tile/0/001/067'],
    ['a width of 0', 'tile/0/000.p/0'],
    ['a width of 256', 'tile/0/000.p/256'],
    ['a width with a leading zero', 'tile/0/000.p/01'],
    ['an index past 2^53', 'tile/0/x009/x007/x199/x254/x740/992'],
    ['dots', 'tile/0/../000'],
  ];
  return [
    ...good.map((path): LogCase => ({
      name: `tile path: ${path}`,
      operation: 'tile path',
      path,
      tile: parseTilePath(path),
    })),
    ...bad.map(([name, path]): LogCase => ({
      name: `tile path: ${name}`,
      operation: 'tile path',
      path,
      error: 'RECORD_TILE',
    })),
  ];
}

function tileCases(): LogCase[] {
  const tile = (size: number, path: string): LogCase => {
    const at = parseTilePath(path);
    const start = at.index * 256;
    const leaves = Array.from({ length: at.width }, (_, i) => leafOf(start + i));
    const there = start + at.width <= size;
    const bytes = at.level !== 'entries' ? hashTile(logOf(size), at) : there ? encodeBundle(leaves) : null;
    return {
      name: `tile: ${path} of ${size}`,
      operation: 'tile',
      size,
      path,
      bytes: bytes && hex(bytes),
    };
  };
  const tiles = (size: number, since: number): LogCase => ({
    name: `tiles: of ${size} since ${since}`,
    operation: 'tiles',
    size,
    since,
    paths: [...tilesOf(size, since)].map(formatTilePath),
  });
  return [
    tile(259, 'tile/0/001.p/3'),
    tile(600, 'tile/0/001.p/3'),
    tile(259, 'tile/0/001.p/4'),
    tile(259, 'tile/1/000.p/1'),
    tile(600, 'tile/1/000.p/2'),
    tile(259, 'tile/2/000.p/1'),
    tile(259, 'tile/entries/001.p/3'),
    tile(259, 'tile/entries/001.p/4'),
    tiles(0, 0),
    tiles(5, 0),
    tiles(256, 0),
    tiles(600, 0),
    tiles(600, 259),
    tiles(600, 600),
    tiles(65_536, 65_535),
  ];
}
