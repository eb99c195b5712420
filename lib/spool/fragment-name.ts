/** The names of fragments' files, which tell what became of them. */

/** What a file's name tells. */
export interface FragmentName {
  readonly timecodeMs: number;
  readonly epoch: number;
  /** Some of it may have gone to KVS. */
  readonly isSent: boolean;
  /** KVS has stored it by this number; the file is about to be deleted. */
  readonly fragmentNumber?: string;
}

/** The name of a fragment's file: when it begins, its epoch, and how far it got. */
export function fragmentFileName(name: FragmentName): string {
  const { timecodeMs, epoch, isSent, fragmentNumber } = name;
  if (fragmentNumber !== undefined) return `${timecodeMs}-${epoch}-${fragmentNumber}.stored`;
  return `${timecodeMs}-${epoch}.${isSent ? 'sent' : 'fragment'}`;
}

/** Reads what {@link fragmentFileName} wrote; undefined for any other name. */
export function parseFragmentFileName(name: string): FragmentName | undefined {
  const [, timecode, epoch, stored, state] =
    /^(\d{1,15})-(\d{1,9})(?:-(\d{1,128})\.stored|\.(fragment|sent))$/.exec(name) ?? [];
  if (timecode === undefined || epoch === undefined) return undefined;
  const place = { timecodeMs: Number(timecode), epoch: Number(epoch) };
  if (stored !== undefined) return { ...place, isSent: true, fragmentNumber: stored };
  return { ...place, isSent: state === 'sent' };
}
