/**
 * Suites against the `openssl` program, where there is one: elsewhere they are skipped with a notice, and fail if
 * MUNIMENT_REQUIRE_CORPORA is set, as suites over the corpora do.
 */

import { spawnSync } from 'node:child_process';
import { describe, it } from 'vitest';

const { MUNIMENT_REQUIRE_CORPORA = '' } = process.env;
const present = MUNIMENT_REQUIRE_CORPORA !== '' || spawnSync('openssl', ['version']).status === 0;
if (!present) console.warn('openssl: its suites are skipped, there is no such program');

/** A suite that runs `openssl`. */
export const describeOpenSsl: typeof describe | typeof describe.skip = present ? describe : describe.skip;

/** One test that runs `openssl`. */
export const itOpenSsl: typeof it | typeof it.skip = present ? it : it.skip;
