/** The package's WebAssembly module, compiled once a thread. The engine instantiates it, and so does reading text. */
import { readFileSync } from "node:fs";

let compiled: WebAssembly.Module | undefined;

export function kernelModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(readFileSync(new URL("../../build/release.wasm", import.meta.url)));
  return compiled;
}

/** The exports of an instance over `memory`. */
export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): WebAssembly.Exports {
  const abort = (): never => {
    throw new Error("the engine aborted");
  };
  return new WebAssembly.Instance(module, { env: { memory, abort } }).exports;
}
