/** Where a bank's time goes in a conversation: one process sampled while waves of them come in. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startBank, WAVE } from './bank-at-work.ts';

const WARM_UP = 4;
const WAVES = 16;

/** By where a function's code lies, in this order; a function of the engine's own counts as who called it. */
const PARTS: readonly (readonly [part: string, url: RegExp])[] = [
  ['ML-DSA', /@noble\/(post-quantum|curves|hashes)/],
  ['other cryptography', /src\/crypto\/|node:(internal\/)?crypto/],
  [
    'TLS and HTTP',
    /node:_?(tls|net|http)|node:internal\/(tls|net|stream_base)|fastify|find-my-way|light-my-request/,
  ],
  ['database', /kysely|better-sqlite3|examples\/server\/store/],
  ['formats and protocol', /\/src\//],
  ['use cases', /examples\/server\//],
];

/** What V8 writes: a tree of calls, and samples of it, microseconds apart, on the clock of `process.hrtime`. */
interface CpuProfile {
  readonly nodes: readonly CallNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
  readonly startTime: number;
}

interface CallNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

/** Microseconds of one conversation by part, and of all of them together. Waiting for the disk is the database's. */
export async function profileServer(): Promise<Record<string, number>> {
  const folder = mkdtempSync(path.join(tmpdir(), 'muniment-bench-'));
  try {
    const sampled = `exec "$0" --cpu-prof --cpu-prof-dir='${folder}' "$@"`;
    const bank = await startBank('sqlite', 1, ['sh', '-c', sampled]);
    for (let wave = 0; wave < WARM_UP; wave += 1) await bank.wave(1);
    const from = now();
    for (let wave = 0; wave < WAVES; wave += 1) await bank.wave(1);
    const until = now();
    await bank.end();
    return attribute(read(folder), { from, until });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function now(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

// The loader's thread writes one of its own, in which the server does not occur.
function read(folder: string): CpuProfile {
  const profiles = readdirSync(folder).map(
    (name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as CpuProfile,
  );
  const found = profiles.find(({ nodes }) =>
    nodes.some(({ callFrame }) => callFrame.url.endsWith('/server/sessions.ts')),
  );
  if (found === undefined) throw new Error('the server left no profile');
  return found;
}

function attribute(
  { nodes, samples, timeDeltas, startTime }: CpuProfile,
  span: { readonly from: number; readonly until: number },
): Record<string, number> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const parts: Record<string, number> = { all: 0 };
  let at = startTime;
  for (const [i, id] of samples.entries()) {
    const lasted = timeDeltas[i] ?? 0;
    at += lasted;
    const part = partOf(id, byId, parents);
    if (at < span.from || at > span.until || part === 'idle') continue;
    parts[part] = (parts[part] ?? 0) + lasted / (WAVES * WAVE);
    parts['all'] = (parts['all'] ?? 0) + lasted / (WAVES * WAVE);
  }
  return parts;
}

function partOf(
  sample: number,
  nodes: ReadonlyMap<number, CallNode>,
  parents: ReadonlyMap<number, number>,
): string {
  for (let id: number | undefined = sample; id !== undefined; id = parents.get(id)) {
    const { functionName = '', url = '' } = nodes.get(id)?.callFrame ?? {};
    if (functionName === '(idle)') return 'idle';
    if (functionName === '(garbage collector)') return 'garbage';
    const part = PARTS.find(([, pattern]) => pattern.test(url));
    if (part !== undefined) return part[0];
  }
  return 'rest';
}
