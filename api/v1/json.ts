/** Times as the API writes them. */
export const iso = (time: Date | number): string => new Date(time).toISOString();
export const isoOrNull = (time: Date | number | null): string | null => (time === null ? null : iso(time));
