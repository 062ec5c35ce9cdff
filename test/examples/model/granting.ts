/** Owners grant and end grants in the play, others try to, and doctors break the glass. */

import { KEM_X25519, systemRandom } from 'muniment/crypto';
import { compartmentNode, createRoot } from 'muniment/keys';
import { hashEntry } from 'muniment/record';
import { disclose, grant, type Granted } from 'muniment/views';
import { breakGlass } from '../../../examples/client/emergency.ts';
import { statement } from '../../../examples/client/writing.ts';
import { encodeGrantEnd, GRANT_END } from '../../../examples/server/grant-end.ts';
import { appendAs, forget, note } from './adding.ts';
import { look, nameOf } from './looking.ts';
import { cutText, type JudgedLeaf } from './policy.ts';
import { classOf, refusalToAsk } from './sight.ts';
import { documentsIn, type Stage } from './stage.ts';
import { holds, isDead, type Given, type Key, type ModelDocument, type ModelRecord } from './world.ts';

const MINUTE = 60_000;
/** Longer than the ten years after which a record may be erased. */
const LONG = 20 * 365 * 24 * 60 * MINUTE;

/** Somebody grants a part of a record; only its owner can. */
export async function grantPart(stage: Stage, key: Key, record: ModelRecord): Promise<void> {
  const name = stage.random.of([...record.parts.keys()]);
  const epoch = record.parts.get(name) ?? 0;
  await give(stage, key, record, { kind: 'compartment', name, epoch }, async () => {
    const own = key === record.owner ? (await stage.rootOf(stage.clientOf(key))).root : createRoot();
    return { kind: 'compartment', name, epoch, kem: KEM_X25519, node: compartmentNode(own, name, epoch) };
  });
}

/** The owner grants classes of one document, or single fields of it. */
export async function grantOfDocument(
  stage: Stage,
  record: ModelRecord,
  kind: 'classes' | 'fields',
): Promise<void> {
  const { random } = stage;
  const { owner } = record;
  const looked = await look(stage, owner, record, { purpose: 'to grant' });
  const standing = documentsIn(record);
  if (looked === null || standing.length === 0) return;
  const { seq, document } = random.of(standing);
  const view = looked.view.documents.find(({ entry }) => entry.entry.seq === seq)?.view;
  const sealed = looked.handed.get(seq)?.sealed ?? null;
  if (view === undefined || sealed === null) throw new RangeError('the owner was not shown it');
  const leaves = leavesBySealedPath(
    view.fields.map(({ path }) => path),
    document,
  );
  if (kind === 'fields') {
    const chosen = view.fields.filter(() => random.next() < 0.3).map(({ path }) => path);
    const paths = chosen.length === 0 ? [random.of(view.fields).path] : chosen;
    const places = new Set(paths.map((path) => placeOf(leaves.get(path))));
    const text = cutText(document.json, (tokens) => places.has(tokens.join('/'))) ?? '';
    const disclosure = disclose(sealed, view, paths);
    await give(stage, owner, record, { kind, seq, text }, () => Promise.resolve({ kind, disclosure }));
    return;
  }
  const some = view.keys.filter(() => random.next() < 0.4);
  const keys = some.length === 0 ? [random.of(view.keys)] : some;
  const classes = keys.flatMap(({ index }) => {
    const leaf = leaves.get(view.fields.find(({ classIndex }) => classIndex === index)?.path ?? '');
    return leaf === undefined ? [] : [classOf(leaf, document)];
  });
  const given = { kind, seq, classes: new Set(classes) } as const;
  await give(stage, owner, record, given, () => Promise.resolve({ kind, bodyHash: view.bodyHash, keys }));
}

/** Somebody ends a grant: one that stands in the record, or, now and then, one that does not. */
export async function endGrant(stage: Stage, key: Key, record: ModelRecord): Promise<void> {
  const { random } = stage;
  const places = record.entries.flatMap(({ grant: one }, seq) => (one === undefined ? [] : [seq]));
  const seq = places.length === 0 || random.next() < 0.05 ? null : random.of(places);
  const hash = seq === null ? systemRandom(32) : stage.real(record).hashes.get(seq);
  if (hash === undefined) throw new RangeError('a grant without its hash');
  const refusal =
    isDead(record) || key !== record.owner ? 'RECORD_RIGHT' : seq === null ? 'TARGET_UNKNOWN' : null;
  const done = await appendAs(stage, {
    ...{ key, record, what: 'end a grant', refusal },
    writing: () => Promise.resolve(statement('revoke', GRANT_END, encodeGrantEnd(hash))),
    entry: { kind: 'revoke', author: key, time: stage.clock.now() },
  });
  const ended = seq === null ? undefined : record.entries[seq]?.grant;
  if (done && ended !== undefined) ended.ended = true;
}

/** Somebody declares an emergency. */
export async function breakTheGlass(stage: Stage, key: Key, record: ModelRecord): Promise<void> {
  const { recordId } = stage.real(record);
  const notToAsk = refusalToAsk(key, record);
  const refusal = record.closed !== null || !holds(key, 'emergency') ? 'RECORD_RIGHT' : null;
  const reason = `unconscious at ${String(stage.clock.now())}`;
  forget(stage, key, record);
  if (notToAsk === null) stage.accessed(record, key, 'before writing');
  const what = `break the glass: ${nameOf(key)}, of the record of ${nameOf(record.owner)}`;
  const broken = await stage.attempt(what, notToAsk ?? refusal, () =>
    breakGlass(stage.clientOf(key), recordId, reason),
  );
  if (broken === null) return;
  const seq = note(stage, record, { kind: 'emergency', author: key, time: stage.clock.now() });
  stage.real(record).hashes.set(seq, hashEntry(broken.entry));
  stage.accessed(record, key, reason, 'break-glass');
  stage.emergencies.unshift({ key, record, seq, releases: broken.releases });
}

async function give(
  stage: Stage,
  key: Key,
  record: ModelRecord,
  given: Given,
  granted: () => Promise<Granted>,
): Promise<void> {
  const { random, clock } = stage;
  const grantee = random.of(stage.world.keys((one) => one !== record.owner));
  const from = clock.now() - MINUTE;
  const until = clock.now() + (random.next() < 0.1 ? LONG : (2 + random.below(60)) * MINUTE);
  const { recordId } = stage.real(record);
  await appendAs(stage, {
    ...{ key, record, what: `grant ${given.kind}` },
    refusal: isDead(record) || key !== record.owner ? 'RECORD_RIGHT' : null,
    writing: async () => {
      const terms = { ...{ recordId, purpose: 'a second look' }, ...{ from, until, mayPassOn: false } };
      const to = stage.credentialOf(grantee);
      const signed = await grant(stage.clientOf(key).user, to, { terms, granted: await granted() });
      return { ...statement('grant', 'grant', signed.statement), attachments: [signed.wrap] };
    },
    entry: {
      kind: 'grant',
      author: key,
      time: clock.now(),
      grant: { grantee, from, until, given, ended: false },
    },
  });
}

// A sealed path says which element of an array it is by a value that rises with the index: in their order they are it.
function leavesBySealedPath(paths: readonly string[], document: ModelDocument): Map<string, JudgedLeaf> {
  const leaves = new Map(document.leaves.map((leaf) => [placeOf(leaf), leaf]));
  const split = paths.map((path) => path.split('/').slice(1));
  const elements = new Map<string, Set<string>>();
  for (const tokens of split)
    for (const [i, token] of tokens.entries()) {
      const above = tokens.slice(0, i).join('/');
      if (token.startsWith('~n')) elements.set(above, (elements.get(above) ?? new Set()).add(token));
    }
  const plain = (tokens: readonly string[]): string =>
    tokens
      .map((token, i) =>
        token.startsWith('~n')
          ? String([...(elements.get(tokens.slice(0, i).join('/')) ?? [])].sort().indexOf(token))
          : token.replaceAll('~1', '/').replaceAll('~0', '~'),
      )
      .join('/');
  return new Map(
    paths.map((path, i) => {
      const leaf = leaves.get(plain(split[i] ?? []));
      if (leaf === undefined) throw new RangeError(`no leaf ${path}`);
      return [path, leaf];
    }),
  );
}

function placeOf(leaf: JudgedLeaf | undefined): string {
  return leaf?.tokens.join('/') ?? '';
}
