/** The play: operations drawn from a seed, each on the bank and on the model, and after each one somebody looks. */

import { Random } from '../../faults/random.ts';
import type { InProcess } from '../in-process.ts';
import { add, create, someTarget } from './adding.ts';
import { audit, exportWhole, find, hearEnd } from './asking.ts';
import { enterAll, GROUPS } from './cast.ts';
import { close, erase, reopen } from './ending.ts';
import { breakTheGlass, endGrant, grantOfDocument, grantPart } from './granting.ts';
import { checkEnds, look, lookAtAccesses, sweep } from './looking.ts';
import {
  beginEpoch,
  giveKey,
  lookAround,
  publish,
  registerNewcomer,
  renounceKey,
  revokeKey,
  rotateParts,
} from './peopling.ts';
import { Difference, Stage, type PlayClock } from './stage.ts';
import { holds, isDead, type Actor, type Key, type ModelRecord } from './world.ts';

/** How much is played. */
export interface Length {
  readonly seed: number;
  readonly operations: number;
  /** Of how many patients there are records from the start. */
  readonly owners: number;
  /** How often everybody looks at everything on the way, and which share of everybody. */
  readonly sweeps: number;
  readonly share: number;
  /** Which operations, and how often each beside the others; as usual if absent. */
  readonly weights?: Partial<Readonly<Record<PlayName, number>>>;
}

/** What was played. */
export interface Played {
  readonly counts: ReadonlyMap<string, { readonly done: number; readonly refused: number }>;
  readonly compared: Stage['compared'];
  readonly entries: number;
}

const DAY = 86_400_000;

type Play = (stage: Stage) => Promise<ModelRecord | null>;

/** Plays on an empty bank. Throws, with seed, step and operation, at the first difference from the model. */
export async function play(at: InProcess, clock: PlayClock, length: Length): Promise<Played> {
  const { seed, operations, owners, sweeps, share, weights = WEIGHTS } = length;
  const stage = new Stage(at, clock, new Random(seed));
  let [step, name] = [0, 'entering'];
  try {
    await enterAll(stage, owners);
    await openSome(stage);
    for (step = 1; step <= operations; step++) {
      clock.advance(400 + stage.random.below(4000));
      const drawn = stage.random.weighted(weights as Readonly<Record<PlayName, number>>);
      name = drawn;
      const touched = await PLAYS[drawn](stage);
      if (touched !== null) await glance(stage, touched);
      if (step < operations && step % Math.ceil(operations / (sweeps + 1)) === 0) {
        name = 'everybody looks';
        await sweep(stage, share);
      }
    }
    await end(stage, share, (what) => void (name = what));
  } catch (error) {
    const said = error instanceof Difference ? error.message : String(error);
    const place = `MUNIMENT_FAULTS_SEED=${String(seed)}, step ${String(step)} of ${String(operations)}, ${name}`;
    throw new Error(`${place}: ${said}`, { cause: error });
  }
  const entries = stage.world.records.reduce((sum, one) => sum + one.entries.length + one.accesses.length, 0);
  return { counts: stage.counts, compared: stage.compared, entries };
}

// Doctors open the records that there are, all but one.
async function openSome(stage: Stage): Promise<void> {
  const doctors = stage.world.keys(holder('doctor'));
  for (const record of stage.world.records.slice(1)) await create(stage, stage.random.of(doctors), record);
}

// After everything: everybody looks; some records are closed for a death, and erased in ten years; everybody looks.
async function end(stage: Stage, share: number, say: (what: string) => void): Promise<void> {
  const { world, clock } = stage;
  const [administrator] = world.keys((key) => holds(key, 'administrator'));
  if (administrator === undefined) throw new RangeError('nobody administers');
  say('everybody looks at the end');
  await sweep(stage, share);
  for (const record of opened(stage).slice(0, 3)) {
    say('closing at the end');
    clock.advance(1000);
    for (let tries = 0; tries < 9 && !isDead(record); tries++) await close(stage, administrator, record);
  }
  clock.advance(10 * 366 * DAY);
  say('erasing ten years later');
  for (const record of opened(stage).filter(({ closed }) => closed !== null))
    for (let i = 0; i < 4; i++) await erase(stage, administrator, record);
  say('everybody looks ten years later');
  await sweep(stage, share);
}

/** Who looks after each operation: one who may, and anybody. */
async function glance(stage: Stage, record: ModelRecord): Promise<void> {
  await checkEnds(stage, record);
  await look(stage, anybody(stage), record);
  await checkEnds(stage, record);
}

const PLAYS = {
  create: (stage) => about(stage, stage.world.records, holder('doctor'), create),
  insert: (stage) => about(stage, opened(stage), adding, (...all) => add(...all, { kind: 'insert' })),
  annotate: (stage) => about(stage, opened(stage), adding, addingTo('annotate')),
  amend: (stage) => about(stage, opened(stage), adding, addingTo('amend')),
  'grant a part': (stage) => about(stage, opened(stage), owning, grantPart),
  'grant classes': (stage) => ofOwner(stage, (record) => grantOfDocument(stage, record, 'classes')),
  'grant fields': (stage) => ofOwner(stage, (record) => grantOfDocument(stage, record, 'fields')),
  'end a grant': (stage) => about(stage, opened(stage), owning, endGrant),
  read: (stage) => about(stage, stage.world.records, anyone, (...all) => look(...all)),
  'read a part': (stage) =>
    about(stage, opened(stage), anyone, (_, key, record) =>
      look(stage, key, record, { part: stage.random.of([...record.parts.keys(), 'no such part']) }),
    ),
  'read as of': (stage) =>
    about(stage, opened(stage), anyone, (_, key, record) =>
      look(stage, key, record, { asOf: stage.random.of(record.entries).time - stage.random.below(2) }),
    ),
  'read what was released': async (stage) => {
    if (stage.emergencies.length === 0) return null;
    const emergency = stage.random.of(stage.emergencies);
    await look(stage, emergency.key, emergency.record, { emergency });
    return emergency.record;
  },
  'ask who has read': (stage) => about(stage, opened(stage), owning, lookAtAccesses),
  find: (stage) => about(stage, stage.world.records, anyone, find),
  'hear the end': (stage) => about(stage, stage.world.records, anyone, hearEnd),
  'break the glass': (stage) => about(stage, opened(stage), holder('emergency'), breakTheGlass),
  audit: (stage) => about(stage, opened(stage), holder('auditor'), audit),
  export: (stage) => about(stage, opened(stage), owning, exportWhole),
  close: (stage) => about(stage, opened(stage), holder('administrator'), close),
  reopen: async (stage) => {
    const closed = opened(stage).filter(({ closed: one }) => one !== null);
    const may = (key: Key, record: ModelRecord): boolean =>
      holds(key, 'administrator') || key === record.owner;
    return closed.length === 0 ? null : about(stage, closed, may, reopen);
  },
  erase: (stage) => about(stage, opened(stage), holder('administrator'), erase),
  'begin an epoch': async (stage) => {
    const name = stage.random.of(GROUPS);
    await beginEpoch(
      stage,
      one(stage, (key) => holds(key, `keeper:${name}`)),
      name,
    );
    return null;
  },
  'rotate parts': async (stage) => {
    const record = stage.random.of(stage.world.records);
    await rotateParts(stage, record);
    return null;
  },
  register: (stage) =>
    nothingRead(
      registerNewcomer(
        stage,
        one(stage, (key) => holds(key, 'administrator')),
      ),
    ),
  'another key instead': (stage) => nothingRead(giveKey(stage, somebody(stage), 'instead')),
  'another key beside': (stage) => nothingRead(giveKey(stage, somebody(stage), 'beside')),
  revoke: (stage) => nothingRead(revokeKey(stage, stage.random.of(standing(stage)))),
  renounce: (stage) => nothingRead(renounceKey(stage, stage.random.of(standing(stage)))),
  publish: (stage) =>
    nothingRead(
      publish(
        stage,
        one(stage, (key) => holds(key, 'patient')),
      ),
    ),
  'look up people': (stage) =>
    nothingRead(lookAround(stage, anybody(stage), stage.random.of(stage.world.actors))),
} satisfies Record<string, Play>;
type PlayName = keyof typeof PLAYS;

const WEIGHTS: Readonly<Record<PlayName, number>> = {
  ...{ create: 30, insert: 180, annotate: 50, amend: 50 },
  ...{ 'grant a part': 60, 'grant classes': 30, 'grant fields': 30, 'end a grant': 40 },
  ...{ read: 150, 'read a part': 60, 'read as of': 50, 'read what was released': 30 },
  ...{ 'ask who has read': 30, find: 40, 'hear the end': 30, 'break the glass': 30, audit: 30, export: 20 },
  ...{ close: 8, reopen: 24, erase: 8, 'begin an epoch': 40, 'rotate parts': 20 },
  ...{ register: 14, 'another key instead': 10, 'another key beside': 8, revoke: 6, renounce: 3 },
  ...{ publish: 10, 'look up people': 20 },
};

async function about(
  stage: Stage,
  records: readonly ModelRecord[],
  may: (key: Key, record: ModelRecord) => boolean,
  work: (stage: Stage, key: Key, record: ModelRecord) => Promise<unknown>,
): Promise<ModelRecord | null> {
  if (records.length === 0) return null;
  const record = stage.random.of(records);
  await work(
    stage,
    one(stage, (key) => may(key, record)),
    record,
  );
  return record;
}

async function ofOwner(
  stage: Stage,
  work: (record: ModelRecord) => Promise<void>,
): Promise<ModelRecord | null> {
  const records = opened(stage);
  if (records.length === 0) return null;
  const record = stage.random.of(records);
  await work(record);
  return record;
}

async function nothingRead(work: Promise<void>): Promise<null> {
  await work;
  return null;
}

/** Mostly somebody of whom a condition holds, and now and then anybody. */
function one(stage: Stage, may: (key: Key) => boolean): Key {
  const able = stage.world.keys(may);
  return able.length === 0 || stage.random.next() < 0.2 ? anybody(stage) : stage.random.of(able);
}

// Also under a key that does not stand any more, or is not the newest.
function anybody(stage: Stage): Key {
  return stage.random.of(stage.random.of(stage.world.actors).keys);
}

// Owners keep their key, and the administrator its own.
function somebody(stage: Stage): Actor {
  const others = stage.world.actors.filter(
    ({ keys: [first] }) => first !== undefined && !holds(first, 'patient') && !holds(first, 'administrator'),
  );
  return stage.random.of(others);
}

function standing(stage: Stage): Key[] {
  return stage.world.actors.flatMap(({ keys }) =>
    keys.filter((key) => key.stands && !holds(key, 'administrator')),
  );
}

function opened(stage: Stage): ModelRecord[] {
  return stage.world.records.filter(({ entries }) => entries.length > 0);
}

function addingTo(kind: 'annotate' | 'amend') {
  return (stage: Stage, key: Key, record: ModelRecord): Promise<void> =>
    add(stage, key, record, { kind, about: someTarget(stage, record) });
}

const anyone = (): boolean => true;
const adding = (key: Key): boolean => holds(key, 'doctor') || holds(key, 'specialist:');
const owning = (key: Key, { owner }: ModelRecord): boolean => key === owner;
function holder(role: string): (key: Key) => boolean {
  return (key) => holds(key, role);
}
