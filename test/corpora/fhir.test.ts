/** FHIR files nobody here wrote: sealed whole, they come back to the owner as the same JSON text, and to others in part. */

import { beforeAll, expect, it } from 'vitest';
import { decodeSealed, definePolicy, encodeSealed, explain } from '../../src/views/index.ts';
import { fromUtf8, jsonValue, readJson, writeJson } from '../../src/wire/index.ts';
import { createWorld, openIn, sealIn, viewIn, type World } from '../views/fixture.ts';
import { describeCorpus } from './corpora.ts';

// Somebody for everything that repeats in these files; what is said of a person directly is the team's.
const POLICY = {
  name: 'corpus/1',
  rules: [
    { fields: ['/resourceType', '/**/resource/resourceType'], readers: 'public' },
    { fields: ['/**/coding/**', '/**/code/**'], readers: ['speciality:cardiology', 'emergency'] },
    { fields: ['/**/total/**', '/**/net/**', '/**/value'], readers: ['insurer'], compartment: 'financial' },
  ],
  otherwise: ['emergency'],
} as const;

describeCorpus('fhir', (corpus) => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  const files = corpus.files('').filter((file) => file.endsWith('.json') && !file.startsWith('licences/'));

  it('are all there', () => {
    expect(files).toHaveLength(40);
    expect(files.filter((file) => corpus.bytes(file)[0] === 0xef)).toHaveLength(5);
  });

  it.each(files)('%s', async (file) => {
    // A byte order mark is no part of the JSON text; whoever must keep it keeps the file as an annex.
    const text = fromUtf8(corpus.bytes(file)).replace(/^\ufeff/, '');
    const sealed = decodeSealed(encodeSealed(await sealIn(world, text, POLICY)));
    const owner = await viewIn(world, sealed, 'root');
    expect(owner.text).toBe(withoutSpace(text));
    expect(owner.complete).toBe(true);

    const explained = explain(definePolicy(POLICY), readJson(text));
    const tokens = new Set<string>();
    for (const name of ['insurer', 'speciality:cardiology', 'emergency']) {
      const own = explained.filter(({ readers }) => readers === 'public' || readers.includes(name));
      const view = await openIn(world, sealed, name);
      expect(view?.fields.length ?? 0).toBe(own.length);
      expect(view?.fields.map((field) => field.text).sort() ?? []).toEqual(
        own.map(({ leaf }) => leaf.text).sort(),
      );
      if (view === null) continue;
      expect(view.value).toEqual(jsonValue(readJson(view.text)));
      for (const { path, text: value } of view.fields) tokens.add(`${path} ${value}`);
    }
    // What no reader but the owner and its compartments has is nothing: the union is the whole.
    const whole = owner.fields.map(({ path, text: value }) => `${path} ${value}`);
    expect([...tokens].sort()).toEqual(whole.sort());
  });

  it('keeps decimals digit for digit', async () => {
    const text = corpus.text('hl7-r4-examples/observation-decimal.json');
    const { text: restored } = await viewIn(world, await sealIn(world, text, POLICY), 'root');
    for (const decimal of ['1.00', '1E-22', '1.000000000000000000E-245'])
      expect(restored).toContain(`:${decimal}`);
    expect(writeJson(readJson(restored))).toBe(restored);
  });
});

// JSON without the white space between its tokens, by nothing but what a string is.
function withoutSpace(text: string): string {
  return text.replace(/("(?:[^"\\]|\\.)*")|[ \t\r\n]+/g, (_, string?: string) => string ?? '');
}
