/**
 * Chains and the log, beside bare calls of the platform: what a chain costs over its signatures, one by one on one
 * thread and as `verifyChain` takes them, what an append costs over signing, and proofs in a log of a million leaves.
 * `hypercore` appends a block of as many bytes to a log with one writer, over whose tree it signs, and also writes it to
 * disk. `@sigstore/verify` verifies the same inclusion proof.
 */

import { createHash, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { verifyMerkleInclusion } from '@sigstore/verify/dist/tlog/merkle.js';
import Hypercore from 'hypercore';
import { forceBackend, KEM_X25519, systemRandom } from 'muniment/crypto';
import { createAnchor, enrol, type Identity } from 'muniment/keys';
import {
  byRole,
  EMPTY_CHAIN,
  headAfter,
  Log,
  logLeaf,
  signEntry,
  startOf,
  verifyChain,
  verifyConsistency,
  verifyEntry,
  verifyInclusion,
  withoutRevocations,
  type Draft,
  type LeafOpening,
  type SignedEntry,
} from 'muniment/record';
import type { Contest } from '../measure.ts';

const VALIDITY = { notBefore: 0, notAfter: Date.UTC(2100, 0) };
const CHAIN = { origin: 'bank.example/records', recordId: systemRandom(16), chain: 'content' } as const;
const ENTRIES = 10_000;
const LEAVES = 1_000_000;
// An entry's signature is over some 400 bytes.
const MESSAGE = systemRandom(400);
const DRAFT: Draft = {
  ...CHAIN,
  kind: 'annotate',
  time: 1e12,
  payloadType: 'statement',
  payloadDigest: systemRandom(32),
  seen: null,
};

export async function* record(): AsyncGenerator<Contest> {
  try {
    forceBackend('node');
    const suite = { kem: KEM_X25519 };
    const hospital = await createAnchor(
      { subject: 'Hospital', roles: ['administrator'], ...VALIDITY },
      suite,
    );
    const doctor = await enrol(hospital, { subject: 'Dr. Ruiz', roles: ['doctor'], ...VALIDITY }, suite);
    const bare = generateKeyPairSync('ed25519');
    yield await chains(doctor, bare);
    yield* appending(doctor, bare);
    yield proofs();
  } finally {
    forceBackend(null);
  }
}

async function chains(
  doctor: Identity,
  bare: { publicKey: KeyObject; privateKey: KeyObject },
): Promise<Contest> {
  const entries: SignedEntry[] = [];
  for (let head = EMPTY_CHAIN; head.size < ENTRIES; head = headAfter(entries.at(-1) ?? fail()))
    entries.push(await write(doctor, head));
  const rule = byRole(({ kind }, { roles }) => kind === 'annotate' && roles.includes('doctor'));
  const rules = { ...CHAIN, rule, authors: withoutRevocations(() => doctor.credential) };
  const signatures = entries.map(() => sign(null, MESSAGE, bare.privateKey));
  const few = { rounds: 7 };
  return {
    name: 'verify 10,000 entries',
    baseline: 'bare',
    rows: {
      bare: {
        run: () => signatures.every((one) => verify(null, MESSAGE, bare.publicKey, one)) || fail(),
        ...few,
      },
      'bare, 64 at once': { run: () => inFlight(signatures, bare.publicKey), ...few },
      'one by one': {
        run() {
          let at = startOf(rule);
          for (const entry of entries) at = verifyEntry(entry, rules, at).after;
          return at.head.size === ENTRIES || fail();
        },
        ...few,
      },
      chain: {
        async run() {
          let verified = 0;
          for await (const item of verifyChain(entries, rules, startOf(rule)))
            verified += 'author' in item ? 1 : 0;
          return verified === ENTRIES || fail();
        },
        ...few,
      },
    },
  };
}

async function* appending(doctor: Identity, bare: { privateKey: KeyObject }): AsyncGenerator<Contest> {
  let head = EMPTY_CHAIN;
  const folder = mkdtempSync(path.join(tmpdir(), 'muniment-bench-'));
  const core = new Hypercore(folder);
  try {
    await core.ready();
    const block = Buffer.from(MESSAGE);
    yield {
      name: 'append an entry',
      baseline: 'bare',
      rows: {
        bare: { run: () => sign(null, MESSAGE, bare.privateKey) },
        muniment: {
          async run() {
            head = headAfter(await write(doctor, head));
          },
        },
        hypercore: { run: () => core.append(block) },
      },
    };
  } finally {
    await core.close();
    rmSync(folder, { recursive: true });
  }
}

function proofs(): Contest {
  const log = new Log();
  const opening: LeafOpening = {
    ...{ recordId: CHAIN.recordId, tagSalt: systemRandom(32), chain: 'content', seq: 0, time: 1 },
    entryHash: systemRandom(32),
  };
  const [index, older] = [654_321, 765_432];
  for (let i = 0; i < LEAVES; i++) log.append(i === index ? logLeaf(opening) : systemRandom(32));
  const heads = { older: { size: older, root: log.root(older) }, newer: { size: LEAVES, root: log.root() } };
  const place = { index, proof: log.inclusion(index) };
  const consistency = log.consistency(older);
  const node = systemRandom(65);
  const theirs = [
    {
      canonicalizedBody: Buffer.from(logLeaf(opening)),
      inclusionProof: { logIndex: String(index), hashes: place.proof.map((hash) => Buffer.from(hash)) },
    },
    { logSize: BigInt(LEAVES), logHash: Buffer.from(heads.newer.root) },
  ] as unknown as Parameters<typeof verifyMerkleInclusion>;
  return {
    name: 'prove in a log of 1,000,000',
    baseline: 'one hash',
    rows: {
      'one hash': { run: () => createHash('sha256').update(node).digest() },
      'make inclusion': { run: () => log.inclusion(index) },
      'make consistency': { run: () => log.consistency(older) },
      'verify inclusion': { run: () => verifyInclusion(opening, place, heads.newer) },
      '@sigstore/verify inclusion': { run: () => verifyMerkleInclusion(...theirs) },
      'verify consistency': { run: () => verifyConsistency(heads.older, heads.newer, consistency) },
    },
  };
}

function write(
  author: Identity,
  head: { readonly size: number; readonly hash: Uint8Array },
): Promise<SignedEntry> {
  return signEntry(author, head, DRAFT);
}

/** What `verifyChain` could at best come to: the same signatures, with callbacks, and nothing else done. */
function inFlight(signatures: readonly Buffer[], key: KeyObject): Promise<void> {
  return new Promise((resolve) => {
    let [begun, done] = [0, 0];
    const begin = (): void => {
      const signature = signatures[begun++];
      if (signature === undefined) return;
      verify(null, MESSAGE, key, signature, (_error, holds) => {
        if (!holds) fail();
        if (++done === signatures.length) resolve();
        begin();
      });
    };
    for (let i = 0; i < 64; i++) begin();
  });
}

function fail(): never {
  throw new Error('a contest whose rows do not do the work');
}
