const LOCAL_TIME = /^(\d{4})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2})(?::(\d{2}))?$/;
const HOUR_MS = 3_600_000;

const offsetName = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/London', timeZoneName: 'shortOffset' });

/** How far London is ahead of UTC at this moment, ms. */
function londonOffset(at: number): number {
  const name = offsetName.formatToParts(at).find((part) => part.type === 'timeZoneName')?.value ?? 'GMT';
  return Number(name.replace('GMT', '') || 0) * HOUR_MS;
}

/**
 * A local British time, `2010-12-01 08:26:00`, as ms since the epoch; undefined when it is none. The hour that comes
 * twice in autumn is taken as summer time; one that is skipped in spring, as winter time.
 */
export function ukTime(text: string): number | undefined {
  const parts = LOCAL_TIME.exec(text.trim());
  if (!parts) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1)
    .map((part) => Number(part ?? 0));
  const local = Date.UTC(year, month - 1, day, hour, minute, second);
  if (new Date(local).toISOString().slice(0, 10) !== `${parts[1]}-${parts[2]}-${parts[3]}`) return undefined;
  const inSummer = local - HOUR_MS;
  return londonOffset(inSummer) === HOUR_MS ? inSummer : local;
}
