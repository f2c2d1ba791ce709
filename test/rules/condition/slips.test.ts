import test from 'ava';
import { ConditionError } from '../../../rules/condition/index.js';
import { parse } from '../../../rules/condition/parse.js';

/** What is said of a text, and of what in it; null where it parses. */
function saidOf(text: string): { readonly message: string; readonly column: number | null } | null {
  try {
    parse(text);
    return null;
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    return { message: error.message, column: error.column };
  }
}

/** The slip is told in these words, at the place of `mark`. */
const slip = (text: string, mark: string, wording: string) =>
  test(`${JSON.stringify(text)}: ${wording}`, (t) => {
    const said = saidOf(text);
    t.is(said?.message, `not a JSONata expression: ${wording}`);
    t.is(said?.column, text.indexOf(mark) + 1);
  });

slip('productClass == "X"', '==', 'there is no operator ==; write =');
slip('productClass === "X"', '===', 'there is no operator ===; write =');
slip('productClass !== "X"', '!==', 'there is no operator !==; write !=');
slip('(oui = "==" and productClass=="X"', '=="X', 'there is no operator ==; write =');
slip('productClass := "X"', ':=', ':= is for variables, whose names begin with $; write = to compare');
slip('oui = "1" && model = "2"', '&&', 'there is no operator &&; write and');
slip('oui = "1" || model = "2"', '||', 'there is no operator ||; write or');
slip('oui = "1" AND model = "2"', 'AND', 'there is no operator AND; write and');
slip('oui = "1" Or model = "2"', 'Or', 'there is no operator Or; write or');
slip('oui IN ["1"]', 'IN', 'there is no operator IN; write in');
slip('!(oui = "1")', '!', 'there is no operator !; write $not(…)');
slip('not productClass = "1"', 'not', 'there is no operator not; write $not(…)');
slip('oui = "1" and not productClass = "1"', 'not', 'there is no operator not; write $not(…)');
slip('oui not in ["1"]', 'not', 'there is no operator not; write $not(… in ["X", "Y"])');
slip('oui <> "1"', '<>', 'there is no operator <>; write !=');
slip('now => 5', '=>', 'there is no operator =>; write >=');
slip('now =< 5', '=<', 'there is no operator =<; write <=');
slip('modelName =~ /X/', '=~', 'there is no operator =~; write $contains(…, /…/)');
slip('modelName !~ /X/', '!~', 'there is no operator !~; write $not($contains(…, /…/))');
slip('oui in ("x", "y")', '(', 'a list has brackets and no parentheses; write ["X", "Y"]');
slip(
  'modelName like "X%"',
  'like',
  'there is no operator like; write $contains(…, /^X/), or the condition as an object, {"modelName": "X*"}',
);
slip('now between 1 and 5', 'between', 'there is no operator between; write … >= 1 and … <= 2');
slip('oui is null', 'is', 'there is no operator is; write =; what is not known is $not($exists(…))');
slip('oui = "1" // only these', '//', 'a comment is not written // …; write /* … */');
slip('oui = "1" and // only these\nmodel = "2"', '//', 'a comment is not written // …; write /* … */');
slip('oui = "1" # only these', '#', 'a comment is not written # …; write /* … */');
slip('productClass = ‘X 1’', '‘', '‘ is no quotation mark here; write " or \'');
slip('productClass = “X 1”', '“', '“ is no quotation mark here; write " or \'');
slip(
  'oui = "1"\u00a0and model = "2"',
  '\u00a0',
  'there is a character that only looks like a blank (U+00A0); write a blank',
);
slip('softwareVersion = 1.2.3', '.3', '1.2.3 is no number, and a text has quotes; write "1.2.3"');
slip(
  'productClass = HGW 2000',
  '2000',
  'an operator is missing before 2000; write and or or there, or quotes around a text of several words',
);
slip(
  'productClass = "HGW" oui = "1"',
  'oui',
  'an operator is missing before oui; write and, or, = or in there',
);
slip('productClass "HGW"', '"HGW"', 'an operator is missing before "HGW"; write and, or, = or in there');
slip('oui = "1";', ';', 'nothing ends with ; here; leave it out');

test('what JSONata means otherwise, or has itself to say, is left as it is', (t) => {
  for (const text of [
    '($f := function($a, $b) { $a = $b }; $f(oui, "==") and oui != "a && b" /* a == b */)',
    '$count(events^(a, b)) > 1 and $contains(modelName, /a||b/)',
    '$count(events#$i[$i > 0]) > 0',
    'and = "1" or AND = "2"',
    'oui & "" = "1" ? true : false',
  ]) {
    t.is(saidOf(text), null, text);
  }
  t.like(saidOf('oui = '), { message: 'not a JSONata expression: Unexpected end of expression', column: 7 });
  // The first error only: the slip comes after it.
  t.notRegex(saidOf('oui = = "1" && model == "2"')?.message ?? '', /&&|==/);
});
