/** JSON Pointers (RFC 6901). spec/views.md, "Paths". */

import { refusePolicy } from './name.ts';

/** Escapes a member name as a pointer token. */
export function escapeToken(name: string): string {
  return name.includes('~') || name.includes('/') ? name.replaceAll('~', '~0').replaceAll('/', '~1') : name;
}

/** The member name of an escaped token. */
export function unescapeToken(token: string): string {
  return token.includes('~') ? token.replaceAll('~1', '/').replaceAll('~0', '~') : token;
}

/** The decoded tokens of a pointer, or throws `VIEW_POLICY`. */
export function pointerTokens(pointer: string): string[] {
  if (pointer === '') return [];
  if (!pointer.startsWith('/') || /~(?![01])/.test(pointer))
    refusePolicy('a pointer does not begin with a slash, or has a ~ that is neither ~0 nor ~1');
  return pointer.slice(1).split('/').map(unescapeToken);
}
