/** The native programs of the benchmarks, as scripts/bench.mjs built them. */
export interface Programs {
  /** bench/floor: a bare receiver. */
  readonly floorReceiver: string;
  /** bench/sender: any number of masters. */
  readonly sender: string;
  /** bench/transcode: one track that transcodes a file. */
  readonly transcode: string;
}
