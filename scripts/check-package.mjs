// Packs the built library, installs the tarball with its dependencies only into an empty folder, imports every
// published subpath in plain Node, and compiles a TypeScript user of them (without Node's types). Run `npm run build` first.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** @type {{ name: string, exports: Record<string, unknown> }} */
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const subpaths = Object.keys(manifest.exports).filter((subpath) => subpath !== './package.json');

// What `npm run` hands down (npm_config_local_prefix and the like) would point the inner npm at this repository.
const env = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(npm_(package|lifecycle|config_local_prefix)|NODE_OPTIONS$)/.test(name),
  ),
);

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} cwd
 */
function run(command, args, cwd) {
  return execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

const temp = mkdtempSync(path.join(tmpdir(), 'muniment-package-'));
try {
  /** @type {[{ filename: string, files: { path: string }[] }]} */
  const [packed] = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', temp], root),
  );
  const files = new Set(packed.files.map((file) => file.path));
  const missing = [
    'package.json',
    'README.md',
    'LICENSE',
    'dist/index.js',
    'dist/index.d.ts',
    'dist/verify.html',
    'src/index.ts',
  ].filter((file) => !files.has(file));
  if (missing.length > 0) throw new Error(`the tarball lacks ${missing.join(', ')}`);

  writeFileSync(path.join(temp, 'package.json'), '{"name":"user","private":true,"type":"module"}\n');
  run(
    'npm',
    ['install', '--omit=dev', '--no-audit', '--no-fund', '--ignore-scripts', `./${packed.filename}`],
    temp,
  );

  const names = subpaths.map((subpath) => manifest.name + subpath.slice(1));
  writeFileSync(
    path.join(temp, 'user.mjs'),
    `for (const name of ${JSON.stringify(names)}) {
  const url = import.meta.resolve(name);
  if (!url.includes('/node_modules/muniment/dist/')) throw new Error(name + ' resolves to ' + url);
  const count = Object.keys(await import(name)).length;
  if (count === 0) throw new Error(name + ' exports nothing');
  console.log(name + ': ' + count + ' exports');
}
`,
  );
  process.stdout.write(run(process.execPath, ['user.mjs'], temp));

  writeFileSync(
    path.join(temp, 'user.ts'),
    names
      .map(
        (name, n) => `import * as m${n} from '${name}';\nexport const k${n}: keyof typeof m${n} | 0 = 0;\n`,
      )
      .join(''),
  );
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const options = '--noEmit --strict --target es2022 --lib es2022,dom --module nodenext --skipLibCheck false';
  try {
    run(process.execPath, [tsc, ...options.split(' '), 'user.ts'], temp);
  } catch (error) {
    if (error instanceof Error && 'stdout' in error) process.stderr.write(String(error.stdout));
    throw new Error('the published types do not compile for a user', { cause: error });
  }
  console.log(`package: ${files.size} files, ${names.length} entry points import and type-check`);
} finally {
  rmSync(temp, { recursive: true, force: true });
}
