import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Attack } from '../attack.js';
import { ruleFile, ruleFileName } from '../rule-directory.js';

const CHANGE_MS = 2_500;

/** K3: work that grows with what is stored in files. */
export const RULE_FILES: readonly Attack[] = [
  {
    name: 'rule-files',
    finding: 24,
    describe: '55 MB of rule files, of which one rule changes every 2.5 seconds',
    server: { hasRuleFiles: true },
    begin({ rulesDir }, tally) {
      const change = async (turn: number): Promise<void> => {
        // As deployments do it: the new file is put in the place of the old one.
        const unfinished = join(rulesDir, '.changed');
        await writeFile(unfinished, ruleFile(0, `changed ${turn}`));
        await rename(unfinished, join(rulesDir, ruleFileName(0)));
        tally.add('changes');
        setTimeout(() => void change(turn + 1), CHANGE_MS);
      };
      void change(1);
    },
  },
];
