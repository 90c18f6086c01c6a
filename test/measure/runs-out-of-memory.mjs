/** In arrays that a collector does not copy: where it runs out of memory itself, it takes the process with it, and not the thread alone. */
export default function () {
  const kept = [];
  for (;;) kept.push(new Array(100_000).fill(Math.random()));
}
