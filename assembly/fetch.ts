/** Fetching in advance. WebAssembly has no prefetch, so words are loaded, and their sum is kept so that they have to be. */
export let kept: u32 = 0;

export function keep(sum: u32): void {
  kept ^= sum;
}
