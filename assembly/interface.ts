/** Interface names: 16 bytes and, in rules, a mask behind them, since a trailing + matches any rest. */
import { INTERFACE_SIZE } from "../src/blob/layout";

/** Whether the name at `name` matches the pattern and mask at `pattern`. */
export function interfaceMatches(name: usize, pattern: usize): bool {
  const differ = v128.and(v128.xor(v128.load(name), v128.load(pattern)), v128.load(pattern + INTERFACE_SIZE));
  return !v128.any_true(differ);
}

/** Whether two names are the same. */
export function sameInterface(a: usize, b: usize): bool {
  return !v128.any_true(v128.xor(v128.load(a), v128.load(b)));
}
