/** Where a program that uses the library has a say in what a Bridge does. */
import * as v from 'valibot';
import type { FragmentTag } from '../media/media-session.js';
import { iceServersSchema } from '../signaling/ice-servers.js';
import type { IceServer } from '../signaling/ice-servers.js';
import { abortable } from '../util/abort.js';
import { ErrorCode, KvsBridgeError } from '../util/errors.js';
import { rememberSecrets } from '../util/secrets.js';
import { checkTag } from './fragment-tags.js';

/** A session that is about to offer. */
export interface SessionPlan {
  /** Its UUID, which each of its fragments has in the tag `kvsb-session`. */
  readonly sessionId: string;
  /** The STUN and TURN servers that KVS gave out. The passwords are secret. */
  readonly iceServers: readonly IceServer[];
}

/** What a program wants otherwise. */
export interface SessionChanges {
  /** The servers to use instead: a TURN server of one's own, or fewer. */
  readonly iceServers?: readonly IceServer[];
  /** Metadata of this session's fragments, besides that of the `tags` option. */
  readonly tags?: Readonly<Record<string, string>>;
}

/** A fragment that begins. */
export interface FragmentStart {
  readonly epoch: number;
  /** Producer timestamp of its first frame, Unix epoch ms. */
  readonly timecodeMs: number;
}

/**
 * Functions that a Bridge calls. One that throws, rejects, answers nonsense or takes too long is told
 * as a `warning` (`KVSB_LISTENER`), and the Bridge goes on as if there were none: nothing of it stops
 * a recording.
 */
export interface BridgeHooks {
  /**
   * Called before each session offers, also before those that follow a loss. The offer waits for it,
   * 10 s at most.
   */
  readonly beforeSession?: (
    plan: SessionPlan,
    options: { readonly signal: AbortSignal },
  ) => SessionChanges | undefined | Promise<SessionChanges | undefined>;
  /**
   * Called when a fragment begins. What it returns is kept with the fragment after that one: a place,
   * a temperature, whatever changes with time. It must return at once.
   */
  readonly fragmentTags?: (fragment: FragmentStart) => Readonly<Record<string, string>> | undefined;
}

/** How long an offer waits for a hook, in ms. */
const hookLimitMs = 10_000;

const tagsSchema = v.record(v.string(), v.string());
const changesSchema = v.optional(
  v.strictObject({
    iceServers: v.exactOptional(iceServersSchema),
    tags: v.exactOptional(tagsSchema),
  }),
);

/** What a session is to do, once its hook has spoken. */
export interface PlannedSession {
  readonly iceServers: readonly IceServer[];
  readonly tags: readonly FragmentTag[];
}

/** Calls the hooks of a Bridge, and keeps it safe from them. */
export class Hooks {
  readonly #hooks: BridgeHooks;
  readonly #onWarning: (error: KvsBridgeError) => void;

  constructor(hooks: BridgeHooks, onWarning: (error: KvsBridgeError) => void) {
    this.#hooks = hooks;
    this.#onWarning = onWarning;
  }

  /** @throws the abort reason, and nothing else */
  async beforeSession(plan: SessionPlan, signal: AbortSignal): Promise<PlannedSession> {
    const unchanged = { iceServers: plan.iceServers, tags: [] };
    const { beforeSession } = this.#hooks;
    if (beforeSession === undefined) return unchanged;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(hookLimitMs)]);
    try {
      const answer = await abortable<unknown>((resolve, reject) => {
        Promise.resolve(beforeSession(plan, { signal: limit })).then(resolve, reject);
        return () => undefined;
      }, limit);
      const { iceServers = plan.iceServers, tags = {} } = v.parse(changesSchema, answer) ?? {};
      for (const { credential } of iceServers) rememberSecrets(credential);
      return { iceServers, tags: checkedTags(tags, 'beforeSession') };
    } catch (error) {
      signal.throwIfAborted();
      this.#warn('beforeSession', error);
      return unchanged;
    }
  }

  /** Tags for the fragment after this one. */
  fragmentTags(fragment: FragmentStart): readonly FragmentTag[] {
    try {
      const answer: unknown = this.#hooks.fragmentTags?.(fragment);
      return answer === undefined ? [] : checkedTags(v.parse(tagsSchema, answer), 'fragmentTags');
    } catch (error) {
      this.#warn('fragmentTags', error);
      return [];
    }
  }

  #warn(hook: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#onWarning(
      new KvsBridgeError(ErrorCode.listener, `The hook ${hook} failed: ${reason}`, {
        fix: 'Correct the hook; the recording goes on as if there were none.',
        cause: error,
      }),
    );
  }
}

/** @throws {@link OptionsError} for one that the service or the bridge cannot take */
function checkedTags(tags: Readonly<Record<string, string>>, hook: string): readonly FragmentTag[] {
  return Object.entries(tags).map(([name, value]) => {
    const tag = { name, value };
    checkTag(tag, hook);
    return tag;
  });
}
