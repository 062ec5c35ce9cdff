/** The primitives of `muniment/crypto` beside the bare platform calls that do the same. */

import { createHash, createHmac } from 'node:crypto';
import { hmac, sha256, systemRandom } from 'muniment/crypto';
import type { Contest } from '../measure.ts';

export function* crypto(): Generator<Contest> {
  const key = systemRandom(32);
  for (const length of [64, 1024, 65_536]) {
    const bytes = systemRandom(length);
    const rows = {
      bare: { run: () => createHash('sha256').update(bytes).digest() },
      portable: { run: () => sha256(bytes) },
    };
    yield { name: `SHA-256 ${length} B`, baseline: 'bare', rows };
  }
  const rows = {
    bare: { run: () => createHmac('sha256', key).update(key).digest() },
    portable: { run: () => hmac(key, key) },
  };
  yield { name: 'HMAC-SHA256 32 B', baseline: 'bare', rows };
}
