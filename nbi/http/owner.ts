import { type Scope, scopeOf } from './scope.js';

/** The id of the organization whose things alone a request is about; null: it is about everybody's. */
export function withinOf(exchange: Parameters<typeof scopeOf>[0]): string | null {
  return scopeOf(exchange).organization?.id ?? null;
}

/** The organization that something belongs to, by its slug, for users of the installation; others are told of nobody's but their own. */
export function ownerShown(
  { isInstallation, organizations }: Pick<Scope, 'isInstallation' | 'organizations'>,
  { organization }: { readonly organization?: string },
): { readonly organization?: string } {
  if (!isInstallation || organization === undefined) return {};
  return { organization: organizations.labelOf(organization) };
}
