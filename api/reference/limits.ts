/** The longest list that is answered: the newest so many. The reference answers all there ever were. */
export const MOST_LISTED = 1_000;
