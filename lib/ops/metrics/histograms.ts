/** The metrics that are distributions. */

/** A histogram; those of a Bridge have the labels `channel` and `stream`. */
export interface HistogramSpec {
  /** Without the prefix that all share. */
  readonly name: string;
  readonly help: string;
  /** Upper bounds, in seconds. */
  readonly buckets: readonly number[];
}

const lagBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** From the end of a fragment to its PERSISTED. */
export const persistLag: HistogramSpec = {
  name: 'persist_lag_seconds',
  help: 'From the end of each fragment at the master to its PERSISTED',
  buckets: [0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 20, 60, 300],
};

/** Of the media processes. */
export const mediaProcessLag: HistogramSpec = {
  name: 'media_process_event_loop_lag_seconds',
  help: 'The longest that the event loop of a media process kept a timer waiting, one value a second',
  buckets: lagBuckets,
};

/** Of this process. */
export const processLag: HistogramSpec = {
  name: 'process_event_loop_lag_seconds',
  help: 'The longest that the event loop of the bridge process kept a timer waiting, one value a second',
  buckets: lagBuckets,
};
