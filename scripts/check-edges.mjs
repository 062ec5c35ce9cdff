// Holds the import edges of the house: who may know whom. Reads imports with the TypeScript compiler's own
// scanner, types included, and lists every violation. Usage: node scripts/check-edges.mjs [repository root]
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = path.resolve(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url)));

/** The rooms of src, each with the rooms it may import; src/errors.ts is open to all. */
const ROOMS = new Map([
  ['wire', []],
  ['crypto', ['wire']],
  ['keys', ['wire', 'crypto']],
  ['envelope', ['wire', 'crypto', 'keys']],
  ['views', ['wire', 'crypto', 'keys']],
  ['record', ['wire', 'crypto', 'keys']],
  ['protocol', ['wire', 'crypto', 'keys', 'envelope']],
]);

/** What the verifier of src/record must not reach, over any number of files. */
const RECORD_ENTRY = 'src/record/index.ts';
const RECORD_FORBIDDEN = /^(src\/(envelope|views|protocol)\/|fast-xml-parser(\/|$))/;

/** @type {string[]} */
const violations = [];
/** @type {Map<string, string[]>} file of src -> what it imports: files of src, or package names as written */
const graph = new Map();
let edges = 0;

/**
 * The source files below a folder, as paths from the root with forward slashes.
 * @param {string} folder
 * @returns {string[]}
 */
function sourceFiles(folder) {
  const absolute = path.join(root, folder);
  if (!existsSync(absolute)) return [];
  return readdirSync(absolute, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.[cm]?[jt]sx?$/.test(entry.name))
    .map((entry) => fromRoot(path.join(entry.parentPath, entry.name)))
    .filter((file) => !file.includes('/node_modules/'))
    .sort();
}

/** @param {string} absolute */
function fromRoot(absolute) {
  return path.relative(root, absolute).split(path.sep).join('/');
}

/**
 * Everything a file names: imports, exports from, dynamic imports, import types, require, reference directives.
 * @param {string} file
 */
function specifiersOf(file) {
  const info = ts.preProcessFile(readFileSync(path.join(root, file), 'utf8'), true, true);
  return {
    imports: info.importedFiles.map((found) => found.fileName),
    references: [...info.referencedFiles, ...info.typeReferenceDirectives].map((found) => found.fileName),
  };
}

/** @param {string} specifier */
function isRelative(specifier) {
  return /^\.\.?(\/|$)/.test(specifier);
}

/**
 * @param {string} from
 * @param {string} specifier
 */
function resolveRelative(from, specifier) {
  return fromRoot(path.resolve(root, path.dirname(from), specifier));
}

/**
 * The room of a file of src: a room's name, 'errors' or 'front' for the two files at the top, or undefined.
 * @param {string} file
 */
function roomOf(file) {
  if (file === 'src/errors.ts') return 'errors';
  if (file === 'src/index.ts') return 'front';
  const [, room, ...rest] = file.split('/');
  return room !== undefined && rest.length > 0 && ROOMS.has(room) ? room : undefined;
}

/**
 * Why a file of src may not import another file of src, or undefined if it may.
 * @param {string} from
 * @param {string} to
 */
function refusalBetween(from, to) {
  const [fromRoom, toRoom] = [roomOf(from), roomOf(to)];
  if (fromRoom === undefined || toRoom === undefined) return 'a file outside the known rooms';
  if (toRoom === 'front') return 'the front door is for users of the library, not for its rooms';
  if (fromRoom === 'errors') return 'errors imports nothing';
  if (toRoom === 'errors') return undefined;
  if (fromRoom === toRoom) {
    return to === `src/${toRoom}/index.ts` ? 'within a room, import the file and not the index' : undefined;
  }
  if (fromRoom !== 'front' && !ROOMS.get(fromRoom)?.includes(toRoom)) {
    return `${fromRoom} may not know ${toRoom}`;
  }
  return to === `src/${toRoom}/index.ts` ? undefined : `between rooms, import src/${toRoom}/index.ts`;
}

/**
 * Why a file of src may not import a package, or undefined if it may.
 * @param {string} from
 * @param {string} specifier
 */
function refusalOfPackage(from, specifier) {
  if (specifier.startsWith('@noble/')) {
    return roomOf(from) === 'crypto' ? undefined : 'only src/crypto imports @noble';
  }
  if (/^fast-xml-parser(\/|$)/.test(specifier)) {
    return from === 'src/envelope/xml.ts' ? undefined : 'only src/envelope/xml.ts imports fast-xml-parser';
  }
  return specifier.startsWith('node:') ? 'src imports nothing of Node' : 'not a package that src may import';
}

/** @param {string} file */
function checkLibraryFile(file) {
  /** @type {string[]} */
  const targets = [];
  graph.set(file, targets);
  if (roomOf(file) === undefined) violations.push(`${file}: lies outside the known rooms of src`);

  const { imports, references } = specifiersOf(file);
  for (const specifier of references) violations.push(`${file}: reference directive to '${specifier}'`);
  for (const specifier of imports) {
    edges += 1;
    /** @type {string | undefined} */
    let refusal;
    if (!isRelative(specifier)) {
      targets.push(specifier);
      refusal = refusalOfPackage(file, specifier);
    } else {
      const target = resolveRelative(file, specifier);
      targets.push(target);
      if (!target.startsWith('src/')) refusal = 'src imports nothing outside src';
      else if (!existsSync(path.join(root, target))) refusal = 'no such file';
      else refusal = refusalBetween(file, target);
    }
    if (refusal !== undefined) violations.push(`${file}: imports '${specifier}': ${refusal}`);
  }
}

/** @param {string} file */
function checkUserFile(file) {
  const { imports, references } = specifiersOf(file);
  edges += imports.length;
  for (const specifier of [...imports, ...references]) {
    if (isRelative(specifier)) {
      if (/^(src|dist)(\/|$)/.test(resolveRelative(file, specifier))) {
        violations.push(
          `${file}: imports '${specifier}': reach the library as 'muniment' or 'muniment/<room>'`,
        );
      }
    } else if (/^([/#]|file:)/.test(specifier)) {
      violations.push(`${file}: imports '${specifier}': neither a package nor a relative path`);
    } else if (specifier.startsWith('muniment/') && !ROOMS.has(specifier.slice('muniment/'.length))) {
      violations.push(`${file}: imports '${specifier}': not a published subpath`);
    }
  }
}

/** Reports every group of files that import each other in a ring (Tarjan's strongly connected components). */
function checkCycles() {
  /** @type {Map<string, { index: number, low: number, onStack: boolean }>} */
  const seen = new Map();
  /** @type {string[]} */
  const stack = [];

  /** @param {string} file */
  const visit = (file) => {
    const own = { index: seen.size, low: seen.size, onStack: true };
    seen.set(file, own);
    stack.push(file);
    for (const target of graph.get(file) ?? []) {
      if (!graph.has(target)) continue;
      const known = seen.get(target);
      if (known === undefined) own.low = Math.min(own.low, visit(target).low);
      else if (known.onStack) own.low = Math.min(own.low, known.index);
    }
    if (own.low === own.index) {
      const ring = stack.splice(stack.indexOf(file));
      for (const member of ring) {
        const state = seen.get(member);
        if (state !== undefined) state.onStack = false;
      }
      if (ring.length > 1 || graph.get(file)?.includes(file)) {
        violations.push(`import cycle among: ${ring.sort().join(', ')}`);
      }
    }
    return own;
  };

  for (const file of graph.keys()) if (!seen.has(file)) visit(file);
}

/** Reports each forbidden file or package in the import closure of src/record, with the way that leads there. */
function checkRecordPurity() {
  if (!graph.has(RECORD_ENTRY)) {
    violations.push(`${RECORD_ENTRY}: not found, so its purity cannot be checked`);
    return;
  }
  const ways = new Map([[RECORD_ENTRY, [RECORD_ENTRY]]]);
  for (const [file, way] of ways) {
    if (RECORD_FORBIDDEN.test(file)) violations.push(`purity of record: ${way.join(' -> ')}`);
    for (const target of graph.get(file) ?? []) {
      if (!ways.has(target)) ways.set(target, [...way, target]);
    }
  }
}

const library = sourceFiles('src');
const users = ['bench', 'conformance', 'examples'].flatMap(sourceFiles);
if (library.length === 0) violations.push('src: no source file found');

for (const file of library) checkLibraryFile(file);
for (const file of users) checkUserFile(file);
checkCycles();
checkRecordPurity();

for (const violation of violations) console.error(violation);
console.log(
  `edges: ${library.length} files of src, ${users.length} of its users, ${edges} imports, ` +
    `${violations.length} violations`,
);
process.exitCode = violations.length === 0 ? 0 : 1;
