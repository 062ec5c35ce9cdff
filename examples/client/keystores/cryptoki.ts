/** PKCS#11 v2.40, as little of it as P-256 keys need: the numbers, the module, and what its errors mean to people. */

import { createRequire } from 'node:module';

/** A slot, session or object, opaque. */
export type Handle = Buffer;

/** An attribute to set or to look for. */
export interface Attribute {
  readonly type: number;
  readonly value: number | boolean | string | Buffer;
}

/** A mechanism; the parameter is that of ECDH. */
export interface Mechanism {
  readonly mechanism: number;
  readonly parameter?: { readonly type: number; readonly kdf: number; readonly publicData: Buffer };
}

/** A PKCS#11 module, as the package pkcs11js shows it. Every function throws an error whose message is the name of a `CKR_` code. */
export interface Cryptoki {
  load(path: string): void;
  C_Initialize(options: { flags: number }): void;
  C_GetSlotList(tokenPresent: boolean): Handle[];
  C_GetTokenInfo(slot: Handle): { label: string; flags: number };
  C_OpenSession(slot: Handle, flags: number): Handle;
  C_CloseSession(session: Handle): void;
  C_Login(session: Handle, userType: number, pin: string): void;
  C_Logout(session: Handle): void;
  C_GenerateKeyPair(
    session: Handle,
    mechanism: Mechanism,
    publicTemplate: readonly Attribute[],
    privateTemplate: readonly Attribute[],
  ): { publicKey: Handle; privateKey: Handle };
  C_FindObjectsInit(session: Handle, template: readonly Attribute[]): void;
  C_FindObjects(session: Handle, most: number): Handle[];
  C_FindObjectsFinal(session: Handle): void;
  C_GetAttributeValue(
    session: Handle,
    object: Handle,
    template: readonly { type: number }[],
  ): { value: Buffer }[];
  C_DestroyObject(session: Handle, object: Handle): void;
  C_SignInit(session: Handle, mechanism: Mechanism, key: Handle): void;
  C_Sign(session: Handle, data: Buffer, signature: Buffer): Buffer;
  C_DeriveKey(session: Handle, mechanism: Mechanism, key: Handle, template: readonly Attribute[]): Handle;
}

/** Numbers of the standard, by its names. */
export const CKF = {
  OS_LOCKING_OK: 0x2,
  RW_SESSION: 0x2,
  SERIAL_SESSION: 0x4,
  USER_PIN_FINAL_TRY: 0x20000,
} as const;
export const CKU_USER = 1;
export const CKO = { PUBLIC_KEY: 2, PRIVATE_KEY: 3, SECRET_KEY: 4 } as const;
export const CKK = { EC: 3, GENERIC_SECRET: 16 } as const;
export const CKA = {
  CLASS: 0x0,
  TOKEN: 0x1,
  PRIVATE: 0x2,
  LABEL: 0x3,
  VALUE: 0x11,
  KEY_TYPE: 0x100,
  ID: 0x102,
  SENSITIVE: 0x103,
  DECRYPT: 0x105,
  UNWRAP: 0x107,
  SIGN: 0x108,
  SIGN_RECOVER: 0x109,
  VERIFY: 0x10a,
  DERIVE: 0x10c,
  VALUE_LEN: 0x161,
  EXTRACTABLE: 0x162,
  NEVER_EXTRACTABLE: 0x164,
  ALWAYS_SENSITIVE: 0x165,
  MODIFIABLE: 0x170,
  EC_PARAMS: 0x180,
  EC_POINT: 0x181,
} as const;
const CKD_NULL = 1;
/** How pkcs11js is told that a parameter is ECDH's. */
const CK_PARAMS_EC_DH = 6;

export const GENERATE_EC: Mechanism = { mechanism: 0x1040 };
/** ECDSA over a digest that the caller made. */
export const ECDSA: Mechanism = { mechanism: 0x1041 };

/** ECDH with a peer's uncompressed point; the result is the x coordinate as it is. */
export function ecdh(peer: Uint8Array): Mechanism {
  const parameter = { type: CK_PARAMS_EC_DH, kdf: CKD_NULL, publicData: Buffer.from(peer) };
  return { mechanism: 0x1050, parameter };
}

/** The name of an attribute, without its prefix. */
export type AttributeName = keyof typeof CKA;

/** Attributes by name, as the module takes them. */
export function template(values: Partial<Record<AttributeName, Attribute['value']>>): Attribute[] {
  return Object.entries(values).map(([name, value]) => ({ type: CKA[name as AttributeName], value }));
}

/**
 * Why a token cannot be used: the driver package is not installed, the module does not load, the token is not
 * there (any more), its PIN is wrong or locked, a key is missing or not as it must be, or the token said no.
 */
export type TokenErrorCode =
  'TOKEN_DRIVER' | 'TOKEN_MODULE' | 'TOKEN_ABSENT' | 'TOKEN_PIN' | 'TOKEN_KEY' | 'TOKEN_FAILED';

/** A token that cannot be used. Its message is for people, and never holds a PIN. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
  readonly code: TokenErrorCode;

  constructor(code: TokenErrorCode, message: string, options?: { cause: unknown }) {
    super(message, options);
    this.code = code;
  }
}

// A second C_Initialize fails, and C_Finalize would end everybody else's sessions: modules stay until the process ends.
const loaded = new Map<string, Cryptoki>();

/**
 * Loads a PKCS#11 module, once in a process. A module is native code with all of this process's rights: name none
 * that is not trusted.
 *
 * @param path - of the module, such as `/usr/lib/softhsm/libsofthsm2.so`
 */
export function loadModule(path: string): Cryptoki {
  const known = loaded.get(path);
  if (known !== undefined) return known;
  const module = loadDriver();
  try {
    module.load(path);
    module.C_Initialize({ flags: CKF.OS_LOCKING_OK });
  } catch (cause) {
    throw new TokenError('TOKEN_MODULE', `the PKCS#11 module ${path} cannot be loaded`, { cause });
  }
  loaded.set(path, module);
  return module;
}

// Required, not imported: it compiles at install and is therefore no dependency, so there may be no types to import.
function loadDriver(): Cryptoki {
  try {
    const { PKCS11 } = createRequire(import.meta.url)('pkcs11js') as { PKCS11: new () => Cryptoki };
    return new PKCS11();
  } catch (cause) {
    const remedy = 'npm install --no-save pkcs11js@2.1.7';
    throw new TokenError('TOKEN_DRIVER', `tokens need the package pkcs11js: ${remedy}`, { cause });
  }
}

/** Calls the module, and turns its errors into {@link TokenError}. */
export function attempt<Result>(call: () => Result): Result {
  try {
    return call();
  } catch (cause) {
    if (cause instanceof TokenError) throw cause;
    const reason = cause instanceof Error ? cause.message : '';
    const [code, message] = MEANINGS[reason] ?? ['TOKEN_FAILED', `the token refuses: ${reason}`];
    throw new TokenError(code, message, { cause });
  }
}

const GONE = ['TOKEN_ABSENT', 'the token was removed, or its keys were'] as const;
const WRONG_PIN = ['TOKEN_PIN', 'wrong PIN'] as const;
const MEANINGS: Readonly<Record<string, readonly [TokenErrorCode, string]>> = {
  CKR_PIN_INCORRECT: WRONG_PIN,
  CKR_PIN_INVALID: WRONG_PIN,
  CKR_PIN_LEN_RANGE: WRONG_PIN,
  CKR_PIN_LOCKED: ['TOKEN_PIN', 'the PIN is locked'],
  CKR_DEVICE_REMOVED: GONE,
  CKR_DEVICE_ERROR: GONE,
  CKR_KEY_HANDLE_INVALID: GONE,
  CKR_OBJECT_HANDLE_INVALID: GONE,
  CKR_SESSION_CLOSED: GONE,
  CKR_SESSION_HANDLE_INVALID: GONE,
  CKR_TOKEN_NOT_PRESENT: GONE,
  CKR_USER_ALREADY_LOGGED_IN: ['TOKEN_FAILED', 'this process has the token open already'],
  CKR_MECHANISM_INVALID: ['TOKEN_FAILED', 'the token does not know P-256'],
};
