/**
 * The library as a user gets it: built, packed, and the tarball installed with its dependencies into a folder of its
 * own; beside it the program that checks it, compiled, and bundled for the runtimes that take one file.
 */

import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { edgeCases } from './edges.ts';

/** The program in its two shapes. */
export interface Program {
  /** Path of the module that runs unbundled, prints its report as one line of JSON, and ends. */
  readonly main: string;
  /** Text of one module that imports nothing, and exports `run`. */
  readonly bundle: string;
  /** Text of another one, for pages alone: test/runtimes/browser-keys.page.ts. */
  readonly browserKeys: string;
}

const execute = promisify(execFile);
const here = import.meta.dirname;
const root = path.join(here, '..', '..');
const esbuild = path.join(here, 'engines', 'node_modules', '@esbuild', 'linux-x64', 'bin', 'esbuild');

/** What is compiled into the folder, by its place in the repository. */
const SOURCES = [
  'examples/client/keystores/indexeddb.ts',
  'examples/client/keystores/webcrypto.ts',
  'test/runtimes/browser-keys.page.ts',
  'test/runtimes/scenario.ts',
  'test/runtimes/self-check.ts',
];

/**
 * Makes the program.
 *
 * @param folder - an empty folder outside the repository, so that nothing of it is found by accident
 */
export async function packProgram(folder: string): Promise<Program> {
  await npm(root, 'run', '--silent', 'build');
  const packed = await npm(root, 'pack', '--json', '--ignore-scripts', '--pack-destination', folder);
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  // Deno resolves only what a package.json names.
  const manifest = { private: true, type: 'module', dependencies: { muniment: `./${filename}` } };
  await writeFile(path.join(folder, 'package.json'), JSON.stringify(manifest));
  await npm(folder, 'install', '--omit=dev', '--no-audit', '--no-fund', '--ignore-scripts');

  for (const source of SOURCES) await compile(source, folder);
  const vectors = await readFile(path.join(root, 'test', 'vectors', 'crypto.json'), 'utf8');
  await writeFile(
    path.join(folder, 'vectors.js'),
    `export const vectors = ${vectors};\nexport const edges = ${JSON.stringify(edgeCases())};\n`,
  );
  const entry = path.join(folder, 'program.js');
  const main = path.join(folder, 'main.js');
  await writeFile(
    entry,
    "import { selfCheck } from './test/runtimes/self-check.js';\nimport { edges, vectors } from './vectors.js';\n" +
      'export const run = () => selfCheck({ ...vectors, edges });\n',
  );
  await writeFile(main, "import { run } from './program.js';\nconsole.log(JSON.stringify(await run()));\n");
  return {
    main,
    bundle: await bundle(folder, entry),
    browserKeys: await bundle(folder, path.join(folder, 'test', 'runtimes', 'browser-keys.page.js')),
  };
}

// What `npm run` hands down (npm_config_local_prefix and the like) would point the inner npm at this repository.
async function npm(cwd: string, ...args: readonly string[]): Promise<string> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(npm_(package|lifecycle|config_local_prefix)|NODE_OPTIONS$)/.test(name),
    ),
  );
  const { stdout } = await execute('npm', args, { cwd, env, maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}

async function compile(source: string, folder: string): Promise<void> {
  const text = await readFile(path.join(root, source), 'utf8');
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
    },
  });
  const target = path.join(folder, source.replace(/\.ts$/, '.js'));
  await mkdir(path.dirname(target), { recursive: true });
  await writeFile(target, outputText);
}

/** One module, as a bundler makes it for a browser. Throws if it would import anything, Node's crypto above all. */
async function bundle(folder: string, entry: string): Promise<string> {
  const [outfile, metafile] = [path.join(folder, 'bundle.js'), path.join(folder, 'bundle.json')];
  await execute(esbuild, [
    entry,
    '--bundle',
    '--format=esm',
    '--platform=browser',
    '--target=es2022',
    '--log-level=warning',
    `--outfile=${outfile}`,
    `--metafile=${metafile}`,
  ]);
  const { outputs } = JSON.parse(await readFile(metafile, 'utf8')) as {
    outputs: Record<string, { imports: { path: string }[] }>;
  };
  const imports = Object.values(outputs).flatMap((output) => output.imports.map((one) => one.path));
  const text = await readFile(outfile, 'utf8');
  const importing = /\b(?:from|import|require)\s*\(?\s*["'`](?:node:)?crypto/.exec(text);
  if (imports.length > 0 || importing !== null)
    throw new Error(`the bundle imports ${imports.join(', ') || String(importing)}`);
  return text;
}
