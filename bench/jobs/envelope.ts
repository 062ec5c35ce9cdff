/**
 * A message of 1 KiB of JSON text, signed and serialised, parsed and verified: this library's envelope beside a bare
 * signature, and beside other formats for the same. Every scheme must first read what it wrote, and refuse what another
 * key signed. And what the readers do with documents that are made to hurt.
 */

import { isDeepStrictEqual } from 'node:util';
import { MunimentError } from 'muniment';
import { forceBackend, KEM_X25519, systemRandom } from 'muniment/crypto';
import {
  decodeEnvelope,
  encodeEnvelope,
  ENVELOPE_LIMIT,
  normalizeEnvelope,
  SignedEnvelope,
  signEnvelope,
  verifyEnvelope,
} from 'muniment/envelope';
import { createAnchor, enrol } from 'muniment/keys';
import type { AttackDocument } from '../../test/envelope/attack-documents.ts';
import { attacks } from '../attacks.ts';
import { cost, type Attempt } from '../cost.ts';
import type { Contest, Row } from '../measure.ts';
import * as peers from '../signed-messages.ts';

const TEXT_LENGTH = 1024;
/** As many as are signed and read in turn, so that nothing that is kept of the last one helps with the next. */
const TEXTS = 64;
const AN_HOUR_MS = 3_600_000;

export async function* envelope(): AsyncGenerator<Contest> {
  try {
    const texts = Array.from({ length: TEXTS }, (_, index) => jsonText(index));
    const bytes = texts.map((text) => Buffer.from(text));
    const entrants = [
      await enter('bare', bytes, peers.bareMessage),
      await enter(
        'native',
        texts,
        () => munimentMessage('node'),
        () => forceBackend('node'),
      ),
      await enter(
        'portable',
        texts,
        () => munimentMessage('portable'),
        () => forceBackend('portable'),
      ),
      await enter('DSSE', texts, peers.dsseMessage),
      await enter('jose', texts, peers.joseMessage),
      await enter('xml-crypto', texts, peers.xmlCryptoMessage),
      await enter('xmldsigjs', texts, peers.xmldsigMessage),
    ];
    for (const operation of ['sign', 'verify'] as const) {
      const rows = Object.fromEntries(entrants.map(({ title, ...rows }) => [title, rows[operation]]));
      yield { name: `${operation} 1 KiB`, baseline: 'bare', rows };
    }
    yield largestMessage();
  } finally {
    forceBackend(null);
  }
}

/** A request from one party to another, in a session. The library's calls stand here and nowhere else in this job. */
async function munimentMessage(backend: 'node' | 'portable'): Promise<peers.SignedMessage<Uint8Array>> {
  forceBackend(backend); // keys are imported into the backend that is forced meanwhile
  const validity = { notBefore: 0, notAfter: Date.UTC(2100, 0) };
  const suite = { kem: KEM_X25519 };
  const anchor = await createAnchor({ subject: 'Hospital', roles: ['administrator'], ...validity }, suite);
  const user = await enrol(anchor, { subject: 'Dr. Ruiz', roles: ['doctor'], ...validity }, suite);
  const bank = await enrol(anchor, { subject: 'Banc', roles: ['bank'], ...validity }, suite);
  const author = user.credential;
  const context = { sessionId: systemRandom(32), from: author.id, to: bank.credential.id, answers: null };
  const session = {
    n1: systemRandom(16),
    timestamp1: Date.now(),
    n2: systemRandom(16),
    timestamp2: Date.now(),
  };

  return {
    async write(data) {
      const header = { type: 'request', sender: author.id, timestamp: Date.now(), ...session } as const;
      return encodeEnvelope(await signEnvelope(user.signer, { header, data }, context));
    },
    read(bytes) {
      const envelope = decodeEnvelope(bytes);
      if (!(envelope instanceof SignedEnvelope)) throw new Error('not signed');
      const now = Date.now();
      const time = { notBefore: now - AN_HOUR_MS, notAfter: now + AN_HOUR_MS };
      return verifyEnvelope(envelope, { type: 'request', author, context, time }).data;
    },
  };
}

interface Entrant {
  readonly title: string;
  readonly sign: Row;
  readonly verify: Row;
}

async function enter<Wire, Text>(
  title: string,
  texts: readonly Text[],
  make: () => peers.SignedMessage<Wire, Text> | Promise<peers.SignedMessage<Wire, Text>>,
  before: () => void = () => undefined,
): Promise<Entrant> {
  const [scheme, stranger] = [await make(), await make()];
  const wires: Wire[] = [];
  for (const text of texts) {
    const wire = await scheme.write(text);
    wires.push(wire);
    if (!isDeepStrictEqual(await scheme.read(wire), text)) throw new Error(`${title} reads another text`);
  }
  if (await readable(stranger, wires[0] as Wire)) throw new Error(`${title} reads what others signed`);
  let [signed, read] = [0, 0];
  return {
    title,
    sign: { before, run: () => scheme.write(texts[signed++ % TEXTS] as Text) },
    verify: { before, run: () => scheme.read(wires[read++ % TEXTS] as Wire) },
  };
}

async function readable<Wire, Text>(scheme: peers.SignedMessage<Wire, Text>, wire: Wire): Promise<boolean> {
  try {
    await scheme.read(wire);
    return true;
  } catch {
    return false;
  }
}

/** The largest message there may be takes as long as eight of an eighth, or not much longer. */
function largestMessage(): Contest {
  const [whole, eighth] = [documentOf(ENVELOPE_LIMIT), documentOf(ENVELOPE_LIMIT / 8)];
  return {
    name: 'decode 48 MiB',
    baseline: '8 × 6 MiB',
    rows: {
      '8 × 6 MiB': {
        run: () => {
          for (let part = 0; part < 8; part += 1) decodeEnvelope(eighth);
        },
      },
      '1 × 48 MiB': { run: () => decodeEnvelope(whole) },
    },
  };
}

/** Some 1 KiB of text in the one form, with a character that must be escaped. */
const LINE = `${'x'.repeat(1024 - '&amp;'.length)}&`;

/** An envelope of a little less than this many bytes; what stands for its signature is none. */
function documentOf(length: number): Uint8Array {
  const handle = new Uint8Array(16);
  const times = { timestamp: 0, timestamp1: 0, timestamp2: 0 };
  const header = { type: 'request', sender: new Uint8Array(32), n1: handle, n2: handle, ...times } as const;
  return encodeEnvelope(new SignedEnvelope(header, LINE.repeat(length / 1024 - 1), new Uint8Array(64)));
}

/** Every attack on both readers, each of which refuses it. Where it is an envelope after all, there is nothing to bound. */
export function* envelopeTrial(): Generator<Attempt> {
  for (const { name: title, document, accepted } of attacks()) {
    const bytes = document();
    for (const { read, takes } of READERS) {
      const name = `${read.name}: ${title}`;
      const taken = outcome(() => read(bytes));
      if (taken !== takes.includes(accepted)) throw new Error(`${name} is ${taken ? 'taken' : 'refused'}`);
      if (!taken) yield { name, cost: cost(() => outcome(() => read(bytes))) };
    }
  }
}

interface Reader {
  readonly read: (document: Uint8Array) => unknown;
  readonly takes: readonly AttackDocument['accepted'][];
}

const READERS: readonly Reader[] = [
  { read: decodeEnvelope, takes: ['both'] },
  { read: normalizeEnvelope, takes: ['both', 'normalize'] },
];

/** Whether the document is taken; whatever else is thrown than a refusal goes on. */
function outcome(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof MunimentError && error.code.startsWith('ENVELOPE_')) return false;
    throw error;
  }
}

/** JSON text of exactly 1 KiB, with some of the characters that XML must escape. */
function jsonText(id: number): string {
  const note = (length: number) => JSON.stringify({ id, read: 'r & <1>', note: 'x'.repeat(length) });
  return note(TEXT_LENGTH - note(0).length);
}
