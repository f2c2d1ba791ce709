import type { BatchId, CpeId, RuleId } from '../../common/index.js';
import { type Build, type ImageLibrary, targetVersionOf } from '../../firmware/index.js';
import { type Condition, type OwnedRule, ruleIdIn } from '../../rules/index.js';
import { imageMeant, type OperationImage, operationIdOf, whyNotMeant } from '../operations/index.js';
import type { Batch } from './batch.js';

type Acting = Pick<Batch, 'id' | 'organization' | 'name' | 'notBefore' | 'notAfter' | 'limits' | 'priority'>;

/** What a rule of a batch sends, and what its CPE is to report then; without a target what the image says. */
export interface Sent {
  readonly file: string;
  readonly target?: { readonly softwareVersion: string };
}

/** As of all rules; a cpeid may be longer. */
const RULE_ID_CHARACTERS_MAX = 256;

/** The id of a batch's rule for one CPE, as it is stored. */
export function pinnedRuleId({ id, organization }: Pick<Batch, 'id' | 'organization'>, cpeid: CpeId): RuleId {
  return ruleIdIn(organization, pinnedId(id, cpeid));
}

/** The id of the rule of a batch by condition, as it is stored. */
export function fleetRuleId({ id, organization }: Pick<Batch, 'id' | 'organization'>): RuleId {
  return ruleIdIn(organization, fleetId(id));
}

/** A batch's rule for one CPE. */
export function pinnedRule(batch: Acting, cpeid: CpeId, sent: Sent): OwnedRule {
  return { ...ruleOf(batch, sent), id: pinnedId(batch.id, cpeid), whom: { cpeid } };
}

/** The rule of a batch by condition: all of it. */
export function fleetRule(batch: Acting, condition: Condition, sent: Sent): OwnedRule {
  const { limits } = batch;
  return {
    ...ruleOf(batch, sent),
    id: fleetId(batch.id),
    whom: { condition },
    ...(limits !== undefined && { limits }),
  };
}

/** What a batch of a build sends, whichever image of it. */
export function sentOf(file: string, build: Build | null): Sent {
  return build === null ? { file } : { file, target: { softwareVersion: targetVersionOf(build) } };
}

/** Why an image cannot be sent by its name: there is none of it any more, or it means another. */
export type UnmeantReason = NonNullable<Awaited<ReturnType<typeof whyNotMeant>>>;

/** What the name of an image means, and meant when it was chosen. */
export class MeantImages {
  readonly #library: Pick<ImageLibrary, 'get'>;

  constructor(library: Pick<ImageLibrary, 'get'>) {
    this.#library = library;
  }

  /** The image that a batch of an organization means by a name. @returns null where there is none */
  named(name: string, organization: string | undefined): Promise<OperationImage | null> {
    return imageMeant(this.#library, { file: name, organization });
  }

  /**
   * Of those images that a batch of an organization cannot send by their names, why, by their numbers: rules name images by name.
   * @param images  each of them any number of times
   */
  async whyNot(
    images: readonly OperationImage[],
    organization: string | undefined,
  ): Promise<ReadonlyMap<number, UnmeantReason>> {
    const reasons = new Map<number, UnmeantReason>();
    for (const [number, image] of new Map(images.map((each) => [each.number, each]))) {
      const reason = await whyNotMeant(this.#library, image, { file: image.name, organization });
      if (reason !== null) reasons.set(number, reason);
    }
    return reasons;
  }
}

function ruleOf({ name, priority, notBefore, notAfter }: Acting, { file, target }: Sent) {
  return {
    file,
    description: `Batch ${name}`,
    priority,
    executions: 1,
    ...(target !== undefined && { target }),
    ...(notBefore !== undefined && { notBefore }),
    ...(notAfter !== undefined && { notAfter }),
  };
}

/** With the cpeid in it for people, where that is not longer than the id of a rule may be. */
function pinnedId(batch: BatchId, cpeid: CpeId): string {
  const id = `${fleetId(batch)}:${cpeid}`;
  return id.length <= RULE_ID_CHARACTERS_MAX ? id : `${fleetId(batch)}:${operationIdOf(batch, cpeid)}`;
}

function fleetId(batch: BatchId): string {
  return `batch:${batch}`;
}
