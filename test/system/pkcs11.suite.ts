/** An identity in a SoftHSM token: made, opened, used, refused; in split custody; and at work in the client and the demo. */

import { createECDH, createPublicKey, randomBytes, verify } from 'node:crypto';
import { rmSync } from 'node:fs';
import { inspect } from 'node:util';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import {
  CKA,
  CKF,
  CKO,
  CKK,
  ecdh,
  ECDSA,
  GENERATE_EC,
  loadModule,
  template,
  TokenError,
  type Cryptoki,
  type Handle,
} from '../../examples/client/keystores/cryptoki.ts';
import { makeTokenKeys, openTokenKeys, removeTokenKeys } from '../../examples/client/keystores/pkcs11.ts';
import { Token } from '../../examples/client/keystores/token.ts';
import { hpkeSeal, KEM_MLKEM768_P256, KEM_P256 } from '../../src/crypto/index.ts';
import { hpkeOpenWith, verifySignature, type Decapsulator, type IdentityKeys } from '../../src/keys/index.ts';
import { tuple, utf8 } from '../../src/wire/index.ts';
import { flipped } from '../mutation.ts';
import { refusalOf } from '../refusal.ts';
import { MODULE, PIN, SoftHsm } from './softhsm.ts';

const KEPT = 'sensitive, always sensitive, never extractable, local';
const P256 = Buffer.from('06082a8648ce3d030107', 'hex');
/** Half of the order of P-256: a low s is at most this. */
const HALF_ORDER = 0x7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8n;

const hsm = new SoftHsm();
// All of them before the module is loaded, which is when SoftHSM looks for tokens.
const [, , removedFolder] = ['card', 'other', 'removed', 'twin', 'twin'].map((label) => hsm.init(label));
const opened: Token[] = [];

function openToken(label: string, access: 'read' | 'write' = 'read'): Token {
  const token = Token.open({ module: MODULE, token: label }, PIN, access);
  opened.push(token);
  return token;
}

function closeTokens(): void {
  for (const token of opened.splice(0)) token.close();
}

afterEach(closeTokens);
afterAll(() => {
  hsm.remove();
});

describe('an identity in a token', () => {
  it('is made of keys that were never outside, each with one use', async () => {
    const { keys, seeds } = makeTokenKeys(openToken('card', 'write'), 'alice', 'p256');
    expect(seeds).toBeNull();
    expect(keys.signer.algorithm).toBe('ES256');
    expect([keys.handshake.kem, keys.sealing.kem]).toEqual([KEM_P256, KEM_P256]);
    const listed = hsm.privateKeys('card').sort((a, b) => a.label.localeCompare(b.label));
    expect(listed).toEqual([
      { label: 'alice handshake', usage: 'derive', access: KEPT },
      { label: 'alice sealing', usage: 'derive', access: KEPT },
      { label: 'alice signing', usage: 'sign', access: KEPT },
    ]);

    closeTokens();
    const again = await openTokenKeys(openToken('card'), 'alice', null);
    expect(publicKeys(again)).toEqual(publicKeys(keys));
  });

  it('never gives its private values out, and never changes its uses', () => {
    openToken('card', 'write');
    raw('card', (module, session) => {
      for (const purpose of ['signing', 'handshake', 'sealing']) {
        const key = privateKey(module, session, `alice ${purpose}`);
        expect(() => module.C_GetAttributeValue(session, key, [{ type: CKA.VALUE }])).toThrow(
          'CKR_ATTRIBUTE_SENSITIVE',
        );
        for (const change of [{ EXTRACTABLE: true }, { DERIVE: true }, { SIGN: true }])
          expect(() => setAttributes(module, session, key, change)).toThrow(/CKR_/);
      }
    });
  });

  it('signs with a low s, as we and Node verify it', async () => {
    const { signer } = await openTokenKeys(openToken('card'), 'alice', null);
    const nodeKey = createPublicKey({ key: spki(signer.publicKey), format: 'der', type: 'spki' });
    for (let i = 0; i < 64; i++) {
      const message = tuple('test', i);
      const signature = await signer.sign(message);
      expect(verifySignature(signer, message, signature)).toEqual(message);
      expect(verify('sha256', message, { key: nodeKey, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true);
      expect(BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`) <= HALF_ORDER).toBe(true);
    }
  });

  it('opens what was sealed to it', async () => {
    const { handshake, sealing } = await openTokenKeys(openToken('card'), 'alice', null);
    await expectOpens(handshake);
    await expectOpens(sealing);
  });

  it('agrees on 32 bytes also where they begin with zeros', () => {
    const token = openToken('card');
    const pair = token.findPair('alice sealing', 'derive');
    const peer = createECDH('prime256v1');
    let expected;
    do {
      peer.generateKeys();
      expected = peer.computeSecret(pair.publicKey);
    } while (expected[0] !== 0);
    expect(token.derive(pair, peer.getPublicKey())).toEqual(new Uint8Array(expected));
  });

  it('answers each key pair for its own use only', () => {
    const token = openToken('card');
    const peer = createECDH('prime256v1').generateKeys();
    raw('card', (module, session) => {
      const [signing, handshake] = ['alice signing', 'alice handshake'].map((label) =>
        privateKey(module, session, label),
      ) as [Handle, Handle];
      const refused = 'CKR_KEY_FUNCTION_NOT_PERMITTED';
      expect(() => module.C_SignInit(session, ECDSA, handshake)).toThrow(refused);
      expect(() => module.C_DeriveKey(session, ecdh(peer), signing, [])).toThrow(refused);
    });
    expect(refusalByToken(() => token.findPair('alice signing', 'derive'))).toBe(
      'TOKEN_KEY: the key "alice signing" in the token is refused: it is not for one use (CKA_SIGN is not false)',
    );
  });

  it('never shows the token a point that is not on the curve', async () => {
    const { sealing } = await openTokenKeys(openToken('card'), 'alice', null);
    const derive = vi.spyOn(Token.prototype, 'derive');
    try {
      const point = createECDH('prime256v1').generateKeys();
      const compressed = Buffer.from(createECDH('prime256v1').generateKeys('hex', 'compressed'), 'hex');
      const outside: Uint8Array[] = [
        flipped(point, 64),
        flipped(point, 1),
        Buffer.concat([Uint8Array.of(4), randomBytes(64)]),
        Buffer.concat([Uint8Array.of(4), new Uint8Array(64)]),
        Buffer.concat([Uint8Array.of(6), point.subarray(1)]), // the hybrid form
        Buffer.concat([Uint8Array.of(4), new Uint8Array(64).fill(0xff)]), // coordinates beyond the field
        Uint8Array.of(0), // infinity
        compressed,
        new Uint8Array(0),
      ];
      for (const encapsulation of outside)
        expect(await refusalOf(() => sealing.decapsulate(encapsulation))).toBe('KEY_OPEN');
      expect(derive).not.toHaveBeenCalled();
      await sealing.decapsulate(point);
      expect(derive).toHaveBeenCalledTimes(1);
    } finally {
      derive.mockRestore();
    }
  });
});

describe('a key is refused', () => {
  const attempts: [string, Record<string, boolean>, string][] = [
    ['extractable', { SENSITIVE: true, EXTRACTABLE: true }, 'CKA_EXTRACTABLE is not false'],
    ['not sensitive', { SENSITIVE: false, EXTRACTABLE: false }, 'CKA_SENSITIVE is not true'],
  ];
  it.each(attempts)('that is %s', (name, secrecy, reason) => {
    const token = openToken('card', 'write');
    raw('card', (module, session) => {
      makeKey(module, session, `bad ${name}`, { ...secrecy, SIGN: true, DERIVE: false });
    });
    expect(refusalByToken(() => token.findPair(`bad ${name}`, 'sign'))).toBe(
      `TOKEN_KEY: the key "bad ${name}" in the token is refused: its private value could have left the token (${reason})`,
    );
  });

  it.each([
    ['was extractable once', 'EXTRACTABLE', true, 'CKA_NEVER_EXTRACTABLE is not true'],
    ['was not sensitive once', 'SENSITIVE', false, 'CKA_ALWAYS_SENSITIVE is not true'],
  ] as const)('that %s', (name, attribute, before, reason) => {
    const token = openToken('card', 'write');
    const made = { SENSITIVE: true, EXTRACTABLE: false, SIGN: true, DERIVE: false, [attribute]: before };
    raw('card', (module, session) => {
      setAttributes(module, session, makeKey(module, session, name, made), { [attribute]: !before });
    });
    expect(refusalByToken(() => token.findPair(name, 'sign'))).toContain(reason);
  });

  it('that was made elsewhere and brought in', () => {
    const token = openToken('card', 'write');
    const outside = createECDH('prime256v1');
    outside.generateKeys();
    raw('card', (module, session) => {
      const key = { CLASS: CKO.PRIVATE_KEY, KEY_TYPE: CKK.EC, TOKEN: true, PRIVATE: true };
      const kept = { SENSITIVE: true, EXTRACTABLE: false, SIGN: true, DERIVE: false };
      const value = { LABEL: 'brought in', EC_PARAMS: P256, VALUE: outside.getPrivateKey() };
      full(module).C_CreateObject(session, template({ ...key, ...kept, ...value }));
    });
    expect(refusalByToken(() => token.findPair('brought in', 'sign'))).toMatch(
      /could have left the token \(CKA_(ALWAYS_SENSITIVE|NEVER_EXTRACTABLE) is not true\)/,
    );
  });

  it('that has two uses', () => {
    const token = openToken('card', 'write');
    raw('card', (module, session) => {
      makeKey(module, session, 'both', { SENSITIVE: true, EXTRACTABLE: false, SIGN: true, DERIVE: true });
    });
    for (const use of ['sign', 'derive'] as const)
      expect(refusalByToken(() => token.findPair('both', use))).toContain('it is not for one use');
  });

  it('that is missing, or there twice', () => {
    const token = openToken('card', 'write');
    expect(refusalByToken(() => token.findPair('nobody signing', 'sign'))).toBe(
      'TOKEN_KEY: the token has no key "nobody signing"',
    );
    raw('card', (module, session) => {
      const made = { SENSITIVE: true, EXTRACTABLE: false, SIGN: true, DERIVE: false };
      makeKey(module, session, 'twice', made);
      makeKey(module, session, 'twice', made);
    });
    expect(refusalByToken(() => token.findPair('twice', 'sign'))).toBe(
      'TOKEN_KEY: the token has more than one key "twice"',
    );
  });

  it('of another curve', () => {
    const token = openToken('card', 'write');
    const p384 = Buffer.from('06052b81040022', 'hex');
    const use = { SENSITIVE: true, EXTRACTABLE: false, SIGN: true, DERIVE: false };
    raw('card', (module, session) => {
      makeKey(module, session, 'P-384', use, p384);
    });
    expect(refusalByToken(() => token.findPair('P-384', 'sign'))).toBe(
      'TOKEN_KEY: the key "P-384" in the token is not of P-256',
    );
  });
});

describe('making keys', () => {
  it('leaves those alone that have the name already', async () => {
    const token = openToken('card', 'write');
    const before = publicKeys(await openTokenKeys(token, 'alice', null));
    expect(refusalByToken(() => makeTokenKeys(token, 'alice', 'p256'))).toBe(
      'TOKEN_KEY: the token has a key "alice signing" already',
    );
    expect(publicKeys(await openTokenKeys(token, 'alice', null))).toEqual(before);
  });

  it('leaves nothing behind if it fails half way', () => {
    const token = openToken('card', 'write');
    token.makePair('half sealing', 'derive');
    expect(refusalByToken(() => makeTokenKeys(token, 'half', 'p256'))).toContain('already');
    expect(labels('half')).toEqual(['half sealing']);
    removeTokenKeys(token, 'half');
    expect(labels('half')).toEqual([]);
  });

  it('takes a token that was opened to write', () => {
    const token = openToken('card');
    expect(refusalByToken(() => makeTokenKeys(token, 'reader', 'p256'))).toBe(
      'TOKEN_FAILED: the token refuses: CKR_SESSION_READ_ONLY',
    );
  });
});

describe('a token does not open', () => {
  const open = (module: string, token: string, pin: string): string =>
    refusalByToken(() => opened.push(Token.open({ module, token }, pin)));

  it('with a wrong PIN', () => {
    expect(open(MODULE, 'card', '00000000')).toBe('TOKEN_PIN: wrong PIN');
    expect(open(MODULE, 'card', '1')).toBe('TOKEN_PIN: wrong PIN');
    expect(open(MODULE, 'card', PIN)).toBe('not refused');
  });

  it('twice in one process, for the second one would not be asked for its PIN', () => {
    openToken('card');
    const message = 'TOKEN_FAILED: this process has the token open already';
    expect(open(MODULE, 'card', PIN)).toBe(message);
    expect(open(MODULE, 'card', '00000000')).toBe(message);
  });

  it('that is not there, or whose label two have', () => {
    expect(open(MODULE, 'nowhere', PIN)).toBe('TOKEN_ABSENT: there is no token labelled "nowhere"');
    expect(open(MODULE, 'twin', PIN)).toBe('TOKEN_ABSENT: there is more than one token labelled "twin"');
  });

  it('without its module', () => {
    const missing = `${hsm.folder}/missing.so`;
    expect(open(missing, 'card', PIN)).toBe(`TOKEN_MODULE: the PKCS#11 module ${missing} cannot be loaded`);
  });
});

describe('split custody', () => {
  it('needs the token and the file', async () => {
    const token = openToken('card', 'write');
    const { keys, seeds } = makeTokenKeys(token, 'bob');
    expect([keys.handshake.kem, keys.sealing.kem]).toEqual([KEM_MLKEM768_P256, KEM_MLKEM768_P256]);
    const listed = hsm.privateKeys('card').filter(({ label }) => label.startsWith('bob'));
    expect(listed.map(({ label, usage }) => `${label}: ${usage}`).sort()).toEqual([
      'bob custody: derive',
      'bob handshake: derive',
      'bob sealing: derive',
      'bob signing: sign',
    ]);
    expect(new Set(listed.map(({ access }) => access))).toEqual(new Set([KEPT]));
    closeTokens();

    const again = await openTokenKeys(openToken('card'), 'bob', seeds);
    expect(publicKeys(again)).toEqual(publicKeys(keys));
    await expectOpens(again.handshake);
    await expectOpens(again.sealing);
  });

  it('does not open with a file that is altered, or belongs to the other key', async () => {
    const token = openToken('card', 'write');
    const { seeds } = makeTokenKeys(token, 'carol');
    if (seeds === null) throw new Error('split keys have seeds');
    const { handshake, sealing } = seeds;
    const last = handshake.length - 1;
    for (const bad of [sealing, flipped(handshake, last), flipped(handshake, last - 100)])
      expect(await refusalOf(() => openTokenKeys(token, 'carol', { handshake: bad, sealing }))).toBe(
        'KEY_OPEN',
      );
    for (const bad of [new Uint8Array(0), handshake.subarray(0, last), new Uint8Array(100_000)])
      expect(await refusalOf(() => openTokenKeys(token, 'carol', { handshake: bad, sealing }))).toBe(
        'KEY_FILE',
      );
    // Without the file: what is in the token is no more than the classical half.
    const classical = token.findPair('carol sealing', 'derive');
    expect(classical.publicKey.length).toBe(65);
  });

  it('does not open with another token', async () => {
    const { seeds } = makeTokenKeys(openToken('card', 'write'), 'dave');
    closeTokens();
    const other = openToken('other', 'write');
    makeTokenKeys(other, 'dave');
    expect(await refusalOf(() => openTokenKeys(other, 'dave', seeds))).toBe('KEY_OPEN');
  });

  it('does not open without the keys in the token', async () => {
    const token = openToken('card', 'write');
    const { seeds } = makeTokenKeys(token, 'erin');
    token.remove('erin custody');
    expect(await refusalByTokenOf(() => openTokenKeys(token, 'erin', seeds))).toBe(
      'TOKEN_KEY: the token has no key "erin custody"',
    );
    token.makePair('erin custody', 'derive');
    expect(await refusalOf(() => openTokenKeys(token, 'erin', seeds))).toBe('KEY_OPEN');
  });

  it('does not open a message with a classical half that was exchanged', async () => {
    const token = openToken('card', 'write');
    const { seeds } = makeTokenKeys(token, 'frank');
    token.remove('frank sealing');
    token.makePair('frank sealing', 'derive');
    expect(await refusalOf(() => openTokenKeys(token, 'frank', seeds))).toBe('KEY_OPEN');
  });
});

describe('a token that is removed while its keys are in use', () => {
  it('ends them, and says so', async () => {
    const token = openToken('removed', 'write');
    const { keys } = makeTokenKeys(token, 'gina', 'p256');
    const { encapsulation } = hpkeSeal(keys.sealing, utf8('i'), utf8('a'), utf8('p'));
    await keys.sealing.decapsulate(encapsulation);
    rmSync(removedFolder ?? '', { recursive: true });
    const gone = 'TOKEN_ABSENT: the token was removed, or its keys were';
    expect(await refusalByTokenOf(() => keys.signer.sign(utf8('m')))).toBe(gone);
    expect(await refusalByTokenOf(() => keys.sealing.decapsulate(encapsulation))).toBe(gone);
    token.close();
  });
});

/** The token's refusal; neither it nor what caused it may hold the PIN. */
function refusalByToken(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return explained(error);
  }
  return 'not refused';
}

async function refusalByTokenOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
  } catch (error) {
    return explained(error);
  }
  return 'not refused';
}

function explained(error: unknown): string {
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(PIN);
  if (!(error instanceof TokenError)) throw error;
  return `${error.code}: ${error.message}`;
}

function publicKeys({ signer, handshake, sealing }: IdentityKeys): Uint8Array[] {
  return [signer, handshake, sealing].map(({ publicKey }) => publicKey);
}

async function expectOpens(key: Decapsulator): Promise<void> {
  const [info, aad, plaintext] = [utf8('info'), utf8('aad'), utf8('plaintext')];
  const sealed = hpkeSeal(key, info, aad, plaintext);
  expect((await hpkeOpenWith(key, info, aad, sealed)).plaintext).toEqual(plaintext);
}

function labels(name: string): string[] {
  const all = hsm.privateKeys('card').map(({ label }) => label);
  return all.filter((label) => label.startsWith(`${name} `)).sort();
}

// SubjectPublicKeyInfo of a P-256 point: RFC 5480.
function spki(point: Uint8Array): Buffer {
  const header = '3059301306072a8648ce3d020106082a8648ce3d030107034200';
  return Buffer.concat([Buffer.from(header, 'hex'), point]);
}

/** What pkcs11js has and the adapter has no use for. */
interface FullCryptoki extends Cryptoki {
  C_CreateObject(session: Handle, attributes: ReturnType<typeof template>): Handle;
  C_SetAttributeValue(session: Handle, object: Handle, attributes: ReturnType<typeof template>): void;
}

function full(module: Cryptoki): FullCryptoki {
  return module as FullCryptoki;
}

/** Works past the adapter, in a session of its own on a token that is open, which is what logs it in. */
function raw(label: string, work: (module: Cryptoki, session: Handle) => void): void {
  const module = loadModule(MODULE);
  const slot = module
    .C_GetSlotList(true)
    .find((candidate) => module.C_GetTokenInfo(candidate).label.trimEnd() === label);
  if (slot === undefined) throw new Error('no such token');
  const session = module.C_OpenSession(slot, CKF.SERIAL_SESSION | CKF.RW_SESSION);
  try {
    work(module, session);
  } finally {
    module.C_CloseSession(session);
  }
}

function makeKey(
  module: Cryptoki,
  session: Handle,
  label: string,
  attributes: Parameters<typeof template>[0],
  curve = P256,
): Handle {
  const names = { TOKEN: true, LABEL: label, ID: randomBytes(16) };
  return module.C_GenerateKeyPair(
    session,
    GENERATE_EC,
    template({ ...names, EC_PARAMS: curve, VERIFY: true }),
    template({ ...names, PRIVATE: true, DECRYPT: false, UNWRAP: false, ...attributes }),
  ).privateKey;
}

function setAttributes(
  module: Cryptoki,
  session: Handle,
  key: Handle,
  attributes: Parameters<typeof template>[0],
): void {
  full(module).C_SetAttributeValue(session, key, template(attributes));
}

function privateKey(module: Cryptoki, session: Handle, label: string): Handle {
  module.C_FindObjectsInit(session, template({ CLASS: CKO.PRIVATE_KEY, LABEL: label }));
  const [found] = module.C_FindObjects(session, 2);
  module.C_FindObjectsFinal(session);
  if (found === undefined) throw new Error('no such key');
  return found;
}
