/** Which implementation each operation runs on in this runtime. spec/crypto.md, "Backends". */

import { isNative, mayUseWebCrypto } from './backend.ts';
import { portable } from './portable.ts';
import type { Operation } from './primitives.ts';
import { webAlgorithm, type WebOperation } from './webcrypto.ts';

/** Where an operation runs: `@noble` on any engine, the platform at once, or the platform's WebCrypto for callers that may wait. */
export type Implementation = 'noble' | 'node:crypto' | 'WebCrypto';

/** Every operation, and where it runs. */
export type BackendReport = Readonly<Record<Operation, Implementation>>;

/**
 * Says which implementation each operation runs on here: for the table in the docs, for logs, for whoever wonders why
 * something is slow.
 *
 * @example
 * ```ts
 * import { backendReport } from 'muniment/crypto';
 * (await backendReport()).ed25519; // 'node:crypto' on Node
 * ```
 */
export async function backendReport(): Promise<BackendReport> {
  const names = Object.keys(portable) as Operation[];
  const found = await Promise.all(names.map(async (name) => [name, await implementationOf(name)] as const));
  return Object.fromEntries(found) as unknown as BackendReport; // one entry a name of Primitives, as just made
}

async function implementationOf(name: Operation): Promise<Implementation> {
  if (isNative(name)) return 'node:crypto';
  return isWeb(name) && mayUseWebCrypto(name) && (await webAlgorithm(name)) !== null ? 'WebCrypto' : 'noble';
}

const WEB_OPERATIONS: readonly Operation[] = ['ed25519', 'es256', 'x25519', 'p256'] satisfies WebOperation[];

function isWeb(name: Operation): name is WebOperation {
  return WEB_OPERATIONS.includes(name);
}
