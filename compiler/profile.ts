/** Profiles: JSON files that say how often each stable point of a module was passed in a run. */

import * as z from 'zod';
import { CompileError, type Profile } from '../passes/index.js';
import { pointKinds } from '../runtime/abi/index.js';
import { invalidProfile, profileOfAnotherModule } from './diagnostics.js';

const natural = z.number().int().nonnegative();

export const profileSchema: z.ZodType<Profile> = z.strictObject({
  original: z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hexadecimal'),
  points: z.array(z.strictObject({ function: z.string(), kind: z.enum(pointKinds), ordinal: natural, count: natural })),
});

/**
 * @param source where the text is from, for messages
 * @throws {CompileError} `options/invalid-profile`
 */
export function readProfile(text: string, source: string): Profile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CompileError(invalidProfile(source, 'it is not JSON'));
  }
  const result = profileSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new CompileError(invalidProfile(source, `${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'is wrong'}`));
}

/**
 * A profile of another module, or of an older build of this one, would leave out arbitrary points.
 * @param original SHA-256 of the module that is compiled, lower-case hexadecimal
 * @throws {CompileError} `options/profile-of-another-module`
 */
export function checkProfile(profile: Profile | undefined, original: string): void {
  if (profile === undefined || profile.original === original) return;
  throw new CompileError(profileOfAnotherModule(profile.original, original));
}
