/** `check` on both engines: a bank that was written as it must be, and then every table and column in the hands of whoever owns the machine. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkBank } from '../../../examples/admin/check/check.ts';
import { readTrust } from '../../../examples/admin/check/config.ts';
import type { Checked } from '../../../examples/admin/check/findings.ts';
import { run } from '../../../examples/admin/program.ts';
import { ENGINES } from '../store/engines.ts';
import { ownerOf, type Owner } from './owner.ts';
import { playedWorld, type PlayedWorld } from './played.ts';
import {
  columnTamperings,
  deletions,
  hiddenTamperings,
  otherTamperings,
  type Tampering,
} from './tampering.ts';

async function admin(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const status = await run(args, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    env: {},
  });
  return { status, out, err };
}

/** The origin is that of every demo's world. */
const ALL = [...columnTamperings(), ...deletions(), ...otherTamperings('bank.demo.example/muniment')];

describe.each(ENGINES)('check on %s', (engine) => {
  let bank: PlayedWorld;
  beforeAll(async () => {
    bank = await playedWorld(engine);
  });
  afterAll(() => bank.world.end());

  it('finds nothing wrong in a bank that serves, and says how much it has looked at', async () => {
    const { status, out, err } = await admin('check', '--config', bank.configuration, '--json');
    const { counts, findings } = JSON.parse(out) as Checked;
    expect(findings).toEqual([]);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    const { content, access } = bank.played.verified.heads;
    expect(counts['entries']).toBeGreaterThan(content.size + access.size);
    for (const what of ['users', 'revocations', 'compartments', 'groups', 'attachments', 'sealed documents'])
      expect(counts[what], what).toBeGreaterThan(0);
    for (const what of ['accesses', 'requests', 'repeated requests', 'replies', 'pending documents', 'heads'])
      expect(counts[what], what).toBeGreaterThan(0);
    expect(counts['leaves']).toBe(counts['entries']);
  });

  describe('in the hands of whoever owns the machine', () => {
    let owner: Owner;
    beforeAll(async () => {
      owner = await ownerOf(bank.world);
    });
    afterAll(() => owner.close());
    const after = async ({ apply }: Pick<Tampering, 'apply'>): Promise<Checked> => {
      await apply(owner);
      try {
        return await checkBank(owner.source, readTrust(bank.configuration));
      } finally {
        await owner.undo();
      }
    };

    it.each(ALL)('finds that $name', async (tampering) => {
      const { findings } = await after(tampering);
      expect(findings.map(({ table }) => table)).toContain(tampering.found);
    });

    it('does not find what only somebody else can', async () => {
      for (const tampering of hiddenTamperings())
        expect(await after(tampering), tampering.name).toMatchObject({ wrong: 0 });
    });
  });
});
