import { type AskedUpload, type Build, type Image, ImageError } from '../../firmware/index.js';
import { freeName, otherName, storedName } from '../images/index.js';
import { type ImageForm, readImageForm } from './image-form.js';
import { inUpgraderWords } from './library-errors.js';
import {
  type BodyData,
  type Call,
  type Field,
  type FieldProblems,
  fieldProblems,
  mediaTypeOf,
  PARTS_TYPE,
  wrongFields,
} from './manners/index.js';
import type { EndpointContext } from './parts.js';

/** What can stand around a file in its form. */
const FORM_BYTES_MAX = 64 * 1024;
const MIB = 1024 * 1024;

const NO_FILE = 'No file was submitted.';
const NULL_FILE = 'This field may not be null.';
const IS_NO_FILE = 'The submitted data was not a file. Check the encoding type on the form.';
const EMPTY_FILE = 'The submitted file is empty.';
const UNKNOWN_TYPE = 'Could not find boards for this type';

/**
 * Uploads what a form brings into a build.
 * @throws UpgraderError 400 with what is wrong with its fields; ApiError, ImageError, UploadError
 */
export async function upload(
  context: EndpointContext,
  fields: readonly Field[],
  build: Build,
  call: Call,
): Promise<Image> {
  const { request } = call;
  if (mediaTypeOf(request) !== PARTS_TYPE) throw await withoutFile(fields, await call.body());
  const { imageBytesMax } = context.options;
  const tooLarge = tooLargeText(imageBytesMax);
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced - FORM_BYTES_MAX > imageBytesMax) throw wrongFields({ file: [tooLarge] });
  const form = await readImageForm(request, imageBytesMax);
  try {
    const { file } = form;
    if (file === null) throw await withoutFile(fields, { isForm: true, values: form.values });
    const place = await placing(context, fields, build, form);
    return await inUpgraderWords(() => uploaded(context, build, call, { file, place }), {
      model: 'Build',
    }).catch(async (error: unknown) => {
      throw await worded(error, form, fields, tooLarge);
    });
  } finally {
    form.leave();
  }
}

/** What is wrong where no file comes at all. */
async function withoutFile(fields: readonly Field[], body: BodyData): Promise<Error> {
  const sent = Object.hasOwn(body.values, 'file') ? body.values['file'] : undefined;
  const file = sent === undefined ? NO_FILE : sent === null ? NULL_FILE : IS_NO_FILE;
  return wrongFields({ file: [file], ...(await fieldProblems(fields, body, { isPartial: false })) });
}

type PlaceOf = Pick<AskedUpload, 'place' | 'placeBehind'>;

/** Where in the build it is to stand: what stands before the file says it, else what stands behind it. @throws UpgraderError 400 */
async function placing(
  context: EndpointContext,
  fields: readonly Field[],
  { id }: Build,
  form: ImageForm,
): Promise<PlaceOf> {
  const told = async () => {
    const body = { isForm: true, values: form.values };
    const problems = await fieldProblems(fields, body, { isPartial: false });
    if (Object.keys(problems).length > 0) throw wrongFields(problems);
    return { build: id, type: typeOf(context, String(form.values['type']), form.file?.name ?? '') };
  };
  // Also where it is known: nothing becomes an image of a form that is not whole.
  const placeBehind = async () => {
    await form.ended();
    return told();
  };
  return Object.hasOwn(form.values, 'type') ? { place: await told(), placeBehind } : { placeBehind };
}

/** @throws UpgraderError 400 where it is left to the name of the file, which does not say it */
function typeOf({ options }: EndpointContext, said: string, fileName: string): string {
  if (said !== '') return said;
  const found = options.types.inFileName(fileName);
  if (found === null) throw wrongFields({ type: [UNKNOWN_TYPE] });
  return found.type;
}

interface Coming {
  readonly file: NonNullable<ImageForm['file']>;
  readonly place: PlaceOf;
}

async function uploaded(
  context: EndpointContext,
  { organization }: Build,
  { asking: { by }, exchange }: Call,
  { file, place }: Coming,
): Promise<Image> {
  const { uploads, places } = context;
  const name = await freeName(context.images, storedName(file.name), organization);
  const asked: AskedUpload = {
    metadata: { name },
    // Another may have come to be called so while it came.
    otherName,
    ...(organization !== undefined && { organization }),
    content: file.content,
    by,
    uploadedBy: by.name,
    ...place,
  };
  const { image } = await places.run(by.name, exchange.over, () => uploads.upload(asked));
  return image;
}

/** What is wrong with the file, along with what is wrong with the rest of the form where all of that has come. */
async function worded(
  error: unknown,
  form: ImageForm,
  fields: readonly Field[],
  tooLarge: string,
): Promise<unknown> {
  if (form.isTooLarge()) return wrongFields({ file: [tooLarge] });
  const refusal = form.refusal();
  if (refusal !== null) return refusal;
  if (!(error instanceof ImageError)) return error;
  switch (error.code) {
    case 'empty':
      form.skip();
      await form.ended();
      return wrongFields({
        file: [EMPTY_FILE],
        ...(await fieldProblems(fields, { isForm: true, values: form.values }, { isPartial: false })),
      });
    case 'too-large':
    case 'invalid':
    case 'contradiction':
    case 'invalid-metadata':
    case 'name-taken':
      return wrongFields({ file: [error.message] } satisfies FieldProblems);
    default:
      return error;
  }
}

function tooLargeText(bytesMax: number): string {
  return `The file may not be larger than ${(bytesMax / MIB).toFixed(1)}\u00a0MB.`;
}
