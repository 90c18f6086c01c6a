/**
 * Figures of TupleMerge, which cannot be installed: nanoseconds a packet (least of seven passes) of its authors' online
 * implementation and of DPDK's AVX2 in batches of 32, measured in one run on an EPYC 9004 with sets of these shapes and sizes.
 * What TupleMerge would take here is told by what DPDK takes here.
 */
export const PUBLISHED: Readonly<Record<string, { readonly tupleMerge: number; readonly dpdk: number }>> = {
  kube_1000: { tupleMerge: 29, dpdk: 20 },
  kube_5000: { tupleMerge: 33, dpdk: 25 },
  kube_10000: { tupleMerge: 37, dpdk: 30 },
  kube_50000: { tupleMerge: 103, dpdk: 73 },
  acl1_1k: { tupleMerge: 107, dpdk: 24 },
  fw1_1k: { tupleMerge: 158, dpdk: 55 },
  ipc1_1k: { tupleMerge: 217, dpdk: 27 },
  acl1_10k: { tupleMerge: 175, dpdk: 43 },
  fw1_10k: { tupleMerge: 203, dpdk: 301 },
  ipc1_10k: { tupleMerge: 398, dpdk: 88 },
};
