/**
 * Optimises what asc has compiled, in its place: with more inlined than asc would.
 *
 * A change of a service calls some hundred small functions, and V8 inlines none across functions of a module: each begins
 * with a check of the stack and loads where the memory is. Larger functions took a tenth off a change, and nothing from a match.
 */
import binaryen from "assemblyscript/binaryen";
import { Transform } from "assemblyscript/transform";

/** Sizes up to which a function is inlined, in Binaryen's measure: always, where it pays, where it has one caller. */
const ALWAYS = 60;
const WHERE_IT_PAYS = 1000;
const ONE_CALLER = 5000;

export default class Optimize extends Transform {
  /** @param {binaryen.Module} compiled */
  afterCompile(compiled) {
    binaryen.setOptimizeLevel(3);
    binaryen.setShrinkLevel(0);
    binaryen.setAlwaysInlineMaxSize(ALWAYS);
    binaryen.setFlexibleInlineMaxSize(WHERE_IT_PAYS);
    binaryen.setOneCallerInlineMaxSize(ONE_CALLER);
    compiled.optimize();
  }
}
