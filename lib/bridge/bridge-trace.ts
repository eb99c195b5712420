/** OpenTelemetry spans of a Bridge's start and of its reconnects. */
import { ROOT_CONTEXT, SpanStatusCode, context, trace } from '@opentelemetry/api';
import type { Attributes, Context, Span } from '@opentelemetry/api';
import type { ErrorCode } from '../util/errors.js';
import { packageVersion } from '../util/package-version.js';
import { redact } from '../util/redact.js';
import { BridgeState, bridgeSteps } from './events.js';
import type { BridgeStep, StateChange } from './events.js';
import type { BridgeSettings } from './options.js';

/** A span that lasts until media is recorded, and the steps on the way there. */
interface Journey {
  readonly span: Span;
  readonly context: Context;
  /** Where the next step begins, Unix epoch ms. */
  stepBeganMs: number;
  /** Index among {@link bridgeSteps} of the step that was made last; -1 before the first. */
  made: number;
}

/**
 * Makes spans through `@opentelemetry/api`, which go nowhere unless the program registered a tracer
 * provider: one from the start to the first PERSISTED, and one from the end of each session to the
 * next PERSISTED, with a child for each step.
 */
export class BridgeTrace {
  readonly #attributes: Attributes;
  #journey: Journey | undefined;
  /** The span of the start: reconnects are traces of their own that refer to it. */
  #start: Span | undefined;

  constructor({ channel, stream, region }: BridgeSettings) {
    this.#attributes = {
      'kvs_bridge.channel': channel,
      'kvs_bridge.stream': stream,
      'cloud.region': region,
    };
  }

  onState({ state, previous, atMs, reason, code }: StateChange): void {
    switch (state) {
      case BridgeState.starting:
        // Within the span of whoever starts it, if there is one.
        this.#journey = this.#begin('kvs-bridge start', context.active(), atMs);
        this.#start = this.#journey.span;
        return;
      case BridgeState.reconnecting:
        this.#onSessionEnd(previous, atMs, reason, code);
        return;
      case BridgeState.recording:
        this.#made('persisted', atMs);
        this.#end(atMs);
        return;
      case BridgeState.stopped:
        if (code !== undefined) this.#fail(code, reason);
        this.#end(atMs);
        return;
      default:
        return;
    }
  }

  /** A step was made, perhaps not for the first time. */
  onStep(step: BridgeStep): void {
    // The state tells: a session that still drains has its media persisted too.
    if (step !== 'persisted') this.#made(step, Date.now());
  }

  #onSessionEnd(
    previous: BridgeState,
    atMs: number,
    reason: string | undefined,
    code: ErrorCode | undefined,
  ): void {
    const attributes = code === undefined ? {} : { 'error.type': code };
    if (this.#journey !== undefined) {
      // The same journey, by another session.
      const cause = reason === undefined ? {} : { 'kvs_bridge.reason': redact(reason) };
      this.#journey.span.addEvent('session ended', { ...attributes, ...cause }, atMs);
      this.#journey.stepBeganMs = atMs;
      this.#journey.made = -1;
      return;
    }
    this.#journey = this.#begin('kvs-bridge reconnect', ROOT_CONTEXT, atMs);
    const { span } = this.#journey;
    span.setAttributes({ ...attributes, 'kvs_bridge.previous_state': previous });
    if (reason !== undefined) span.setAttribute('kvs_bridge.reason', redact(reason));
  }

  #begin(name: string, parent: Context, startTime: number): Journey {
    const span = this.#tracer().startSpan(
      name,
      {
        startTime,
        attributes: this.#attributes,
        ...(this.#start === undefined ? {} : { links: [{ context: this.#start.spanContext() }] }),
      },
      parent,
    );
    return { span, context: trace.setSpan(parent, span), stepBeganMs: startTime, made: -1 };
  }

  #made(step: BridgeStep, atMs: number): void {
    const journey = this.#journey;
    const index = bridgeSteps.indexOf(step);
    if (journey === undefined || index <= journey.made) return;
    // Before its first media a session uploads nothing: that is the one before, which drains.
    if (step === 'uploading' && journey.made < bridgeSteps.indexOf('connected')) return;
    journey.made = index;
    this.#tracer()
      .startSpan(
        step,
        { startTime: journey.stepBeganMs, attributes: this.#attributes },
        journey.context,
      )
      .end(atMs);
    journey.stepBeganMs = atMs;
  }

  #fail(code: ErrorCode, reason = ''): void {
    const { span } = this.#journey ?? {};
    span?.setAttribute('error.type', code);
    span?.setStatus({ code: SpanStatusCode.ERROR, message: redact(reason) });
  }

  #end(atMs: number): void {
    this.#journey?.span.end(atMs);
    this.#journey = undefined;
  }

  #tracer(): ReturnType<typeof trace.getTracer> {
    return trace.getTracer('kvs-bridge', packageVersion());
  }
}
