/** Numbers as people read them: three digits, a unit, thousands set apart. ASCII alone, so that columns stay columns. */

/** "9 us", "1.24 ms", "212 ms", "5.1 s". */
export function duration(microseconds: number): string {
  if (microseconds === 0) return "0 us";
  if (microseconds < 1) return `${digits(microseconds * 1000)} ns`;
  if (microseconds < 999.5) return `${digits(microseconds)} us`;
  if (microseconds < 999_500) return `${digits(microseconds / 1000)} ms`;
  return `${digits(microseconds / 1e6)} s`;
}

/** "742 B", "11.6 MB"; thousands, not 1024s. */
export function bytes(count: number): string {
  if (count < 1000) return `${Math.round(count)} B`;
  if (count < 999_500) return `${digits(count / 1e3)} kB`;
  if (count < 999_500_000) return `${digits(count / 1e6)} MB`;
  return `${digits(count / 1e9)} GB`;
}

/** "55,008". */
export function whole(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

/** How many times, to two digits: "1.3", "23", "23,000". */
export function times(ratio: number): string {
  return Number(ratio.toPrecision(2)).toLocaleString("en-US");
}

/** At most `count` digits that mean something, without needless zeros. */
export function digits(value: number, count = 3): string {
  return String(Number(value.toPrecision(count)));
}
