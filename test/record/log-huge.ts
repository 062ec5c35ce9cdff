/**
 * Run in a process of its own, so that its memory is all its own: appends so many leaves to a log, proves and verifies
 * places and sizes in it, restores it, and prints what that took. Usage: node --expose-gc log-huge.js LEAVES
 */

import {
  Log,
  logLeaf,
  verifyConsistency,
  verifyInclusion,
  type LeafOpening,
  type TreeHead,
} from '../../src/record/index.ts';

const leaves = Number(process.argv[2]);
const STEP = 997; // every so manieth leaf is opened and proven; the others are a number each
const collectGarbage = gc ?? (() => undefined);

const openingOf = (index: number): LeafOpening => ({
  recordId: new Uint8Array(16).fill(1),
  tagSalt: new Uint8Array(32).fill(2),
  chain: 'content',
  seq: index,
  time: index,
  entryHash: new Uint8Array(32).fill(3),
});
const leafOf = (index: number): Uint8Array =>
  index % STEP === 0 ? logLeaf(openingOf(index)) : Uint8Array.of(index >> 16, index >> 8, index);
const live = (): number => {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

const before = live();
const log = new Log();
const heads: TreeHead[] = [];
for (let index = 0; index < leaves; index++) {
  if (index % STEP === 0) heads.push({ size: index, root: log.root() });
  log.append(leafOf(index));
}
const bytes = live() - before;
const head = { size: log.size, root: log.root() };

for (let index = 0; index < leaves; index += STEP)
  verifyInclusion(openingOf(index), { index, proof: log.inclusion(index) }, head);
for (const older of heads) verifyConsistency(older, head, log.consistency(older.size));

const again = Log.restore(log.hashes(0, 0, leaves));
const restored = Buffer.compare(again.root(), head.root) === 0;
const rss = process.resourceUsage().maxRSS * 1024;
console.log(JSON.stringify({ size: head.size, bytes, proven: heads.length, restored, rss }));
