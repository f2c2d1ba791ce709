import { BuildError } from '../../firmware/index.js';
import { noObject, notUnique, wrongFields } from './manners/index.js';

/**
 * Does what the library may refuse, and words that as the reference does.
 * @param wording  the model, as the reference calls it; what else the words need
 */
export async function inUpgraderWords<T>(
  work: () => Promise<T>,
  wording: { readonly model: string; readonly osTaken?: string },
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof BuildError ? worded(error, wording) : error;
  }
}

function worded(
  { code, field, expected }: BuildError,
  { model, osTaken = '' }: { readonly model: string; readonly osTaken?: string },
): Error {
  switch (code) {
    case 'not-found':
      return noObject(model);
    case 'name-taken':
      return notUnique('name', 'organization');
    case 'version-taken':
      return notUnique('category', 'version');
    case 'os-taken':
      return wrongFields({ os: [osTaken] });
    case 'type-taken':
      return wrongFields({ __all__: ['Firmware Image with this Build and Type already exists.'] });
    // What Ferry bounds and the reference does not.
    case 'invalid':
    case 'id-taken':
    case 'has-builds':
    case 'has-images':
    case 'too-many':
      return wrongFields({
        [field === '' || field === 'build' ? '__all__' : field]: [`Expected ${expected}.`],
      });
    default:
      return code satisfies never;
  }
}
