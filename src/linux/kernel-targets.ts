/** Every program that can be asked to change the real kernel's rules, by the name that results give it. */
import { iptables } from "./iptables.js";
import { nft } from "./nft.js";

export const KERNEL_TARGETS = {
  "iptables-legacy": iptables("legacy"),
  "iptables-nft": iptables("nft"),
  nft,
} as const;

export type KernelTargetName = keyof typeof KERNEL_TARGETS;
