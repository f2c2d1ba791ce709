/** By what means it is known who somebody is. `digest`: the MD5 of his password, at the log-in that takes it. */
export const PROOFS = ['password', 'digest', 'token', 'session', 'command', 'rule-file'] as const;
export type Proof = (typeof PROOFS)[number];

/** Who does something, and from where. */
export interface Actor {
  /** Of the user; of a command whoever runs it, as the system names him; of a rule file its name. */
  readonly name: string;
  readonly how: Proof;
  /** The id of the token or the session that was shown. */
  readonly credential?: string;
  /** The organization that a user is of; absent: the installation's. */
  readonly organization?: string;
  /** Of the client, without proxies. */
  readonly address?: string;
  /** `X-Request-Id` of the answer. */
  readonly requestId?: string;
}

/** Whoever runs a command on a machine of the installation. */
export function byCommand(name: string): Actor {
  return { name, how: 'command' };
}

/** Whoever may change a rule file. */
export function byRuleFile(path: string): Actor {
  return { name: path, how: 'rule-file' };
}
