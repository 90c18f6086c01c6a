/** A line on standard error while a command measures: how far it is and what is left. None unless it is a terminal. */
import { Presets, SingleBar } from "cli-progress";
import type { BenchProgress } from "../measure/bench.js";

export interface Progress {
  update(progress: BenchProgress): void;
  end(): void;
}

const SILENT: Progress = { update: () => {}, end: () => {} };

export function progressLine(stream: NodeJS.WriteStream = process.stderr): Progress {
  if (!stream.isTTY) return SILENT;
  const bar = new SingleBar(
    { format: "[{bar}] {left} left  {label}", barsize: 20, clearOnComplete: true, hideCursor: true, stream, fps: 5 },
    Presets.legacy,
  );
  const started = performance.now();
  let running = false;
  return {
    update({ done, total, label }) {
      const elapsed = (performance.now() - started) / 1000;
      const left = done > 0 ? seconds((elapsed * (total - done)) / done) : "?";
      if (running) bar.update(done, { left, label });
      else bar.start(total, done, { left, label });
      running = true;
    },
    end() {
      if (running) bar.stop();
    },
  };
}

function seconds(count: number): string {
  const whole = Math.ceil(count);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
