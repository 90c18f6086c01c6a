/** The command that measures the same again. */
import { BENCH_DEFAULTS, type BenchOptions } from "../measure/bench-options.js";

/** Options as they were, those that are the default left out. */
export function commandOf(options: BenchOptions): string {
  const flags = Object.entries(options).flatMap(([name, value]: [string, unknown]) => {
    const usual: unknown = BENCH_DEFAULTS[name as keyof BenchOptions];
    if (value === undefined || value === false || JSON.stringify(value) === JSON.stringify(usual)) return [];
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return value === true ? [flag] : [`${flag} ${quoted(Array.isArray(value) ? value.join(",") : String(value))}`];
  });
  return ["npx ruleswap bench", ...flags].join(" ");
}

const quoted = (text: string): string => (/^[\w.,:/@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
