import type { Organizations } from '../../organizations/index.js';
import type { Api, Authentication } from '../http/index.js';
import type { UserSessions } from '../sessions/index.js';
import type { Users } from '../users/index.js';
import { ASSET_TYPES, type Asset, assetRoute } from './asset.js';
import { pageDialect } from './dialect.js';
import { docsRoutes, type OpenApiBytes, shortDocsRoutes } from './docs.js';
import { logInFormRoute, logInRoute } from './log-in.js';
import { logOutRoute } from './log-out.js';
import { ASSETS_PATH } from './page.js';
import { welcomeRoute } from './welcome.js';

export interface PageParts {
  readonly users: Users;
  readonly sessions: UserSessions;
  readonly organizations: Pick<Organizations, 'directory'>;
  /** Of Ferry; shown to who has logged in. */
  readonly version: string;
}

/** Pages for people: the first one, log-in and log-out, the live API, and what they load. */
export function pageApis(
  { users, sessions, organizations, version }: PageParts,
  document: OpenApiBytes,
  authentication: Authentication,
): readonly Api[] {
  // Nothing is asked of the parts before a request comes.
  const known = { current: () => organizations.directory.current() };
  const manners = { authentication, dialect: pageDialect };
  return [
    {
      ...manners,
      name: 'first-page',
      description: 'The page that leads to everything, and what pages load.',
      // What else is unknown is answered as to programs.
      prefixes: [],
      slashes: 'as written',
      routes: [
        welcomeRoute(sessions, version),
        assetRoute(ASSETS_PATH, 'pageAsset', 'A file that pages load', ASSETS),
      ],
    },
    {
      ...manners,
      name: 'log-in',
      description: 'Pages by which people log in and out.',
      prefixes: ['/admin/'],
      slashes: 'redirected',
      routes: [
        logInFormRoute(),
        logInRoute({ users, sessions, organizations: known }),
        logOutRoute(sessions),
      ],
    },
    {
      ...manners,
      name: 'docs',
      description: 'The page that shows this document, and tries its calls.',
      prefixes: ['/api/v1/docs', '/api/v1/redoc'],
      slashes: 'redirected',
      routes: docsRoutes(document),
    },
    {
      ...manners,
      name: 'doc',
      description: 'The same page and document, where clients of `/v1/dyn` look for them.',
      prefixes: ['/v1/doc'],
      slashes: 'either',
      routes: shortDocsRoutes(document),
    },
  ];
}

const ASSETS = {
  'frame.css': ofPackage('frame.css', 'css'),
  'pages.css': ofPackage('pages.css', 'css'),
  'docs.js': ofPackage('docs.js', 'js'),
  'forms.js': ofPackage('forms.js', 'js'),
  'icon.svg': ofPackage('icon.svg', 'svg'),
};

/** They stand in the package beside the source: seen from `dist/nbi/pages/`. */
function ofPackage(file: string, kind: keyof typeof ASSET_TYPES): Asset {
  return {
    at: () => new URL(`../../../nbi/pages/assets/${file}`, import.meta.url),
    contentType: ASSET_TYPES[kind],
  };
}
