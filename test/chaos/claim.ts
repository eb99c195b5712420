/** What a bridge said is stored, fragment by fragment. */
import { ledgerPath, readLedgerFile } from '../../lib/ledger/read-ledger.js';
import type { BridgeEvent } from './bridge-runner.js';

/** A fragment that was told as persisted. */
export interface Claim {
  /** By the producer's clock, Unix epoch ms. */
  readonly timecodeMs: number;
  readonly videoFrames: number;
}

/** From the `persisted` events of a bridge. */
export function claimsIn(events: readonly BridgeEvent[]): readonly Claim[] {
  return events
    .filter(({ event }) => event === 'persisted')
    .map(({ timecodeMs, videoFrames }) => ({
      timecodeMs: Number(timecodeMs),
      videoFrames: Number(videoFrames),
    }));
}

/**
 * From the lines of a bridge's ledger; one that was compacted has fewer.
 *
 * @param stateFolder - the bridge's
 */
export async function readClaims(stateFolder: string, stream: string): Promise<readonly Claim[]> {
  const ledger = await readLedgerFile(ledgerPath(stateFolder, stream));
  return (ledger?.lines ?? []).flatMap((line) =>
    line.type === 'stored' ? [{ timecodeMs: line.fromMs, videoFrames: line.frames }] : [],
  );
}
