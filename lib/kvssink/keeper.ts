/** Keeps what one session's kvssink needs on disk: credentials, log configuration, log. */
import { join } from 'node:path';
import type { AwsCredentials } from '../aws/credentials.js';
import { writeCredentialFile } from './credential-file.js';
import { ElementLog, writeLogConfig } from './element-log.js';
import { makePrivateFolder } from './private-folder.js';

/** Settings of kvssink; the other half is native/media/sinks/kvs_element.h. */
export interface NativeKvsSinkOptions {
  readonly streamName: string;
  readonly region: string;
  readonly credentialFile: string;
  readonly logConfigFile: string;
  readonly retentionHours: number;
  /** Heap of the element, in MiB, at least 10. */
  readonly storageMib: number;
  /** How much media may wait for the element, in bytes. */
  readonly queueBytes: number;
  readonly stopTimeoutSeconds: number;
}

/** Where and how long the element stores. */
export interface KvsSinkSettings {
  readonly streamName: string;
  readonly region: string;
  /** Of the stream. */
  readonly retentionHours: number;
  /** Most media to hold in memory, in bytes. */
  readonly bufferBytes: number;
  /** How long the session waits for the last acknowledgement, in ms. */
  readonly drainTimeoutMs: number;
}

const bytesPerMib = 1024 * 1024;

/** The SDK's least heap. */
const leastStorageMib = 10;

/** The private folder of a media process, and what goes into it. */
export class KvsSinkKeeper {
  readonly log: ElementLog;
  readonly #folder: string;

  /**
   * Makes the folder.
   *
   * @param folder - see `privateFolderName`
   * @param ca - PEM of the authority that the element is to trust, beside its own
   */
  constructor(folder: string, ca?: string) {
    makePrivateFolder(folder, ca);
    this.#folder = folder;
    this.log = new ElementLog(folder);
  }

  /** @throws {@link AwsError} when the element could not use them */
  setCredentials(credentials: AwsCredentials): void {
    writeCredentialFile(this.#credentialFile, credentials);
  }

  /** Settings of the native side. A quarter of the buffer is for an element that still connects. */
  nativeOptions(settings: KvsSinkSettings): NativeKvsSinkOptions {
    const { streamName, region, retentionHours, bufferBytes, drainTimeoutMs } = settings;
    return {
      ...{ streamName, region, retentionHours },
      credentialFile: this.#credentialFile,
      logConfigFile: writeLogConfig(this.#folder),
      storageMib: Math.max(leastStorageMib, Math.ceil((bufferBytes * 0.75) / bytesPerMib)),
      queueBytes: Math.ceil(bufferBytes / 4),
      stopTimeoutSeconds: Math.min(20, Math.max(5, Math.ceil(drainTimeoutMs / 1_000))),
    };
  }

  get #credentialFile(): string {
    return join(this.#folder, 'credentials');
  }
}
