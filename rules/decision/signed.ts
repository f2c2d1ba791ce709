import type { Change } from '../../store/index.js';
import type { SigningOfFile, StoredRule } from '../vocabulary/index.js';
import type { Refusal } from './gates.js';

/** By what it is told whether an image is signed, and of which rules that is asked. */
export interface SignatureMeans {
  readonly signingOf: SigningOfFile;
  /** It is asked of every rule, whatever that says itself. */
  readonly requiredOfAll: boolean;
}

/**
 * The gate of signatures: nothing is looked up for a rule that asks for none.
 * @returns what a commit that sends the image rests on
 */
export async function signingFor(
  { signingOf, requiredOfAll }: SignatureMeans,
  { file, organization, requireSignature = false }: StoredRule,
): Promise<Refusal | { readonly unchanged: readonly Change[] }> {
  if (!requiredOfAll && !requireSignature) return { unchanged: [] };
  const signing = await signingOf(file, organization);
  return signing.isSigned ? signing : { verdict: 'image-not-signed', detail: signing.detail };
}
