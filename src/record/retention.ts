/** Retention: from when on a record's payloads may be destroyed. spec/authority.md, "Retention". */

/** On what ground a payload is destroyed; a closed list. */
export const ERASURE_GROUNDS = ['retention', 'order', 'request'] as const;
/** One of {@link ERASURE_GROUNDS}: the term is over, a court or authority ordered it, the owner asked for it. */
export type ErasureGround = (typeof ERASURE_GROUNDS)[number];

/** When an owner died, as its record's closing says. Milliseconds since 1970. */
export interface Death {
  /** The date that was stated. */
  readonly at: number;
  /** When it was stated: never before `at`. */
  readonly stated: number;
}

/** A rule of when payloads may be destroyed. A tombstone names the version that it was made under. */
export interface RetentionRule {
  readonly version: string;
  /**
   * The first millisecond since 1970 at which it may be, `null` for never.
   *
   * @param ground - on which it is asked for
   * @param death - of the owner; `null` if the record is not closed for that
   */
  readonly earliest: (ground: ErasureGround, death: Death | null) => number | null;
}

/**
 * Ten calendar years after the owner's death was stated, and on no other ground. An earlier date shortens nothing: it
 * is one person's word, and whoever is alive must have time to contradict it.
 */
export const TEN_YEARS_AFTER_DEATH: RetentionRule = {
  version: 'ten years after death 1',
  earliest: (ground, death) =>
    ground === 'retention' && death !== null ? yearsAfter(death.stated, 10) : null,
};

/**
 * The same time of the same day so many calendar years later, in UTC. Of 29 February it is 1 March in a year without
 * one: a term is rather a day longer than shorter.
 */
export function yearsAfter(time: number, years: number): number {
  const date = new Date(time);
  date.setUTCFullYear(date.getUTCFullYear() + years);
  return date.getTime();
}
