/** Waiting for events, with a deadline. */
import type { EventEmitter } from 'node:events';

/**
 * Resolves with the first event that fits.
 *
 * @param fits - receives the event's arguments
 * @param deadlineMs - rejects, naming the event, when none came by then
 */
export function eventThat<
  TEvents extends Record<keyof TEvents, unknown[]>,
  TName extends keyof TEvents & string,
>(
  emitter: EventEmitter<TEvents>,
  name: TName,
  fits: (...args: TEvents[TName]) => boolean,
  deadlineMs: number,
): Promise<TEvents[TName]> {
  return new Promise((resolve, reject) => {
    const plain = emitter as unknown as EventEmitter;
    const listener = (...args: unknown[]): void => {
      if (!fits(...(args as TEvents[TName]))) return;
      finish();
      resolve(args as TEvents[TName]);
    };
    const timer = setTimeout(() => {
      finish();
      reject(new Error(`no fitting "${name}" event within ${String(deadlineMs)} ms`));
    }, deadlineMs);
    const finish = (): void => {
      clearTimeout(timer);
      plain.off(name, listener);
    };
    plain.on(name, listener);
  });
}
