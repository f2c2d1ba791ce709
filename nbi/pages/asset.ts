import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ApiError, type Parameter, type Route, route, TAG_HEADER } from '../http/index.js';
import { pageAnswers } from './page-answers.js';

/** A file that pages load. */
export interface Asset {
  /** Asked for when somebody first wants the file. */
  readonly at: () => URL;
  readonly contentType: string;
}

/** These alone are served, by their names: no name from outside becomes a path. */
export type Assets = Readonly<Record<string, Asset>>;

const NAME = {
  name: 'asset',
  in: 'path',
  required: true,
  schema: { type: 'string' },
  description: 'The name of the file.',
} as const satisfies Parameter;

/** A kind of file that pages load, as its media type is sent. */
export const ASSET_TYPES = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
} as const;

/**
 * `GET {path}{asset}`. Files are read once, when somebody first wants them; all who load one share its bytes.
 * @param path  with a slash at its end
 */
export function assetRoute(path: string, operationId: string, summary: string, assets: Assets): Route {
  const known = new Map(Object.entries(assets));
  const read = new Map<Asset, Promise<{ readonly bytes: Buffer; readonly tag: string }>>();
  const contentOf = (asset: Asset) => {
    const begun = read.get(asset);
    if (begun !== undefined) return begun;
    const content = readAsset(asset);
    read.set(asset, content);
    content.catch(() => read.delete(asset));
    return content;
  };
  return route({
    method: 'GET',
    path: `${path}{asset}`,
    parameters: [NAME],
    role: null,
    concerns: 'everyone',
    operationId,
    summary,
    answers: {
      '200': {
        description: 'The file',
        headers: TAG_HEADER,
        content: { '*/*': { schema: { type: 'string' } } },
      },
      '304': { description: 'The file is as the browser has it (If-None-Match)', headers: TAG_HEADER },
      ...pageAnswers('404', '429', '503'),
    },
    async handle({ response, parameters }) {
      const asset = known.get(parameters.asset ?? '');
      if (asset === undefined) throw new ApiError(404);
      const { bytes, tag } = await contentOf(asset);
      // A browser asks whether it has changed: with another version of Ferry it does.
      response.set({ 'Cache-Control': 'no-cache', ETag: tag });
      response.setHeader('Content-Type', asset.contentType);
      response.send(bytes);
    },
  });
}

async function readAsset({ at }: Asset): Promise<{ readonly bytes: Buffer; readonly tag: string }> {
  const bytes = await readFile(at());
  return { bytes, tag: `"${createHash('sha256').update(bytes).digest('base64url')}"` };
}
