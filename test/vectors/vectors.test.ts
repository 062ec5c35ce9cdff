/** The vectors as a product: every file follows the schema, has a generator, and the schema lets nothing unknown in. */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../src/errors.ts';
import { readVectors, vectorSchema } from './file.ts';
import { GENERATORS } from './generate.ts';
import { seededRandom } from './generators/seed.ts';
import { hex } from './hex.ts';

const NAMES = Object.keys(GENERATORS);

describe('vector files', () => {
  it('are the ones that have a generator', () => {
    const files = readdirSync(new URL('.', import.meta.url)).filter((file) => file.endsWith('.json'));
    expect(files.sort()).toEqual([...NAMES.map((name) => `${name}.json`), 'schema.json'].sort());
  });

  describe.each(NAMES)('%s', (name) => {
    it('follows the schema, and every case has its own name', () => {
      expect(readVectors(name).cases.length).toBeGreaterThan(0);
    });

    it('names a document that exists, and codes that exist', () => {
      const { spec, cases } = readVectors(name);
      expect(readFileSync(new URL(`../../${spec}`, import.meta.url), 'utf8')).toMatch(/^# /);
      for (const { error } of cases) if (error !== undefined) expect(ERROR_CODES).toHaveProperty(error);
    });

    it('is laid out as the generator lays it out', () => {
      const text = readFileSync(new URL(`${name}.json`, import.meta.url), 'utf8');
      expect(text).toBe(JSON.stringify(JSON.parse(text), null, 2) + '\n');
    });

    it('would be refused with an unknown key anywhere', () => {
      const schema = vectorSchema();
      const file = readVectors(name);
      expect(schema({ ...file, extra: 1 })).toBe(false);
      // One case of each operation stands for all of them.
      const kinds = new Map(file.cases.map((one) => [(one as { operation?: string }).operation, one]));
      for (const one of kinds.values()) {
        expect(schema({ ...file, cases: [one] })).toBe(true);
        expect(schema({ ...file, cases: [{ ...one, extra: 1 }] })).toBe(false);
      }
    });
  });
});

describe('the seeded stream', () => {
  it('is the same everywhere, and cut as it is asked for', () => {
    const [whole, parts] = [seededRandom('label'), seededRandom('label')];
    expect(hex(whole(70))).toBe(hex(parts(1)) + hex(parts(32)) + hex(parts(37)));
    expect(hex(seededRandom('label')(8))).toBe('898c106d8203b6dc');
    expect(hex(seededRandom('other')(8))).not.toBe(hex(seededRandom('label')(8)));
  });
});
