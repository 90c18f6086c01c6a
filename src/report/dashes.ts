/** How lines are drawn: by classifier those of ruleswap, by program those of the kernel. Lengths of dash and gap. */
export const DASHES: Readonly<Record<string, readonly number[]>> = {
  linear: [6, 4],
  "tuple-space": [],
  "iptables-legacy": [12, 3, 3, 3],
  "iptables-nft": [3, 3],
  nft: [1, 4],
};
