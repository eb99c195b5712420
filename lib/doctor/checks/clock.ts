/** This machine's clock beside the service's, by the Date header of an answer (RFC 9110, 6.6.1). */
import { finding, skipped } from '../catalog/catalog.js';
import type { Check } from '../check.js';
import type { DoctorFinding } from '../report.js';

/** Below, the header's whole seconds and the way's delay may be all of it. */
const toleranceMs = 5_000;
/** What AWS allows a signature (AWS general reference, SigV4). */
const signatureMs = 5 * 60_000;

export const clockCheck: Check = {
  topic: 'clock',
  run: async ({ aws }) => {
    const reached = await aws.reach(aws.controlPlaneUrl);
    const aheadMs = reached.ok ? reached.value.clockAheadMs : undefined;
    if (aheadMs === undefined) return [skipped('clock', 'no answer of the service told its time')];
    return [clockFinding(aheadMs)];
  },
};

/** @param serviceAheadMs - how far the service's clock is ahead of this machine's. Pure. */
function clockFinding(serviceAheadMs: number): DoctorFinding {
  const offMs = Math.abs(serviceAheadMs);
  const seconds = Math.max(1, Math.round(offMs / 1_000));
  const direction = serviceAheadMs > 0 ? 'behind' : 'ahead of';
  if (offMs < toleranceMs) return finding('clock.ok', { seconds: toleranceMs / 1_000 });
  return offMs < signatureMs
    ? finding('clock.off', { seconds, direction })
    : finding('clock.wrong', { minutes: Math.round(offMs / 60_000), direction });
}
