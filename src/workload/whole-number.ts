/** Checks an option that counts something. @throws RangeError that begins with the option's name. */
export function checkWhole(name: string, value: number, low: number, high: number): void {
  if (!Number.isInteger(value) || value < low || value > high)
    throw new RangeError(`${name}: a whole number from ${low} to ${high}, not ${value}`);
}
