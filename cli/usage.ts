import { suggest } from '../common/index.js';
import { CONFIG_NAMES, flagOf, OPTIONS } from './options.js';

/** Ends the message of a command that is not complete, by which it is known. */
export const SAY_WHICH = 'say which command';

/** The command line asks for something that there is not. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly #help: string;

  /**
   * @param message  yargs' own
   * @param help  of the command that was meant, as far as the words say
   */
  constructor(message: string, help: string) {
    super(message);
    this.#help = help;
  }

  /**
   * What is wrong in a user's words, and where to read on.
   * @param words  the command line
   */
  text(words: readonly string[]): string {
    const help = this.#help;
    if (this.message === SAY_WHICH) return `${help}\n\nferry: ${SAY_WHICH}\n`;
    const usage = /^ferry.*$/m.exec(help)?.[0] ?? 'ferry';
    const command = usage.replace(/ [<[].*$/, '');
    return `ferry: ${this.#reason(words, help)}\nUsage: ${usage}\n${command} --help explains it\n`;
  }

  #reason(words: readonly string[], help: string): string {
    const [, unknown] = /^Unknown (?:arguments?|commands?): (.*)$/s.exec(this.message) ?? [];
    if (unknown !== undefined) return unknownText(unknown.split(', '), words, help);
    if (this.message.startsWith('Not enough non-option arguments')) return 'something is missing';
    const [, near] = /^Did you mean (.*)\?$/.exec(this.message) ?? [];
    if (near !== undefined) return `there is no such command; did you mean ${near}?`;
    const [, empty] = /^Not enough arguments following: (.*)$/.exec(this.message) ?? [];
    if (empty !== undefined) return `--${empty} needs a value`;
    const [, missing] = /^Missing required arguments?: (.*)$/.exec(this.message) ?? [];
    if (missing !== undefined) return `--${missing} is needed`;
    return this.message;
  }
}

/** yargs lists an unknown option twice, as it was written and in camel case, and words that are too many among them. */
function unknownText(names: readonly string[], words: readonly string[], help: string): string {
  const options = new Set(words.filter((word) => word.startsWith('-')).map(optionNameOf));
  const known = [...help.matchAll(/^ +(?:-\w, )?--([a-z\d-]+)/gm)].map(([, name = '']) => name);
  const texts = new Set<string>();
  // Of one dash stands a letter for each option, and letters are what passwords are made of.
  if (words.some((word) => /^-[^-]/.test(word))) texts.add('options have two dashes, as in --help');
  for (const name of names) {
    const flag = flagOf(name);
    const option = options.has(name) ? name : options.has(flag) ? flag : null;
    if (option === null) {
      if (!isLetterOfOneDash(name, words)) texts.add(`${wordText(name, words)} is not expected here`);
      continue;
    }
    const near = suggest(option, known);
    texts.add(
      `there is no option ${optionText(option)} here${near === null ? '' : `; did you mean --${near}?`}`,
    );
  }
  return [...texts].join('\n');
}

function isLetterOfOneDash(name: string, words: readonly string[]): boolean {
  return name.length === 1 && words.some((word) => /^-[^-]/.test(word) && word.includes(name));
}

/** Where a command stands a slip of the pen is said again; further on a word may be the value of a secret option, or a password. */
function wordText(name: string, words: readonly string[]): string {
  const at = words.indexOf(name);
  if (at === 0 && /^[a-z][a-z-]*$/.test(name)) return `"${name}"`;
  return at === -1 ? 'a word' : `word ${at + 1} after "ferry"`;
}

/** The name alone: where a blank or a = was forgotten, a value is behind it. */
function optionText(option: string): string {
  const secret = SECRET_FLAGS.find((flag) => option.startsWith(flag));
  if (secret !== undefined && option !== secret) return `--${secret}…`;
  const [name = ''] = /^[a-zA-Z-]*/.exec(option) ?? [];
  const cut = name.slice(0, OPTION_CHARACTERS_MAX);
  return cut === option ? `--${option}` : `--${cut}…`;
}

const SECRET_FLAGS: readonly string[] = [
  ...CONFIG_NAMES.filter((name) => OPTIONS[name].secret).map(flagOf),
  'password',
];

/** As long as the longest that there is. */
const OPTION_CHARACTERS_MAX = 26;

/** `data-dir` of `--data-dir=x`. */
function optionNameOf(word: string): string {
  return word.replace(/^--?(no-)?/, '').replace(/=.*$/s, '');
}
