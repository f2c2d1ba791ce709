import type { Image, UploadRecord } from '../../firmware/index.js';
import { type Answer, jsonAnswer, ref } from '../http/index.js';
import type { IMAGE_STATES } from './service-definitions.js';

type ImageState = (typeof IMAGE_STATES)[number];

/** An image as the API shows it. */
export interface ImageView {
  readonly id: number;
  readonly state: ImageState;
  readonly state_description: string;
  /** 0 to 100; always there, as the vendor's client has no other sign that what it sent has come. */
  readonly progress: number;
  readonly checksum?: string;
  readonly version?: string;
}

/** While bytes come it is never 100: that says that all are there. */
const PROGRESS_COMING_MAX = 99;

/** @param image  one that has a number */
export function imageView({ number = 0, sha256, softwareVersion, name, warnings = [] }: Image): ImageView {
  return {
    id: number,
    state: 'VALID',
    state_description: [`The image ${name}`, ...warnings].join('; '),
    progress: 100,
    checksum: sha256,
    ...(softwareVersion !== undefined && { version: softwareVersion }),
  };
}

/**
 * An image on its way, or one that has come to nothing; null for one that is shown as an image, or not any more. The progress of what has ended is 100
 * however it ended: the vendor's client waits for that, and looks at the state only then.
 */
export function comingView(upload: UploadRecord): ImageView | null {
  const { number, state, metadata, reason, sha256 } = upload;
  if (number === undefined) return null;
  const said = {
    ...(sha256 !== undefined && { checksum: sha256 }),
    ...(metadata.softwareVersion !== undefined && { version: metadata.softwareVersion }),
  };
  const why = reason?.message ?? 'it is not known why';
  const view = (shown: ImageState, state_description: string, progress: number): ImageView => {
    return { id: number, state: shown, state_description, progress, ...said };
  };
  switch (state) {
    case 'uploading':
      return view('UPLOADING', 'Its bytes come', coming(upload));
    case 'validating':
      return view('VALIDATING', 'All of it has come, and is looked at', 100);
    case 'invalid':
      return view('INVALID', `It cannot be used: ${why}`, 100);
    case 'upload-error':
      return view('UPLOAD_ERROR', `It has not come: ${why}`, 100);
    case 'valid':
    case 'cancelled':
      return null;
    default:
      return state satisfies never;
  }
}

function coming({ receivedBytes, sizeBytes = 0 }: UploadRecord): number {
  if (sizeBytes === 0) return 0;
  return Math.min(PROGRESS_COMING_MAX, Math.floor((100 * receivedBytes) / sizeBytes));
}

/** An answer about one image. */
export function imageAnswer(description: string): Answer {
  return jsonAnswer(description, ref('SystemUpdateImage'), {
    id: 481_516_234,
    state: 'VALID',
    state_description: 'The image hgw-2.0.0.bin',
    progress: 100,
    checksum: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    version: '2.0.0',
  });
}
