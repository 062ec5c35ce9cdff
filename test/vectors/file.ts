/** The common shape of a vector file, and how tests read one: validated against schema.json before anything else. */

import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { ErrorCode } from '../../src/errors.ts';

/** One case. Without `error` the operation succeeds with the stated results; with it, it is refused under that code. */
export interface VectorCase {
  /** Says the scenario; unique in its file. */
  readonly name: string;
  readonly error?: ErrorCode;
}

/** One file. */
export interface VectorFile<Case extends VectorCase = VectorCase> {
  readonly description: string;
  /** The document that explains the operations, from the root of the repository. */
  readonly spec: string;
  readonly cases: readonly Case[];
}

/** The cases of one operation. */
export type CaseOf<Case extends { readonly operation: string }, Operation extends string> = Extract<
  Case,
  { readonly operation: Operation }
>;

/** The compiled schema of all vector files. */
export function vectorSchema(): ValidateFunction {
  return (validate ??= new Ajv2020({ allErrors: false, strict: true, strictRequired: false }).compile(
    JSON.parse(readFileSync(new URL('schema.json', import.meta.url), 'utf8')),
  ));
}

let validate: ValidateFunction | undefined;

/**
 * Reads test/vectors/<name>.json.
 *
 * @throws `Error` if the file does not follow schema.json or two of its cases share a name
 */
export function readVectors<Case extends VectorCase>(name: string): VectorFile<Case> {
  const file: unknown = JSON.parse(readFileSync(new URL(`${name}.json`, import.meta.url), 'utf8'));
  const schema = vectorSchema();
  if (!schema(file)) throw new Error(`${name}.json: ${JSON.stringify(schema.errors)}`);
  const vectors = file as VectorFile<Case>;
  const names = vectors.cases.map((one) => one.name);
  const twice = names.find((one, i) => names.indexOf(one) !== i);
  if (twice !== undefined) throw new Error(`${name}.json: two cases are called '${twice}'`);
  return vectors;
}

/** The cases of one operation, typed. */
export function casesOf<Case extends VectorCase & { readonly operation: string }, Operation extends string>(
  file: VectorFile<Case>,
  operation: Operation,
): CaseOf<Case, Operation>[] {
  return file.cases.filter((one): one is CaseOf<Case, Operation> => one.operation === operation);
}
