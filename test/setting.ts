/** A number that RULESWAP_NAME of the environment says, else the usual one: how long a test of random cases runs, and from which seed. */
export const setting = (name: string, usual: number): number => Number(process.env[`RULESWAP_${name}`] ?? usual);
