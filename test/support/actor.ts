import { type Actor, byCommand } from '../../events/index.js';

/** Whoever makes the changes of a test that is not about who made them. */
export const BY: Actor = byCommand('test');
