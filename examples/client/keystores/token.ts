/**
 * A PKCS#11 token: found by its label, opened with its PIN, and asked to make and use P-256 key pairs whose private
 * values it never gives out. docs/keystores.md, "PKCS#11".
 *
 * Calls are synchronous. A session holds one operation at a time, so two signatures must not interleave; and the
 * asynchronous calls of pkcs11js keep no hold on the buffers that the module works on. A card takes its tenth of a
 * second; a server that must not wait so long is better off with a process for its HSM.
 */

import { randomBytes } from 'node:crypto';
import {
  attempt,
  CKA,
  CKF,
  CKK,
  CKO,
  CKU_USER,
  ecdh,
  ECDSA,
  GENERATE_EC,
  loadModule,
  template,
  TokenError,
  type AttributeName,
  type Cryptoki,
  type Handle,
} from './cryptoki.ts';

/** Where a token is found. */
export interface TokenPlace {
  /** The path of its PKCS#11 module. */
  readonly module: string;
  /** Its label. */
  readonly token: string;
}

/** What a private key is for, and all that it can do. */
export type Use = 'sign' | 'derive';

/** A key pair in a token. */
export interface TokenPair {
  /** 65 bytes: an uncompressed point. */
  readonly publicKey: Uint8Array;
  readonly privateKey: Handle;
}

/** The OID of P-256, as a DER OBJECT IDENTIFIER. */
const P256 = Buffer.from('06082a8648ce3d030107', 'hex');
const POINT_LENGTH = 65;
const COORDINATE_LENGTH = 32;

/** What every private key must say of itself: no private value is or was ever outside. */
const KEPT = { SENSITIVE: true, ALWAYS_SENSITIVE: true, EXTRACTABLE: false, NEVER_EXTRACTABLE: true };
/** And of its one use. A token that leaves any of this unsaid is refused with its key. */
const USES: Readonly<Record<Use, Partial<Record<AttributeName, boolean>>>> = {
  sign: { SIGN: true, DERIVE: false, DECRYPT: false, UNWRAP: false },
  derive: { SIGN: false, DERIVE: true, DECRYPT: false, UNWRAP: false },
};

/** An open token. */
export class Token {
  readonly label: string;
  readonly #module: Cryptoki;
  readonly #session: Handle;

  private constructor(label: string, module: Cryptoki, session: Handle) {
    this.label = label;
    this.#module = module;
    this.#session = session;
  }

  /**
   * Opens a token. A wrong PIN is tried once and never again: three of them lock most cards.
   *
   * @param place - module and label
   * @param pin - the user's PIN
   * @param access - `write` to make or remove keys
   * @throws {@link TokenError} `TOKEN_DRIVER`, `TOKEN_MODULE`, `TOKEN_ABSENT`, `TOKEN_PIN`, `TOKEN_FAILED`
   */
  static open(place: TokenPlace, pin: string, access: 'read' | 'write' = 'read'): Token {
    const module = loadModule(place.module);
    const slot = findSlot(module, place.token);
    const flags = CKF.SERIAL_SESSION | (access === 'write' ? CKF.RW_SESSION : 0);
    const session = attempt(() => module.C_OpenSession(slot, flags));
    try {
      attempt(() => module.C_Login(session, CKU_USER, pin));
    } catch (error) {
      module.C_CloseSession(session);
      throw error instanceof TokenError ? withTriesLeft(error, module, slot) : error;
    }
    return new Token(place.token, module, session);
  }

  /** Makes a key pair that stays. Throws {@link TokenError}; `TOKEN_KEY` if there is one of this label, or the token makes it otherwise than asked. */
  makePair(label: string, use: Use): TokenPair {
    if (this.#find({ LABEL: label }).length > 0)
      throw new TokenError('TOKEN_KEY', `the token has a key "${label}" already`);
    // The id is what ties the two halves together.
    const names = { TOKEN: true, LABEL: label, ID: randomBytes(16) };
    const made = attempt(() =>
      this.#module.C_GenerateKeyPair(
        this.#session,
        GENERATE_EC,
        template({ ...names, EC_PARAMS: P256, VERIFY: use === 'sign', DERIVE: false }),
        template({
          ...names,
          PRIVATE: true,
          SENSITIVE: true,
          EXTRACTABLE: false,
          // Nobody turns a signing key into one for key agreement later.
          MODIFIABLE: false,
          ...USES[use],
        }),
      ),
    );
    try {
      this.#check(made.privateKey, label, use);
      return { publicKey: this.#point(made.publicKey, label), privateKey: made.privateKey };
    } catch (error) {
      this.remove(label);
      throw error;
    }
  }

  /**
   * Finds a key pair and checks that its private value was never outside, and that it has one use.
   *
   * @throws {@link TokenError} `TOKEN_KEY` if there is none, more than one, or one that is not as it must be
   */
  findPair(label: string, use: Use): TokenPair {
    const privateKey = this.#only({ CLASS: CKO.PRIVATE_KEY, KEY_TYPE: CKK.EC, LABEL: label }, label);
    this.#check(privateKey, label, use);
    const id = Buffer.from(this.#read(privateKey, 'ID'));
    const publicKey = this.#only({ CLASS: CKO.PUBLIC_KEY, KEY_TYPE: CKK.EC, LABEL: label, ID: id }, label);
    return { publicKey: this.#point(publicKey, label), privateKey };
  }

  /** Removes whatever has this label. */
  remove(label: string): void {
    for (const object of this.#find({ LABEL: label }))
      attempt(() => this.#module.C_DestroyObject(this.#session, object));
  }

  /** ECDSA over a digest of 32 bytes: r and s, 64 bytes, s as the token chose it. */
  sign(key: TokenPair, digest: Uint8Array): Uint8Array {
    return attempt(() => {
      this.#module.C_SignInit(this.#session, ECDSA, key.privateKey);
      const room = Buffer.alloc(2 * COORDINATE_LENGTH);
      return new Uint8Array(this.#module.C_Sign(this.#session, Buffer.from(digest), room));
    });
  }

  /**
   * The x coordinate, 32 bytes, that the private key and a peer's point give. Who calls it has checked that the
   * point is on the curve: not every token does.
   */
  derive(key: TokenPair, peer: Uint8Array): Uint8Array {
    // What is agreed is a message's secret, not the key's, and has to come out for HPKE to go on with it.
    const wanted = template({
      CLASS: CKO.SECRET_KEY,
      KEY_TYPE: CKK.GENERIC_SECRET,
      TOKEN: false,
      SENSITIVE: false,
      EXTRACTABLE: true,
      VALUE_LEN: COORDINATE_LENGTH,
    });
    return attempt(() => {
      const agreed = this.#module.C_DeriveKey(this.#session, ecdh(peer), key.privateKey, wanted);
      try {
        return this.#read(agreed, 'VALUE');
      } finally {
        this.#module.C_DestroyObject(this.#session, agreed);
      }
    });
  }

  /** Logs out, if the token is still there. */
  close(): void {
    try {
      this.#module.C_Logout(this.#session);
      this.#module.C_CloseSession(this.#session);
    } catch {
      // It was removed, which has logged us out.
    }
  }

  #check(key: Handle, label: string, use: Use): void {
    for (const [name, expected] of Object.entries({ ...KEPT, ...USES[use] })) {
      const [value] = this.#read(key, name as AttributeName);
      if (value === Number(expected)) continue;
      const why = name in KEPT ? 'its private value could have left the token' : `it is not for one use`;
      const is = `CKA_${name} is not ${String(expected)}`;
      throw new TokenError('TOKEN_KEY', `the key "${label}" in the token is refused: ${why} (${is})`);
    }
  }

  #point(publicKey: Handle, label: string): Uint8Array {
    const value = this.#read(publicKey, 'EC_POINT');
    // An OCTET STRING by the standard; some tokens leave its two bytes of header out.
    const point = value.length === POINT_LENGTH + 2 ? value.slice(2) : value;
    if (point.length !== POINT_LENGTH || point[0] !== 4)
      throw new TokenError('TOKEN_KEY', `the key "${label}" in the token is not of P-256`);
    return point;
  }

  #only(what: Parameters<typeof template>[0], label: string): Handle {
    const [found, ...more] = this.#find(what);
    if (found !== undefined && more.length === 0) return found;
    const how = found === undefined ? 'has no key' : 'has more than one key';
    throw new TokenError('TOKEN_KEY', `the token ${how} "${label}"`);
  }

  #find(what: Parameters<typeof template>[0]): Handle[] {
    return attempt(() => {
      this.#module.C_FindObjectsInit(this.#session, template(what));
      try {
        return this.#module.C_FindObjects(this.#session, 16);
      } finally {
        this.#module.C_FindObjectsFinal(this.#session);
      }
    });
  }

  #read(object: Handle, name: AttributeName): Uint8Array {
    const [found] = attempt(() =>
      this.#module.C_GetAttributeValue(this.#session, object, [{ type: CKA[name] }]),
    );
    const value = new Uint8Array(found?.value ?? []);
    found?.value.fill(0);
    return value;
  }
}

function findSlot(module: Cryptoki, label: string): Handle {
  const slots = attempt(() => module.C_GetSlotList(true));
  const found = slots.filter((slot) => attempt(() => module.C_GetTokenInfo(slot)).label.trimEnd() === label);
  const [slot, ...more] = found;
  if (slot !== undefined && more.length === 0) return slot;
  const how = slot === undefined ? 'there is no token' : 'there is more than one token';
  throw new TokenError('TOKEN_ABSENT', `${how} labelled "${label}"`);
}

// The last try is worth a warning: a locked card takes its keys with it.
function withTriesLeft(error: TokenError, module: Cryptoki, slot: Handle): TokenError {
  const { flags } = attempt(() => module.C_GetTokenInfo(slot));
  if (error.code !== 'TOKEN_PIN' || (flags & CKF.USER_PIN_FINAL_TRY) === 0) return error;
  return new TokenError('TOKEN_PIN', `${error.message}; the next wrong one locks the token`, {
    cause: error,
  });
}
