import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IMAGE } from './stage-names.js';

const FILES = 25;
const RULES_A_FILE = 1_000;
/** So that all files together are 55 MB. */
const DESCRIPTION_CHARACTERS = 2_050;

export const ruleFileName = (file: number) => `bench-${file}.json`;

/** The last rule of the last file: once it is there all are. */
export const LAST_RULE = ruleId(FILES - 1, RULES_A_FILE - 1);

function ruleId(file: number, index: number): string {
  return `FILE_${file}_${index}`;
}

/** @param word  in the description of its first rule */
export function ruleFile(file: number, word: string): string {
  const description = 'd'.repeat(DESCRIPTION_CHARACTERS);
  const rules = Array.from({ length: RULES_A_FILE }, (_, index) => ({
    id: ruleId(file, index),
    file: IMAGE,
    condition: { cpeid: `00A1B2-NONE-${file}-${index}` },
    target: { softwareVersion: '1.0.0' },
    description: index === 0 ? `${word} ${description}` : description,
  }));
  return JSON.stringify(rules);
}

export async function writeRuleFiles(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (let file = 0; file < FILES; file++) {
    await writeFile(join(directory, ruleFileName(file)), ruleFile(file, 'first'));
  }
}
