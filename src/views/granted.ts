/** What a grant hands over, as it is sealed to the grantee. spec/views.md, "Grants". */

import { KEY_LENGTH, kem, type KemId } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { exposeSecret, NAME_LIMIT, Secret, type NodeSecret } from '../keys/index.ts';
import { equalBytes, tuple, TupleReader } from '../wire/index.ts';
import { MANIFEST_LINES } from './constants.ts';
import { disclosureScope } from './disclosure.ts';
import type { GrantScope } from './terms.ts';
import type { OpenedKey } from './wrap.ts';

/** A node of the owner's tree with what readers need to know of it. */
export interface GrantedNode {
  readonly kind: 'compartment';
  readonly name: string;
  readonly epoch: number;
  readonly kem: KemId;
  readonly node: NodeSecret;
}

/** Keys of one document's classes, such as `View.keys`. */
export interface GrantedKeys {
  readonly kind: 'classes';
  readonly bodyHash: Uint8Array;
  readonly keys: readonly OpenedKey[];
}

/** Fields of one document, as `disclose` gives them. */
export interface GrantedFields {
  readonly kind: 'fields';
  readonly disclosure: Uint8Array;
}

/** What a grant hands over. */
export type Granted = GrantedNode | GrantedKeys | GrantedFields;

/** The scope that a grant of this states. Throws `RangeError` if there is nothing to hand over, `VIEW_DISCLOSURE`. */
export function scopeOf(granted: Granted): GrantScope {
  switch (granted.kind) {
    case 'compartment':
      return { kind: 'compartment', name: granted.name, epoch: granted.epoch };
    case 'classes': {
      if (granted.keys.length === 0) throw new RangeError('a grant hands over at least one class');
      const lines = granted.keys.map(({ index }) => index).sort((a, b) => a - b);
      return { kind: 'classes', bodyHash: granted.bodyHash, lines };
    }
    case 'fields':
      return { kind: 'fields', ...disclosureScope(granted.disclosure) };
  }
}

/** What a grant's wrap holds. */
export function encodeGranted(granted: Granted): Uint8Array {
  switch (granted.kind) {
    case 'compartment':
      return tuple('grant node', granted.name, granted.epoch, granted.kem, exposeSecret(granted.node));
    case 'classes': {
      const keys = [...granted.keys].sort((a, b) => a.index - b.index);
      return tuple(
        'grant keys',
        keys.map(({ index, key }) => [index, exposeSecret(key)]),
      );
    }
    case 'fields':
      return tuple('grant fields', granted.disclosure);
  }
}

/**
 * Reads what was sealed, which must be what the statement says, so that a scope is nobody's mere word. Throws `VIEW_GRANT`, or what
 * is wrong with its form.
 */
export function decodeGranted(plaintext: Uint8Array, scope: GrantScope): Granted {
  switch (scope.kind) {
    case 'compartment': {
      const reader = TupleReader.labelled(plaintext, 'grant node');
      const [name, epoch] = [reader.text(NAME_LIMIT), reader.integer()];
      const [kemId, node] = [kem(reader.integer()).id, new Secret('tree node', reader.bytes(32))];
      reader.end();
      if (name !== scope.name || epoch !== scope.epoch) refuse();
      return { kind: 'compartment', name, epoch, kem: kemId, node };
    }
    case 'classes': {
      const reader = TupleReader.labelled(plaintext, 'grant keys');
      const keys = reader.list(MANIFEST_LINES, (item) =>
        item.group((part): OpenedKey => {
          return { index: part.integer(), key: new Secret('class key', part.bytes(KEY_LENGTH)) };
        }),
      );
      reader.end();
      if (keys.map(({ index }) => index).join() !== scope.lines.join()) refuse();
      return { kind: 'classes', bodyHash: scope.bodyHash, keys };
    }
    case 'fields': {
      const reader = TupleReader.labelled(plaintext, 'grant fields');
      const disclosure = reader.bytes();
      reader.end();
      const { bodyHash, lines, digest } = disclosureScope(disclosure);
      const stated = equalBytes(bodyHash, scope.bodyHash) && lines.join() === scope.lines.join();
      if (!stated || !equalBytes(digest, scope.digest)) refuse();
      return { kind: 'fields', disclosure };
    }
  }
}

function refuse(): never {
  throw new MunimentError('VIEW_GRANT');
}
