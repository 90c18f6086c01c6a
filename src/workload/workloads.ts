/** Every workload by its name: the file here, the value on the command line, the label in results. */
import { readFileSync } from "node:fs";
import { parseRuleset } from "../ruleset/parse.js";
import type { Family } from "../ruleset/row-store.js";
import { acl } from "./acl.js";
import { docker } from "./docker.js";
import { hostFirewall } from "./host-firewall.js";
import { kubeProxy } from "./kube-proxy.js";
import type { KubeProxyChurn } from "./kube-proxy-options.js";
import { kubeProxyIpvs } from "./kube-proxy-ipvs.js";
import { portmap } from "./portmap.js";
import { saveFile, type SaveFileOptions } from "./save-file.js";
import type { Workload } from "./workload.js";

export interface WorkloadRequest {
  /** How many of what the workload counts. */
  readonly size: number;
  readonly seed: number;
  readonly family: Family;
  /** What changes; only `kube-proxy` has a choice. Default `single`. */
  readonly churn?: KubeProxyChurn;
}

export interface WorkloadKind {
  /** In a line. */
  readonly about: string;
  /** What a size counts, in the plural. */
  readonly counts: string;
  /** Sizes that the bench takes when none are given. */
  readonly sizes: readonly number[];
  /** Defaults apart from the three. */
  make(request: WorkloadRequest): Workload;
}

export const workloads = {
  "kube-proxy": {
    about: "services of kube-proxy's iptables mode, 3 endpoints each: 11 rules a service",
    counts: "services",
    sizes: [100, 1000, 5000],
    make: ({ size, seed, family, churn = "single" }) => kubeProxy({ services: size, seed, family, churn }),
  },
  "kube-proxy-ipvs": {
    about: "the iptables part of kube-proxy's IPVS mode: ipsets, and as many rules for any number of services",
    counts: "services",
    sizes: [100, 1000, 5000],
    make: ({ size, seed, family }) => kubeProxyIpvs({ services: size, seed, family }),
  },
  portmap: {
    about: "containers with a published port each under CNI portmap and bridge: 7 rules a container",
    counts: "containers",
    sizes: [100, 1000, 5000],
    make: ({ size, seed, family }) => portmap({ containers: size, seed, family }),
  },
  docker: {
    about: "containers with a published port each under Docker, over three tables: 3 rules a container",
    counts: "containers",
    sizes: [100, 1000, 5000],
    make: ({ size, seed, family }) => docker({ containers: size, seed, family }),
  },
  "host-firewall": {
    about: "a server's firewall with addresses that fail2ban has banned: a rule an address",
    counts: "banned addresses",
    sizes: [100, 1000, 10_000],
    make: ({ size, seed, family }) => hostFirewall({ banned: size, seed, family }),
  },
  acl: {
    about: "a router's access list, made up; a file in ClassBench's format gives a real one",
    counts: "rules",
    sizes: [1000, 10_000],
    make: ({ size, seed, family }) => {
      if (family !== "ipv4") throw new RangeError("family: the workload acl is IPv4 only");
      return acl({ rules: size, seed });
    },
  },
} as const satisfies Record<string, WorkloadKind>;

export type WorkloadName = keyof typeof workloads;

export function isWorkloadName(name: string): name is WorkloadName {
  return Object.hasOwn(workloads, name);
}

/**
 * The workload of a file: a filter set in ClassBench's format when its first character is "@", else a ruleset. Without a
 * family the ruleset is read as IPv4, and as IPv6 when that fails.
 * @throws RulesetError or ClassBenchError at the file's first fault, and what reading it throws.
 */
export function fileWorkload(
  path: string,
  options: Pick<
    SaveFileOptions,
    "seed" | "family" | "sets" | "emptySets" | "accounting" | "timeoutPolicies" | "track"
  > = {},
): Workload {
  const text = readFileSync(path);
  const { family, ...rest } = options;
  if (text[0] === "@".charCodeAt(0)) {
    if (family === "ipv6") throw new RangeError("family: filter sets in ClassBench's format are IPv4 only");
    return acl({ filters: text.toString("utf8"), name: path, ...(rest.seed === undefined ? {} : { seed: rest.seed }) });
  }
  return saveFile({ name: path, text, family: family ?? familyOf(text, path), ...rest });
}

function familyOf(text: Uint8Array, file: string): Family {
  try {
    parseRuleset(text, { family: "ipv4", file });
    return "ipv4";
  } catch (asIpv4) {
    try {
      parseRuleset(text, { family: "ipv6", file });
      return "ipv6";
    } catch {
      throw asIpv4;
    }
  }
}
