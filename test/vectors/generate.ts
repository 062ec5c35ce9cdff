/**
 * Writes test/vectors/<name>.json, one file for each generator. Deterministic: a second run changes nothing, which
 * `npm run vectors:check` holds. To add a file, write generators/<name>.ts, import it and give it a line in the list;
 * then describe its cases in schema.json and README.md.
 */

import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { VectorFile } from './file.ts';
import * as authority from './generators/authority.ts';
import * as crypto from './generators/crypto.ts';
import * as encodings from './generators/encodings.ts';
import * as custody from './generators/custody.ts';
import * as envelope from './generators/envelope.ts';
import * as fraud from './generators/fraud.ts';
import * as log from './generators/log.ts';
import * as keys from './generators/keys.ts';
import * as protocol from './generators/protocol.ts';
import * as record from './generators/record.ts';
import * as views from './generators/views.ts';
import * as wire from './generators/wire.ts';

interface Generator {
  generate(): VectorFile | Promise<VectorFile>;
}

/** Every vector file, by name. */
export const GENERATORS: Readonly<Record<string, Generator>> = {
  authority,
  crypto,
  encodings,
  custody,
  envelope,
  fraud,
  keys,
  log,
  protocol,
  record,
  views,
  wire,
};

/** The text of one vector file. */
export async function vectorText(generator: Generator): Promise<string> {
  return JSON.stringify(await generator.generate(), null, 2) + '\n';
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [name, generator] of Object.entries(GENERATORS)) {
    writeFileSync(new URL(`${name}.json`, import.meta.url), await vectorText(generator));
  }
}
