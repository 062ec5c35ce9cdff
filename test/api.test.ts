/** What the doors of the library let out: nothing that verifies or opens answers with yes or no. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const DOORS = [
  'index',
  'wire/index',
  'crypto/index',
  'keys/index',
  'envelope/index',
  'protocol/index',
  'views/index',
  'record/index',
];
const pathOf = (door: string): string => fileURLToPath(new URL(`../src/${door}.ts`, import.meta.url));

const { compilerOptions } = ts.parseConfigFileTextToJson(
  'tsconfig.json',
  readFileSync(new URL('../tsconfig.json', import.meta.url), 'utf8'),
).config as { compilerOptions: Record<string, unknown> };
const { options } = ts.convertCompilerOptionsFromJson(
  compilerOptions,
  fileURLToPath(new URL('..', import.meta.url)),
);
const program = ts.createProgram(DOORS.map(pathOf), options);
const checker = program.getTypeChecker();

/** The functions that a door exports, with the types of what they answer, promises taken off. */
function answers(door: string): [string, ts.Type][] {
  const module = checker.getSymbolAtLocation(program.getSourceFile(pathOf(door))!)!;
  return checker.getExportsOfModule(module).flatMap((exported) => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    if (symbol.valueDeclaration === undefined) return [];
    const type = checker.getTypeOfSymbolAtLocation(symbol, symbol.valueDeclaration);
    return type.getCallSignatures().map((signature): [string, ts.Type] => {
      const answer = signature.getReturnType();
      return [exported.name, checker.getAwaitedType(answer) ?? answer];
    });
  });
}

const mayBeBoolean = (type: ts.Type): boolean =>
  type.isUnion() ? type.types.some(mayBeBoolean) : (type.flags & ts.TypeFlags.BooleanLike) !== 0;

describe.each(DOORS)('%s', (door) => {
  it('has no function that verifies, opens, reads or decodes to a boolean', () => {
    const checked = answers(door).filter(([name]) =>
      /^(verify|open|read|decode|check)|(Open|Verify)$/.test(name),
    );
    expect(checked.filter(([, type]) => mayBeBoolean(type)).map(([name]) => name)).toEqual([]);
  });
});

it('sees the functions that it judges, and knows a boolean', () => {
  const views = answers('views/index').map(([name]) => name);
  expect(views).toEqual(expect.arrayContaining(['open', 'openGrant', 'verifyGrant', 'verifySealed']));
  const record = answers('record/index').map(([name]) => name);
  expect(record).toEqual(expect.arrayContaining(['verifyChain', 'verifyExport', 'verifyReceipt']));
  const booleans = DOORS.flatMap(answers).filter(([, type]) => mayBeBoolean(type));
  // Comparisons, questions about roles, and a JSON value that may be one: about what is in hand already.
  expect([...new Set(booleans.map(([name]) => name))].sort()).toEqual([
    'equalBytes',
    'equalSecrets',
    'hasRole',
    'jsonValue',
    'sameHead',
  ]);
});
