/** Figures that others published, as faint points beside one's own: what they measured differs, so they only set the scale. */

export interface Published {
  readonly label: string;
  /** The plot it belongs to: what one change costs, or what one packet does. */
  readonly plot: "update" | "match";
  /** Where it comes from, and what was measured. */
  readonly source: string;
  /** (services, microseconds). */
  readonly points: readonly (readonly [number, number])[];
}

const MINUTE = 60e6;
const HOUR = 60 * MINUTE;
const MS = 1000;

export const PUBLISHED: readonly Published[] = [
  {
    label: "Huawei 2017, iptables",
    plot: "update",
    source:
      "Scale Kubernetes to Support 50,000 Services (Huawei, LinuxCon China 2017): 11 minutes at 5,000 services, 5 hours at " +
      "20,000; by one reading the total of adding rule by rule, by another one change.",
    points: [
      [5000, 11 * MINUTE],
      [20_000, 5 * HOUR],
    ],
  },
  {
    label: "Kubernetes 2025, first packet p50",
    plot: "match",
    source:
      "NFTables mode for kube-proxy (Kubernetes blog, 2025): latency of the first packet in iptables mode, median, read off its chart.",
    points: [
      [5000, 0.05 * MS],
      [10_000, 0.06 * MS],
      [30_000, 0.27 * MS],
    ],
  },
  {
    label: "Kubernetes 2025, first packet p99",
    plot: "match",
    source:
      "NFTables mode for kube-proxy (Kubernetes blog, 2025): latency of the first packet in iptables mode, 99th percentile, read off its chart.",
    points: [
      [5000, 0.15 * MS],
      [10_000, 0.26 * MS],
      [30_000, 0.72 * MS],
    ],
  },
];
