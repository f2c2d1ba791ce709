import { VERDICTS } from '../../rules/index.js';
import { ref } from '../http/index.js';
import { collectedImagesSchema } from './collected-images.js';

/** The shapes of what methods answer, under `#/components/schemas`. */
export const methodSchemas = {
  Explanation: {
    type: 'object',
    required: ['cpeid', 'kind', 'winner', 'reason', 'upgrade', 'rules', 'omitted'],
    properties: {
      cpeid: { type: 'string' },
      softwareVersion: { type: 'string' },
      kind: {
        enum: ['upgrade', 'at-target', 'read', 'frozen', 'nothing'],
        description:
          'What a session would do now. at-target: a rule for this one CPE is recorded as done; read: the CPE is asked for parameters first.',
      },
      winner: {
        type: ['string', 'null'],
        description: 'Null also where it is a rule of the installation and an organization was asked about.',
      },
      reason: { type: 'string', description: 'Why the winner goes before the others, or why there is none.' },
      reads: { type: 'array', items: { type: 'string' }, description: 'What the CPE would be asked for.' },
      upgrade: { type: ['string', 'null'], description: 'The id of the result of the upgrade under way.' },
      rules: {
        type: 'array',
        description: 'In the order they are considered.',
        items: {
          type: 'object',
          required: ['id', 'verdict', 'priority'],
          properties: {
            id: { type: 'string' },
            organization: {
              type: 'string',
              description:
                'The slug of the organization whose rule it is; absent: of the installation, or of the one that was asked about.',
            },
            of: {
              const: 'installation',
              description:
                'A rule of the installation, of which an organization is told no more than that it holds: there are no conjuncts.',
            },
            verdict: { enum: VERDICTS },
            detail: { type: 'string' },
            priority: { type: 'number' },
            warning: ref('RuleWarning'),
            conjuncts: {
              type: 'array',
              items: {
                type: 'object',
                required: ['text', 'outcome', 'found'],
                properties: {
                  text: { type: 'string' },
                  column: { type: 'integer', description: 'Where it begins, from 1.' },
                  outcome: { enum: ['true', 'false', 'error', 'not-evaluated'] },
                  found: {
                    type: 'array',
                    items: {
                      type: 'object',
                      required: ['path'],
                      properties: {
                        path: {
                          type: 'string',
                          description: 'A field path, or a call that is compared with something.',
                        },
                        value: { description: 'Absent where the CPE has nothing there.' },
                      },
                    },
                  },
                  message: { type: 'string' },
                },
              },
            },
          },
        },
      },
      omitted: {
        type: 'integer',
        description: 'How many rules are not listed; of an organization how many of its own.',
      },
    },
  },
  MatchedCpe: {
    type: 'object',
    required: ['cpeid', 'verdict'],
    properties: {
      cpeid: { type: 'string' },
      softwareVersion: { type: 'string' },
      verdict: {
        enum: [
          ...VERDICTS,
          'condition-true',
          'parameters-unread',
          'frozen',
          'upgrade-under-way',
          'waits-to-be-enrolled',
        ],
      },
      detail: { type: 'string' },
    },
  },
  CollectedImages: collectedImagesSchema,
  MatchReport: {
    type: 'object',
    required: ['id', 'known', 'looked_at', 'matching', 'verdicts', 'cpes', 'errors', 'next'],
    properties: {
      id: { type: ['string', 'null'], description: 'The rule; null for a condition.' },
      as_though_enabled: {
        type: 'boolean',
        description: 'The rule is not enabled; this is as though it were.',
      },
      limits: { type: 'object', description: "The rule's own; they bound how many of the CPEs it takes." },
      known: {
        type: 'integer',
        description:
          'CPEs that this installation knows, or that belong to the organization that is asked about.',
      },
      looked_at: {
        type: 'integer',
        description: 'CPEs looked at: where an index shows that others cannot match they are passed over.',
      },
      matching: { type: 'integer', description: 'CPEs for which the condition is true.' },
      would_upgrade_now: { type: 'integer', description: 'Each looked at for itself.' },
      verdicts: { type: 'object', additionalProperties: { type: 'integer' } },
      cpes: { type: 'array', items: ref('MatchedCpe'), description: 'The first of those that match.' },
      errors: {
        type: 'array',
        items: ref('MatchedCpe'),
        description:
          'The first for which the condition failed, or that it names by a serial number which others have too (ambiguous-serial).',
      },
      next: {
        type: ['string', 'null'],
        description: 'Not all were looked at: give this as after to go on. Counts are those of one answer.',
      },
    },
  },
} as const;
