/** What the benchmarks and the process of their local KVS say to each other. */

/** From the benchmarks: forget what was seen so far, or tell it. */
export type ToKvs = { readonly type: 'begin' } | { readonly type: 'report' };

/** Where it listens, with TLS. */
export interface KvsReady {
  readonly type: 'ready';
  readonly url: string;
  readonly ca: string;
}

/** What arrived since `begin`. */
export interface KvsReport {
  readonly type: 'report';
  /** From a frame's hand-over to its sender's payloader until its first bytes are read here, in ms. */
  readonly frameLatenciesMs: readonly number[];
  readonly fragments: number;
  /** Of each fragment: from the end of its last frame until it is persisted, in ms. */
  readonly persistLagsMs: readonly number[];
}
