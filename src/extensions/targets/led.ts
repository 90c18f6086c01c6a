/** -j LED: lights a lamp of the machine. Packets go on as they came; nothing is told of lamps here. */
import {
  LED_ALWAYS_BLINK,
  LED_DELAY,
  LED_SIZE,
  LED_TRIGGER,
  LED_TRIGGER_BYTES,
  TARGET_LED,
} from "../../blob/payloads.js";
import type { ByteWriter } from "../byte-writer.js";
import type { RecordMemory, Target } from "../extension.js";

const ALL = 0xffffffff;

export const led: Target = {
  name: "LED",
  type: TARGET_LED,
  size: LED_SIZE,
  options: [
    {
      name: "led-trigger-id",
      mandatory: true,
      parse: (argument, record, at) =>
        argument.name(record.bytes, at + LED_TRIGGER, LED_TRIGGER_BYTES, "the name of a trigger"),
    },
    {
      // iptables prints what it cannot read back, `inf` and above 2^31: -1 and numbers below nought. Here they can be.
      name: "led-delay",
      parse(argument, record, at) {
        const text = argument.text();
        const printed = /^-\d{1,10}$/.test(text) && Number(text) >= -(2 ** 31);
        const delay = /^inf/i.test(text) ? -1 : printed ? Number(text) : argument.unsigned(0, ALL);
        record.view.setUint32(at + LED_DELAY, delay, true);
      },
    },
    {
      name: "led-always-blink",
      arguments: 0,
      parse(_, record, at) {
        record.bytes[at + LED_ALWAYS_BLINK] = 1;
      },
    },
  ],

  print(out, record, at) {
    out.text(" --led-trigger-id ");
    printTrigger(out, record, at);
    const delay = record.view.getInt32(at + LED_DELAY, true);
    if (delay !== 0) out.text(` --led-delay ${delay}`);
    if (record.bytes[at + LED_ALWAYS_BLINK]) out.text(" --led-always-blink");
  },
};

/** Always in quotes. */
export function printTrigger(out: ByteWriter, { bytes }: RecordMemory, at: number): void {
  out.text('"');
  for (let n = at + LED_TRIGGER; n < at + LED_TRIGGER + LED_TRIGGER_BYTES && bytes[n] !== 0; n++) {
    const byte = bytes[n] as number;
    if (byte === 34 || byte === 92) out.byte(92);
    out.byte(byte);
  }
  out.text('"');
}
