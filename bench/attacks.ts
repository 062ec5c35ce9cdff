/** Documents made to hurt whoever reads XML: the corpus beside this repository, and those that the tests generate. */

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { attackDocuments, type AttackDocument } from '../test/envelope/attack-documents.ts';

const CORPUS = new URL('../../shared/corpora/xml-attacks/', import.meta.url);

export function attacks(): AttackDocument[] {
  return [...corpus(), ...attackDocuments()];
}

/** Nothing where the corpus is absent, unless the environment says that it must be there. */
function corpus(): AttackDocument[] {
  if (!existsSync(CORPUS)) {
    const { MUNIMENT_REQUIRE_CORPORA: required } = process.env;
    if (required === undefined || required === '') return [];
    throw new Error(`${fileURLToPath(CORPUS)} is absent`);
  }
  const { files } = JSON.parse(readFileSync(new URL('index.json', CORPUS), 'utf8')) as {
    files: { file: string }[];
  };
  return files.map(({ file }) => ({
    name: file,
    document: () => new Uint8Array(readFileSync(new URL(file, CORPUS))),
  }));
}
