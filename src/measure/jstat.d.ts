/** The one function of jstat (which brings no types of its own) that is used. */
declare module "jstat" {
  const distributions: {
    jStat: {
      studentt: {
        /** Quantile of Student's t. */
        inv(probability: number, degreesOfFreedom: number): number;
      };
    };
  };
  export default distributions;
}
