export default function () {
  throw new Error("this thread gave up");
}
