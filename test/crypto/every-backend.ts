/**
 * Suites that run on each backend in turn. A backend that does not bring an operation here is not counted a second
 * time under another name: it is asserted to report the portable code, and the suite does not run on it.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  backendReport,
  forceBackend,
  type BackendName,
  type BackendReport,
  type Implementation,
} from '../../src/crypto/index.ts';
import { portable } from '../../src/crypto/portable.ts';
import type { Operation } from '../../src/crypto/primitives.ts';

const BACKENDS: readonly BackendName[] = ['portable', 'node', 'webcrypto'];
const IMPLEMENTATIONS: Record<BackendName, Implementation> = {
  portable: 'noble',
  node: 'node:crypto',
  webcrypto: 'WebCrypto',
};

const OPERATIONS = Object.keys(portable) as Operation[];
const CURVES: readonly Operation[] = ['x25519', 'p256', 'ed25519', 'es256'];
const LATTICES: readonly Operation[] = ['mlDsa44', 'mlDsa65', 'mlKem768'];

// What each backend is to bring in this version of Node. ML-KEM came with 24.7, an ML-DSA that heeds its context with 24.8.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const BRINGS: Record<BackendName, readonly Operation[]> = {
  portable: [],
  node: OPERATIONS.filter((name) => {
    if (!LATTICES.includes(name)) return true;
    return major > 24 || (major === 24 && minor >= (name === 'mlKem768' ? 7 : 8));
  }),
  webcrypto: CURVES,
};

/** The backends that bring at least one of these operations of their own, and the portable one. */
export function backendsWith(operations: readonly Operation[]): BackendName[] {
  return BACKENDS.filter(
    (backend) => backend === 'portable' || operations.some((name) => BRINGS[backend].includes(name)),
  );
}

/** A suite on every backend that brings at least one of these operations; the others are asserted to lack them all. */
export function onEveryBackend(
  operations: readonly Operation[],
  suite: (backend: BackendName) => void,
): void {
  for (const backend of BACKENDS)
    describe(`on ${backend}`, () => {
      beforeAll(() => forceBackend(backend));
      afterAll(() => forceBackend(null));
      it('reports what it brings, and the portable code for the rest', async () => {
        expect(await backendReport()).toEqual(reportOf(backend));
      });
      if (backendsWith(operations).includes(backend)) suite(backend);
    });
}

/** What `run` gives on each backend that brings one of these operations; the choice that was before is restored to the library's own. */
export async function eachBackend<Result>(
  operations: readonly Operation[],
  run: (backend: BackendName) => Promise<Result>,
): Promise<Map<BackendName, Result>> {
  const results = new Map<BackendName, Result>();
  try {
    for (const backend of backendsWith(operations)) {
      forceBackend(backend);
      results.set(backend, await run(backend));
    }
  } finally {
    forceBackend(null);
  }
  return results;
}

/** What {@link backendReport} is to say while a backend is forced. */
function reportOf(backend: BackendName): BackendReport {
  const said = OPERATIONS.map((name) => [
    name,
    BRINGS[backend].includes(name) ? IMPLEMENTATIONS[backend] : 'noble',
  ]);
  return Object.fromEntries(said) as BackendReport;
}
