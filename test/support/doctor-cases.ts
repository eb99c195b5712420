/** Set-ups that are broken on purpose, and what doctor has to say of them. */
import type { DoctorReport } from '../../lib/index.js';

/** One of them. */
export interface BrokenSetUp {
  readonly name: string;
  /** What doctor has to find, */
  readonly id: string;
  /** and part of the fix that it has to name. */
  readonly fix: string | RegExp;
  /** Breaks it, and looks. */
  readonly diagnose: () => Promise<DoctorReport>;
  /** Why it cannot be broken here. */
  readonly skip?: string | undefined;
}

/** Variables that lead to credentials or regions of whoever runs the tests. */
const foreign = /^(?:AWS_|KVS_BRIDGE_)/;

/** Runs `work` with no AWS variables but these, and no instance role. */
export async function withVariables<T>(
  variables: Readonly<Record<string, string>>,
  work: () => Promise<T>,
): Promise<T> {
  const before = { ...process.env };
  for (const name of Object.keys(before))
    if (foreign.test(name)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, {
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/nonexistent',
    AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
    ...variables,
  });
  try {
    return await work();
  } finally {
    for (const name of Object.keys(process.env)) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, before);
  }
}
