/** The shape of the answer, under `#/components/schemas`. */
export const collectedImagesSchema = {
  type: 'object',
  required: ['dryRun', 'removedCount', 'keptCount', 'removed', 'removedBuilds', 'kept'],
  properties: {
    dryRun: { type: 'boolean' },
    removedCount: { type: 'integer' },
    keptCount: { type: 'integer' },
    removed: {
      type: 'array',
      description: 'What was deleted, or would be: the first 1,000.',
      items: {
        type: 'object',
        required: ['name', 'sizeBytes', 'sha256'],
        properties: { name: { type: 'string' }, sizeBytes: { type: 'integer' }, sha256: { type: 'string' } },
      },
    },
    removedBuilds: {
      type: 'array',
      description: 'Builds that went with the last of their images, or would: the first 1,000.',
      items: {
        type: 'object',
        required: ['id', 'category', 'version'],
        properties: {
          id: { type: 'string' },
          category: { type: 'string' },
          version: { type: 'string' },
        },
      },
    },
    kept: {
      type: 'array',
      description: 'What stays: the first 1,000.',
      items: {
        type: 'object',
        required: ['name', 'because'],
        properties: {
          name: { type: 'string' },
          because: {
            enum: [
              'young',
              'newest',
              'newest-build',
              'build-stays',
              'named-by-rule',
              'upgrade-running',
              'used-lately',
              'not-looked-at',
              'changed-meanwhile',
            ],
          },
          rules: {
            type: 'array',
            items: { type: 'string' },
            description: 'Rules that name it, the first 10.',
          },
        },
      },
    },
  },
} as const;
