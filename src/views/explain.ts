/** What a policy says about one document, field by field. spec/views.md, "Policies". */

import { readJson, type JsonNode } from '../wire/index.ts';
import { DEPTH_LIMIT, DOCUMENT_LIMIT } from './constants.ts';
import { leaves, type Leaf } from './leaves.ts';
import { refusePolicy } from './name.ts';
import type { Policy } from './policy.ts';
import { nameReaders } from './reader-rule.ts';
import { restrict, restrictionsIn } from './restriction.ts';
import { textResolver } from './text-pointer.ts';

/** What a policy says about one field. */
export interface Explained {
  /** The field's JSON Pointer in the document. */
  readonly pointer: string;
  /** Which rule took it; `null` for `otherwise`. */
  readonly rule: number | null;
  /** Which restrictions took readers from it, by their indices. */
  readonly restrictions: readonly number[];
  /** Names of its readers beside the owner, sorted. */
  readonly readers: 'public' | readonly string[];
  readonly compartment: string;
  readonly leaf: Leaf;
}

/**
 * Says for every field of a document which rule takes it, what restricts it and who will read it.
 *
 * @param policy - from {@link definePolicy}
 * @param document - JSON text, at most 16 Mi characters, or a tree of it
 * @returns the fields in the order of the document; `explainTable` draws them
 * @throws `MunimentError` `VIEW_LIMIT` for more than 1,000,000 fields or 128 levels; `WIRE_JSON`, `WIRE_LIMIT`, `WIRE_UTF8`
 * @example
 * ```ts
 * import { definePolicy, explain } from 'muniment/views';
 * const rules = [{ fields: ['/cost'], readers: ['insurer'] }];
 * const policy = definePolicy({ name: 'example/1', rules, otherwise: [] });
 * const [, cost] = explain(policy, '{"note":"flu","cost":15.00}');
 * console.log(cost?.pointer, cost?.rule, cost?.readers); // /cost 0 insurer
 * ```
 */
export function explain(policy: Policy, document: string | JsonNode): Explained[] {
  const tree =
    typeof document === 'string'
      ? readJson(document, { length: DOCUMENT_LIMIT, depth: DEPTH_LIMIT })
      : document;
  const fields = leaves(tree);
  const resolve = textResolver(tree);
  const rules = policy.definition.rules.length;
  const restrictionsOf = restrictionsIn(policy.restrictions, fields);
  return fields.map((leaf) => {
    const at = policy.finder.find(leaf.tokens);
    const { readers, compartment } = policy.compiled[at] ?? refusePolicy('no rule takes this field'); // the last takes everything
    const restrictions = restrictionsOf(leaf);
    const given = {
      pointer: leaf.pointer,
      rule: at < rules ? at : null,
      restrictions,
      readers: readers === 'public' ? readers : nameReaders(readers, leaf, resolve),
      compartment,
      leaf,
    };
    if (restrictions.length === 0) return given;
    const applied = restrictions.flatMap((index) => policy.restrictions[index] ?? []);
    return { ...given, ...restrict(given, applied, { field: leaf, resolve }) };
  });
}
