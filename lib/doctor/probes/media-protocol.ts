/** What doctor and its media probe say to each other. */
import * as v from 'valibot';
import { ErrorCode } from '../../util/errors.js';

const questionSchema = v.object({ elements: v.array(v.string()) });

const factsSchema = v.object({
  gstreamerVersion: v.string(),
  missing: v.array(v.object({ element: v.string(), package: v.string() })),
  kvssink: v.exactOptional(v.object({ file: v.string(), version: v.string() })),
});

const answerSchema = v.union([
  factsSchema,
  v.object({
    error: v.object({
      code: v.picklist(Object.values(ErrorCode)),
      message: v.string(),
      fix: v.exactOptional(v.string()),
    }),
  }),
]);

/** Which elements to look for. */
export type MediaQuestion = v.InferOutput<typeof questionSchema>;

/** What GStreamer has. */
export type MediaFacts = v.InferOutput<typeof factsSchema>;

/** The facts, or why there are none. */
export type MediaAnswer = v.InferOutput<typeof answerSchema>;

/** @throws when it is none */
export function parseMediaQuestion(message: unknown): MediaQuestion {
  return v.parse(questionSchema, message);
}

/** @throws when it is none */
export function parseMediaAnswer(message: unknown): MediaAnswer {
  return v.parse(answerSchema, message);
}
