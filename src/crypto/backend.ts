/**
 * Which implementation an operation runs on: the platform's own where there is one and it gives the right answers,
 * `@noble` everywhere else. Chosen once for each operation, when it is first used, by trying it. spec/crypto.md, "Backends".
 */

import { nodePrimitives } from './node.ts';
import { portable } from './portable.ts';
import type { Operation, Primitives } from './primitives.ts';
import { answersRightly } from './probes.ts';

/** Where operations run. */
export type BackendName = 'portable' | 'node' | 'webcrypto';

let forced: BackendName | null = null;
let platform: Partial<Primitives> | null | undefined;
let chosen: Partial<Primitives> = {};

/** The implementation of an operation that this runtime uses. */
export function primitive<Name extends Operation>(name: Name): Primitives[Name] {
  // Each name holds its own type; that one table has them all is more than the compiler can follow.
  return (chosen[name] ?? choose(name)) as Primitives[Name];
}

/** Whether an operation runs on the platform's own code, at once. */
export function isNative(name: Operation): boolean {
  return primitive(name) !== portable[name];
}

/** Whether an operation that may wait is to try WebCrypto: where nothing better runs at once. */
export function mayUseWebCrypto(name: Operation): boolean {
  return forced === 'webcrypto' || (forced === null && !isNative(name));
}

/**
 * Makes every operation from now on run on one backend. **For tests and benchmarks only**: keys that were imported
 * before stay where they are.
 *
 * @param name - a backend, or `null` for the choice that the library makes by itself
 * @throws `RangeError` for `node` where there is no `node:crypto`
 */
export function forceBackend(name: BackendName | null): void {
  platform ??= nodePrimitives();
  if (name === 'node' && platform === null) throw new RangeError('there is no node:crypto here');
  forced = name;
  chosen = {};
}

function choose(name: Operation): Primitives[Operation] {
  platform ??= nodePrimitives();
  const native = forced === null || forced === 'node' ? platform : null;
  const found = native !== null && answersRightly(native, name) ? native[name] : undefined;
  const implementation = found ?? portable[name];
  chosen = { ...chosen, [name]: implementation };
  return implementation;
}
