/** A setting that differs, and what is done about it. */
export interface ConfigDrift {
  outcome: 'mended' | 'kept' | 'drift';
  detail: string;
  /** Name and value to set where it is mended. */
  set: [name: string, value: string];
  /** The value it has. */
  found: string;
}

/** Settings where a larger value keeps more than promised: raised when too small, left alone when larger. */
const AT_LEAST = new Set(['retention.ms', 'max.message.bytes']);
/** `-1` is "for ever". */
const size = (value: string): number => (value === '-1' ? Infinity : Number(value));

/** How a topic's settings differ from those it should have. */
export function configDrift(
  wanted: Readonly<Record<string, string>>,
  actual: Readonly<Record<string, string | undefined>>,
): ConfigDrift[] {
  return Object.entries(wanted).flatMap(([name, value]) => {
    const found = actual[name];
    return found === undefined || found === value ? [] : [judge(name, value, found)];
  });
}

function judge(name: string, value: string, found: string): ConfigDrift {
  const detail = `${name} is ${found} instead of ${value}`;
  const set: [string, string] = [name, value];
  if (!AT_LEAST.has(name))
    return { outcome: 'drift', detail: `${detail}; set it on the topic once you know why`, set, found };
  if (size(found) > size(value)) return { outcome: 'kept', detail: `${detail}: keeps more than needed`, set, found };
  return { outcome: 'mended', detail: `${name} was ${found}; raised to ${value}`, set, found };
}
