/** Origins, and users by origin, that are remembered; those that were right longest ago are forgotten first. */
export const FAMILIAR_MAX = 10_000;

/** From where somebody has logged in since the process began: what guesses from elsewhere use up does not concern them. */
export class Familiar {
  readonly #origins = new Set<string>();
  readonly #users = new Set<string>();

  /** To be called where a password was right. */
  note(origin: string, user: string): void {
    renew(this.#origins, origin);
    renew(this.#users, `${origin} ${user}`);
  }

  /** Whether anybody has logged in from there. */
  hasOrigin(origin: string): boolean {
    return this.#origins.has(origin);
  }

  /** Whether this user has. */
  hasUser(origin: string, user: string): boolean {
    return this.#users.has(`${origin} ${user}`);
  }
}

function renew(keys: Set<string>, key: string): void {
  keys.delete(key);
  keys.add(key);
  if (keys.size <= FAMILIAR_MAX) return;
  const [oldest] = keys;
  if (oldest !== undefined) keys.delete(oldest);
}
