// Regenerates the test vectors and fails if any file under test/vectors comes out different; the files that were
// there are put back, so that a second run fails as the first did. Unlike `git diff` this also sees new files.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = path.join(root, 'test', 'vectors');

function snapshot() {
  /** @type {Map<string, Buffer>} */
  const files = new Map();
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.isFile()) files.set(file, readFileSync(file));
  }
  return files;
}

const before = snapshot();
const run = spawnSync('npm', ['run', '--silent', 'vectors'], { cwd: root, stdio: 'inherit' });
const after = snapshot();

const changed = [...new Set([...before.keys(), ...after.keys()])].filter((file) => {
  const [old, now] = [before.get(file), after.get(file)];
  return old === undefined || now === undefined || !old.equals(now);
});
for (const file of changed) {
  console.error(`vectors: ${path.relative(root, file)} differs from what the generator writes`);
  const old = before.get(file);
  if (old === undefined) rmSync(file);
  else writeFileSync(file, old);
}

const vectors = [...after.keys()].filter((file) => file.endsWith('.json'));
if (run.status !== 0) console.error('vectors: the generator failed');
else if (vectors.length === 0) console.error('vectors: there are none');
else console.log(`vectors: ${vectors.length} files, ${changed.length} differ`);
process.exitCode = run.status === 0 && vectors.length > 0 && changed.length === 0 ? 0 : 1;
