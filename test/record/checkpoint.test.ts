/** Checkpoints as signed notes: our own, altered ones, and those of others. */

import { beforeAll, describe, expect, it } from 'vitest';
import { KEM_X25519 } from '../../src/crypto/index.ts';
import { createKeys, type SigningPublicKey } from '../../src/keys/index.ts';
import { CHECKPOINT_LIMIT, Log, signCheckpoint, verifyCheckpoint } from '../../src/record/index.ts';
import { describeCorpus } from '../corpora/corpora.ts';
import { refusal } from '../refusal.ts';
import { seededRandom } from '../vectors/generators/seed.ts';

const ORIGIN = 'bank.example/log';
const signerOf = (label: string): ReturnType<typeof createKeys>['signer'] =>
  createKeys({ kem: KEM_X25519, random: seededRandom(label) }).signer;
const signer = signerOf('checkpoint');
const other = signerOf('another log');
const head = { size: 20_852_163, root: seededRandom('checkpoint root')(32) };
const log = { origin: ORIGIN, key: signer };
const refused = (note: string, at: Parameters<typeof verifyCheckpoint>[1] = log): void => {
  expect(
    refusal(() => verifyCheckpoint(note, at)),
    note,
  ).toBe('RECORD_CHECKPOINT');
};
let note: string;
beforeAll(async () => (note = await signCheckpoint(signer, ORIGIN, head)));

/** A note over any text, signed as the log would. */
async function noteOf(text: string, origin = ORIGIN): Promise<string> {
  const line = (await signCheckpoint(signer, origin, head)).split('\n').at(-2)!;
  const id = Buffer.from(line.split(' ')[2]!, 'base64').subarray(0, 4);
  const signature = Buffer.concat([id, await signer.sign(new TextEncoder().encode(text))]);
  return `${text}\n— ${origin} ${signature.toString('base64')}\n`;
}

describe('a checkpoint', () => {
  it('is a note of three lines and a signature', () => {
    const [origin, size, root, empty, line, end] = note.split('\n');
    expect([origin, size, empty, end]).toEqual([ORIGIN, '20852163', '', '']);
    expect(Buffer.from(root!, 'base64')).toEqual(Buffer.from(head.root));
    expect(line).toMatch(/^— bank\.example\/log [A-Za-z0-9+/]{91}=$/);
    expect(verifyCheckpoint(note, log)).toEqual(head);
  });

  it('may be of an empty log, and of the largest', async () => {
    for (const size of [0, Number.MAX_SAFE_INTEGER]) {
      const one = { size, root: head.root };
      expect(verifyCheckpoint(await signCheckpoint(signer, ORIGIN, one), log)).toEqual(one);
    }
  });

  it('is refused with any character changed', () => {
    for (let at = 0; at < note.length; at++) {
      for (const character of ['A', '0', '\n', ' ']) {
        if (note[at] !== character) refused(note.slice(0, at) + character + note.slice(at + 1));
      }
      refused(note.slice(0, at) + note.slice(at + 1));
      refused(note.slice(0, at));
    }
  });

  it('is refused under another origin or key', async () => {
    refused(note, { ...log, origin: 'bank.example/other' });
    refused(note, { ...log, key: other });
    refused(await signCheckpoint(other, ORIGIN, head));
    refused(note.replaceAll(ORIGIN, 'bank.example/other'), { ...log, origin: 'bank.example/other' });
    const key: SigningPublicKey = { algorithm: 'ECDSA', publicKey: signer.publicKey };
    refused(note, { ...log, key });
  });

  it('passes lines of other keys over, before and after its own', async () => {
    const [body, own] = [note.split('\n\n')[0]!, note.split('\n').at(-2)!];
    const foreign = (await signCheckpoint(other, 'witness.example/w', head)).split('\n').at(-2)!;
    const twin = (await signCheckpoint(other, ORIGIN, head)).split('\n').at(-2)!;
    for (const lines of [
      [foreign, own],
      [own, foreign],
      [twin, own, foreign, foreign],
    ])
      expect(verifyCheckpoint(`${body}\n\n${lines.join('\n')}\n`, log)).toEqual(head);
    for (const lines of [
      [foreign],
      [twin],
      [own, own],
      [own, 'Unexpected line.'],
      [own, ''],
      [own, '— Bad Name x08go/ZJ'],
      [own, '— bad+name x08go/ZJ'],
      [own, '— name'],
      [own, '— name !'],
      [own, '- name x08go/ZJ'],
    ])
      refused(`${body}\n\n${lines.join('\n')}\n`);
  });

  it('is refused malformed even where the log signed it', async () => {
    const root = Buffer.from(head.root).toString('base64');
    expect(verifyCheckpoint(await noteOf(`${ORIGIN}\n1\n${root}\nextension é\n`), log).size).toBe(1);
    for (const text of [
      `${ORIGIN}\n1\n`,
      `${ORIGIN}\n01\n${root}\n`,
      `${ORIGIN}\n-1\n${root}\n`,
      `${ORIGIN}\n+1\n${root}\n`,
      `${ORIGIN}\n1.0\n${root}\n`,
      `${ORIGIN}\n0x1\n${root}\n`,
      `${ORIGIN}\n\n${root}\n`,
      `${ORIGIN}\n9007199254740992\n${root}\n`,
      `${ORIGIN}\n99999999999999999\n${root}\n`,
      `${ORIGIN}\n1\n${root.slice(0, -4)}\n`,
      `${ORIGIN}\n1\n${root}AAAA\n`,
      `${ORIGIN}\n1\n${root.replace('=', '')}\n`,
      `${ORIGIN}\n1\n${root} \n`,
      `bank.example/other\n1\n${root}\n`,
      `\n1\n${root}\n`,
      `${ORIGIN}\n1\n${root}\n\u0001\n`,
      `${ORIGIN}\n1\n${root}\n\t\n`,
      `${ORIGIN}\r\n1\r\n${root}\r\n`,
    ])
      refused(await noteOf(text));
    refused(await noteOf(`${ORIGIN}\n1\n${root}\n${'x'.repeat(CHECKPOINT_LIMIT)}\n`));
    refused('');
    refused('\n\n');
  });

  it('is signed under a name that a note may carry', async () => {
    for (const origin of ['', 'a b', 'a+b', 'é', 'a\nb', 'x'.repeat(129)])
      await expect(signCheckpoint(signer, origin, head)).rejects.toThrow(RangeError);
  });
});

function keyOf(vkey: string): { readonly origin: string; readonly key: SigningPublicKey } {
  const [origin, , ...rest] = vkey.trim().split('+');
  const key = Buffer.from(rest.join('+'), 'base64');
  return { origin: origin!, key: { algorithm: 'Ed25519', publicKey: new Uint8Array(key.subarray(1)) } };
}

describeCorpus('tlog', (corpus) => {
  const read = (file: string): Buffer => Buffer.from(corpus.bytes(file));

  it('a real little log: sixteen checkpoints, each the root over its entries', () => {
    const tessera = keyOf(read('tessera-log/vkey.txt').toString());
    const growing = new Log();
    const texts = Array.from({ length: 16 }, (_, size) => read(`tessera-log/checkpoint.${size}`).toString());
    const bundle = read('tessera-log/tile/entries/000.p/15');
    const entries: Uint8Array[] = [];
    for (let at = 0; at < bundle.length;) {
      const length = bundle.readUInt16BE(at);
      entries.push(new Uint8Array(bundle.subarray(at + 2, at + 2 + length)));
      at += 2 + length;
    }
    expect(entries).toHaveLength(15);
    texts.forEach((text, size) => {
      const verified = verifyCheckpoint(text, tessera);
      expect(verified).toEqual({ size, root: growing.root() });
      const entry = entries[size];
      if (entry !== undefined) growing.append(entry);
      // Another one's signature, another log's key.
      const swapped = text.split('\n\n')[0]! + '\n\n' + texts[(size + 1) % 16]!.split('\n\n')[1]!;
      refused(swapped, tessera);
      refused(text, { ...tessera, key: signer });
    });
  });

  it('notes: none that is to be refused gets through, nor is one a checkpoint', () => {
    const { open } = JSON.parse(read('notes/sumdb-note.json').toString()) as {
      open: { id: string; verifiers: string[]; note_b64: string; expect: string }[];
    };
    expect(open).toHaveLength(19);
    for (const { verifiers, note_b64 } of open)
      for (const verifier of verifiers) refused(Buffer.from(note_b64, 'base64').toString(), keyOf(verifier));
    // An ECDSA log's checkpoint: a key of an unknown type.
    const { rome } = JSON.parse(read('notes/ct-real-logs.json').toString()) as {
      rome: { vkey: string; checkpoint: string };
    };
    refused(rome.checkpoint, { origin: keyOf(rome.vkey).origin, key: signer });
  });

  it('bodies: the forms that are good, with a root of 32 bytes', async () => {
    const { cases } = JSON.parse(read('notes/checkpoint-body.json').toString()) as {
      cases: {
        desc: string;
        body: string;
        expect: string;
        origin?: string;
        size?: string;
        hash_b64?: string;
      }[];
    };
    let good = 0;
    for (const { desc, body, expect: wanted, origin = 'Log', size, hash_b64 } of cases) {
      if (origin.includes(' ')) continue; // a key's name has no spaces, and here it is the origin
      const root = Buffer.from(head.root).toString('base64');
      const text = hash_b64 === undefined ? body : body.replace(hash_b64, root);
      const signed = await noteOf(text, origin);
      if (wanted === 'reject') {
        refused(signed, { ...log, origin });
      } else {
        good++;
        expect(verifyCheckpoint(signed, { ...log, origin }), desc).toEqual({
          size: Number(size),
          root: head.root,
        });
        refused(await noteOf(body, origin), { ...log, origin });
      }
    }
    expect(good).toBe(5);
  });
});
