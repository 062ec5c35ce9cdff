/** Secret bytes that do not print. spec/keys.md, "Secrets". */

let reveal: (secret: Secret<string>) => Uint8Array;

/**
 * Secret bytes with a role. They hide from `String`, `JSON.stringify`, `util.inspect` and structured logging, and
 * leave only through {@link exposeSecret}. JavaScript moves and copies memory as it likes, so overwriting is best
 * effort: {@link Secret.erase} clears this copy and no other.
 */
export class Secret<Role extends string> {
  /** What the secret is for; makes secrets of different roles different types. */
  readonly role: Role;
  readonly #bytes: Uint8Array;
  #erased = false;

  static {
    reveal = (secret) => {
      if (secret.#erased) throw new TypeError('the secret was erased');
      return secret.#bytes;
    };
  }

  /** Takes over `bytes`: the caller gives up its reference. */
  constructor(role: Role, bytes: Uint8Array) {
    this.role = role;
    this.#bytes = bytes;
  }

  /** Overwrites this copy with zeros. From then on it is a secret no more, and nobody can use the zeros for one. */
  erase(): void {
    this.#erased = true;
    this.#bytes.fill(0);
  }

  /** A placeholder. */
  toString(): string {
    return `[secret: ${this.role}]`;
  }

  /** A placeholder. */
  toJSON(): string {
    return this.toString();
  }

  /** A placeholder for `util.inspect` and `console.log` of Node, Bun and Deno. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/**
 * The bytes of a secret, as a copy that the caller must keep as safe. The only way out.
 *
 * @throws `TypeError` for a secret that was erased
 */
export function exposeSecret(secret: Secret<string>): Uint8Array {
  return new Uint8Array(reveal(secret)); // slice() of a Buffer would share its memory
}
