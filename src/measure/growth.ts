/**
 * How a cost grows with size: the exponent b of cost = a * size^b, least squares on logarithms. 1 is linear, 0 flat.
 *
 * Every measuring round of every size is one observation. The interval is Student's t with as many degrees of freedom as
 * observations leave; it holds if the points lie on a line but for noise, so a cost that bends has a wide one.
 */
import distributions from "jstat";

export interface GrowthFit {
  readonly exponent: number;
  /** 95 % interval of the exponent; absent where two observations leave nothing to judge it by. */
  readonly ci95?: readonly [number, number];
  readonly observations: number;
}

export interface Observation {
  readonly size: number;
  readonly cost: number;
}

/** Undefined unless there are two sizes. Observations of 0 have no logarithm and are left out. */
export function fitGrowth(observations: readonly Observation[]): GrowthFit | undefined {
  const points = observations
    .filter(({ size, cost }) => size > 0 && cost > 0)
    .map(({ size, cost }) => ({ x: Math.log(size), y: Math.log(cost) }));
  const count = points.length;
  const meanX = sum(points.map(({ x }) => x)) / count;
  const meanY = sum(points.map(({ y }) => y)) / count;
  const spread = sum(points.map(({ x }) => (x - meanX) ** 2));
  if (!(spread > 1e-12)) return undefined;
  const exponent = sum(points.map(({ x, y }) => (x - meanX) * (y - meanY))) / spread;
  const freedom = count - 2;
  if (freedom < 1) return { exponent, observations: count };
  const residual = sum(points.map(({ x, y }) => (y - meanY - exponent * (x - meanX)) ** 2));
  const half = distributions.jStat.studentt.inv(0.975, freedom) * Math.sqrt(residual / freedom / spread);
  return { exponent, ci95: [exponent - half, exponent + half], observations: count };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
