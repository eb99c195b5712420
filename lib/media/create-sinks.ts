/** Makes the sinks of a session, for what it is to store and where. */
import type { AwsCredentials } from '../aws/credentials.js';
import type { KvsSinkKeeper } from '../kvssink/keeper.js';
import { KvsSink } from '../kvssink/kvs-sink.js';
import { lookUpByListFragments } from '../putmedia/list-fragments.js';
import type { FragmentOwner } from '../putmedia/media-sink.js';
import { PutMediaSink } from '../putmedia/put-media-sink.js';
import { kvsUploadQuota } from '../putmedia/upload-pace.js';
import { StreamSpool } from '../spool/stream-spool.js';
import type { SpoolPlace, UploadOptions } from './media-session.js';
import { loadNative } from './native.js';
import { SessionSinks } from './session-sinks.js';

/** What {@link createSinks} works with. */
export interface SinkInputs {
  readonly upload: UploadOptions;
  /** Set when kvssink stores what it can. */
  readonly keeper: KvsSinkKeeper | undefined;
  /** The session, as its ledger names it; undefined without one. */
  readonly owner: FragmentOwner | undefined;
  /** The keys to sign with. @param refused - those given before are of no use */
  readonly credentials: (refused: boolean) => Promise<AwsCredentials>;
}

/** @throws {@link OptionsError} for an endpoint that is none */
export function createSinks({ upload, keeper, owner, credentials }: SinkInputs): SessionSinks {
  const { dataEndpoint, archiveEndpoint, spool, ...options } = upload;
  const isPersisted =
    archiveEndpoint === undefined || !options.expectPersisted
      ? undefined
      : lookUpByListFragments({
          ...options,
          endpoint: archiveEndpoint,
          credentials: () => credentials(false),
        });
  const lookUp = isPersisted === undefined ? {} : { isPersisted };
  const hasSpool = spool !== undefined && keeper === undefined;
  const putMedia = new PutMediaSink({
    ...options,
    ...lookUp,
    ...(hasSpool ? { spool: createSpool(spool, options.streamName, owner) } : {}),
    endpoint: dataEndpoint,
    quota: kvsUploadQuota,
    credentials: ({ refused }) => credentials(refused),
  });
  if (keeper === undefined) return new SessionSinks(putMedia, undefined);
  const { log } = keeper;
  const kvs = new KvsSink({
    ...lookUp,
    streamName: options.streamName,
    persistTimeoutMs: options.kvssink.persistTimeoutMs,
    readLog: () => log.read(),
  });
  return new SessionSinks(putMedia, kvs);
}

function createSpool(
  place: SpoolPlace,
  streamName: string,
  owner: FragmentOwner | undefined,
): StreamSpool {
  return new StreamSpool({
    ...place,
    streamName,
    ...(owner === undefined ? {} : { owner: { run: owner.run, session: owner.session } }),
    tryLock: (fd) => loadNative().tryLockFile(fd),
  });
}
