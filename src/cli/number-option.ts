/** Values of options that are numbers or lists, refused at the door. */
import { InvalidArgumentError } from "commander";

export function numberFrom(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !(value >= low && value <= high))
      throw new InvalidArgumentError(`Expected a number from ${low} to ${high}.`);
    return value;
  };
}

export function wholeFrom(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < low || value > high)
      throw new InvalidArgumentError(`Expected a whole number from ${low} to ${high}.`);
    return value;
  };
}

/** Values with commas between, none of them twice. */
export function listOf<T>(read: (text: string) => T): (text: string) => T[] {
  return (text) => {
    const values = text.split(",").map((part) => read(part.trim()));
    if (new Set(values).size < values.length) throw new InvalidArgumentError("The same value is there twice.");
    return values;
  };
}

export function oneOf<T extends string>(names: readonly T[]): (text: string) => T {
  return (text) => {
    const name = names.find((one) => one === text);
    if (name === undefined) throw new InvalidArgumentError(`Expected ${names.join(", ")}.`);
    return name;
  };
}
