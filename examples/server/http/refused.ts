/** How HTTP says no, and what of it goes into the log. */

/** The one reaction to everything that fails before a caller is authenticated, of one size. */
export const REFUSED = 'SESSION_MESSAGE';

/** A code or class name for the log: an error's text could hold what a peer sent. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
