/** Of the peers that come without types, and of Node 24, what is used here. */

declare module 'noise-handshake' {
  interface KeyPair {
    readonly publicKey: Buffer;
    readonly secretKey: Buffer;
  }

  class Noise {
    constructor(pattern: 'XX', initiator: boolean, own: KeyPair);
    readonly complete: boolean;
    readonly rs: Buffer;
    readonly tx: Buffer;
    readonly rx: Buffer;
    initialise(prologue: Buffer): void;
    send(): Buffer;
    recv(message: Buffer): Buffer;
  }
  export = Noise;
}

declare module 'noise-handshake/cipher' {
  class Cipher {
    constructor(key: Buffer);
    encrypt(plaintext: Buffer): Buffer;
    decrypt(ciphertext: Buffer): Buffer;
  }
  export = Cipher;
}

declare module 'noise-handshake/dh' {
  export function generateKeyPair(): { publicKey: Buffer; secretKey: Buffer };
}

declare module 'hypercore' {
  class Hypercore {
    constructor(folder: string);
    ready(): Promise<void>;
    append(block: Buffer): Promise<unknown>;
    close(): Promise<void>;
  }
  export = Hypercore;
}

declare module 'crypto' {
  export function encapsulate(key: KeyObject): { sharedKey: Buffer; ciphertext: Buffer };
  export function decapsulate(key: KeyObject, ciphertext: Uint8Array): Buffer;
}
