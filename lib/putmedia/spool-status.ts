/** Where new fragments go. */
export type SpoolState = 'disk' | 'memory';

/** How a spool is. */
export interface SpoolStatus {
  readonly state: SpoolState;
  /** What waits on disk, in bytes: of this sink and what it took over. */
  readonly bytes: number;
  readonly fragments: number;
  /** The sinks of a stream take turns in uploading. */
  readonly ordersUploads: boolean;
}
