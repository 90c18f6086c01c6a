/** Durations: recorded in nanoseconds, told in microseconds, three digits kept, none dropped. */
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from "hdr-histogram-js";

export interface LatencySummary {
  readonly count: number;
  readonly p50_us: number;
  readonly p90_us: number;
  readonly p99_us: number;
  readonly p99_9_us: number;
  readonly max_us: number;
}

/** A histogram as a worker hands it over and a result file keeps it. */
export interface EncodedHistogram {
  /** HdrHistogram's compressed format in base64; its values are nanoseconds. */
  readonly hdr: string;
  /** The greatest value to the nanosecond, which the buckets round. */
  readonly maxNs: number;
}

export class LatencyHistogram {
  private buckets = build({
    bitBucketSize: 64,
    lowestDiscernibleValue: 1,
    highestTrackableValue: 2 ** 30,
    numberOfSignificantValueDigits: 3,
    autoResize: true,
    useWebAssembly: false,
  });
  private longestNs = 0;

  static of(durationsNs: Iterable<number>): LatencyHistogram {
    const histogram = new LatencyHistogram();
    for (const duration of durationsNs) histogram.record(duration);
    return histogram;
  }

  static decode(encoded: EncodedHistogram): LatencyHistogram {
    const histogram = new LatencyHistogram();
    histogram.buckets.add(decodeFromCompressedBase64(encoded.hdr, 64) as Histogram);
    histogram.longestNs = encoded.maxNs;
    return histogram;
  }

  /** `count` times the same duration; a fraction of a nanosecond is rounded, a clock that went back counts as 0. */
  record(durationNs: number, count = 1): void {
    const value = Math.max(0, Math.round(durationNs));
    if (value > this.longestNs) this.longestNs = value;
    this.buckets.recordValueWithCount(value, count);
  }

  add(other: LatencyHistogram): void {
    this.buckets.add(other.buckets);
    this.longestNs = Math.max(this.longestNs, other.longestNs);
  }

  get count(): number {
    return this.buckets.totalCount;
  }

  /** Nanoseconds that `percent` of the durations do not exceed, to three digits; 0 when there are none. */
  percentileNs(percent: number): number {
    if (this.count === 0) return 0;
    return Math.min(this.buckets.getValueAtPercentile(percent), this.longestNs);
  }

  summary(): LatencySummary {
    const at = (percent: number): number => this.percentileNs(percent) / 1000;
    return {
      count: this.count,
      p50_us: at(50),
      p90_us: at(90),
      p99_us: at(99),
      p99_9_us: at(99.9),
      max_us: this.longestNs / 1000,
    };
  }

  encode(): EncodedHistogram {
    return { hdr: encodeIntoCompressedBase64(this.buckets), maxNs: this.longestNs };
  }
}
