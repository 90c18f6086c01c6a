export default function () {
  const kept = [];
  for (;;) kept.push(new Array(10_000).fill(Math.random()));
}
