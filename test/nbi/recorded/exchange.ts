/** A request and its answer, byte for byte: each character stands for the byte of the same number. */
export interface Exchange {
  readonly title: string;
  readonly request: string;
  /** With what varies masked; empty where none has been recorded yet. */
  readonly answer: string;
}

/**
 * Reads recorded exchanges: `### ` and a title, the request's lines after `> `, the answer's after `< `. A line ends in CRLF;
 * one that is written with `\n` at its end ends in LF alone. Bytes outside of ASCII are `\xNN`, a backslash is doubled.
 */
export function parseExchanges(text: string): Exchange[] {
  return text
    .split(/^### /m)
    .slice(1)
    .map((part) => {
      const [title = '', ...lines] = part.split('\n');
      return { title, request: join(lines, '>'), answer: join(lines, '<') };
    });
}

export function renderExchanges(exchanges: readonly Exchange[]): string {
  return exchanges
    .map(({ title, request, answer }) => `### ${title}\n${split(request, '>')}${split(answer, '<')}`)
    .join('\n');
}

function join(lines: readonly string[], mark: string): string {
  return lines
    .filter((line) => line.startsWith(mark))
    .map((line) => unescapeLine(line.slice(2)))
    .map((line, index, all) => (line.endsWith('\n') || index === all.length - 1 ? line : `${line}\r\n`))
    .join('');
}

function split(bytes: string, mark: string): string {
  if (bytes === '') return '';
  return bytes
    .replace(/\\/g, '\\\\')
    .split('\r\n')
    .flatMap((line) => line.replace(/\n/g, '\\n\n').split('\n'))
    .map((line) => `${mark} ${escapeLine(line)}`.trimEnd())
    .map((line) => `${line}\n`)
    .join('');
}

/** A blank at the end would be lost to editors. */
function escapeLine(line: string): string {
  return line.replace(/[^\x20-\x7e]| $/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function unescapeLine(line: string): string {
  return line.replace(/\\(\\|n|x([0-9a-f]{2}))/g, (_all, kind: string, code?: string) => {
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
    return kind === 'n' ? '\n' : '\\';
  });
}

/** What a request may say in fewer words, so that it can be written by hand. */
const SHORTHAND: readonly (readonly [RegExp, (...parts: string[]) => string])[] = [
  [/<<basic (.*?)>>/g, (_all, pair = '') => `Basic ${Buffer.from(pair, 'latin1').toString('base64')}`],
  [/<<(\d+) times (.*?)>>/g, (_all, count = '', text = '') => text.repeat(Number(count))],
];

/** The request as it is sent. `<<length>>` is that of what comes after the header. */
export function expand(request: string): Buffer {
  const long = SHORTHAND.reduce((text, [pattern, replace]) => text.replace(pattern, replace), request);
  const body = long.slice(long.indexOf('\r\n\r\n') + 4);
  return Buffer.from(long.replace('<<length>>', String(body.length)), 'latin1');
}

/** What is another each time. All else is held to the byte. */
const MASKS: readonly (readonly [RegExp, string])[] = [
  [/^Date: [^\r]*/gm, 'Date: <<date>>'],
  [/^X-Request-Id: [0-9a-f-]{36}/gm, 'X-Request-Id: <<request id>>'],
  [/ferry_[0-9a-f]{20}_[A-Za-z0-9_-]{43}/g, '<<token>>'],
  [/"id":"[0-9a-f]{20}"/g, '"id":"<<token id>>"'],
  // Of entries of the audit: the same length each time.
  [/\b\d{15}-\d{6}-[0-9a-f]{16}\b/g, '<<event id>>'],
  [/\b\d{15}-[0-9a-f]{16}\b/g, '<<upload id>>'],
  [/("requestId":"|,127\.0\.0\.1,)[0-9a-f]{8}-[0-9a-f-]{27}/g, '$1<<request id>>'],
  // Of sessions: the cookie, the token, the id.
  [/ferry-session=[\w-]{43}/g, 'ferry-session=<<session cookie>>'],
  // Of software updates: the cookie, a bearer, numbers and names of images, and a batch that is named in words.
  [/system_update_session=[\w-]{43}/g, 'system_update_session=<<system-update session>>'],
  [/"access_token":"[\w-]{43}"/g, '"access_token":"<<bearer>>"'],
  [/"id":\d{9},"state"/g, '"id":100000000,"state"'],
  [/\bupdate_\w{7}\.bin/g, 'update_XXXXXXX.bin'],
  [/(the batch )[0-9a-f-]{36}( of the API)/g, '$1<<batch-id>>$2'],
  // Of firmware slots.
  [/\bsession_id=[0-9a-f]{40}/g, 'session_id=<<slots session>>'],
  // Of pages: the same cookie under another name, and what their forms show.
  [/\b(sessionid|csrftoken)=[\w-]{43}/g, '$1=<<$1>>'],
  [/(name="csrfmiddlewaretoken" value=")[\w-]{43}/g, '$1<<csrftoken>>'],
  [/"csrfToken":"[\w-]{43}"/g, '"csrfToken":"<<csrf token>>"'],
  [/"(id|session)":"[0-9a-f]{32}"/g, '"$1":"<<session id>>"'],
  // Of the firmware upgrader: a permanent token, and ids that are drawn when something is made.
  [/"token":"[0-9a-f]{40}"/g, '"token":"<<permanent token>>"'],
  // The default one has an id of its own in every installation.
  [/("organization":\{"id":")[0-9a-f-]{36}(","slug":"default")/g, '$1<<default organization id>>$2'],
  [
    /(\{"id":")(?!0{8}-)[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f-]{21}(","(?:created|category_relation)":)/g,
    '$1<<made id>>$2',
  ],
  // Of sessions of another API, and what it calls the numbers of images.
  [/(mwcloud-sid=|"sid":")[A-Z]{32}/g, '$1<<sc-cloud sid>>'],
  [/\{"id":\d{9},"file-path"/g, '{"id":100000000,"file-path"'],
  // Of images: drawn by lot, as long each time.
  [/"number":\d{9}\b/g, '"number":100000000'],
  // Of operations of batches: they follow from the id of the batch.
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '<<operation id>>'],
  // Of images: from the master key, which is drawn by lot, and from their numbers.
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '<<image id>>'],
  // The listener of a CPE.
  [/127\.0\.0\.1:\d{5}/g, '127.0.0.1:<<port>>'],
];

const METRICS = 'Content-Type: text/plain; version=0.0.4';

const CHUNKED = '\r\nTransfer-Encoding: chunked\r\n';
const END_OF_HEAD = '\r\n\r\n';
const LAST_CHUNK = '0\r\n\r\n';

/** How a body is cut into chunks is for the moment and the version of Node.js to say: each comes as one. */
function withBodiesWhole(answers: string): string {
  const chunked = answers.indexOf(CHUNKED);
  const start = chunked < 0 ? -1 : answers.indexOf(END_OF_HEAD, chunked);
  if (start < 0) return answers;
  let at = start + END_OF_HEAD.length;
  const head = answers.slice(0, at);
  let body = '';
  for (;;) {
    const [line, size = ''] = /^([0-9a-f]+)\r\n/.exec(answers.slice(at, at + 20)) ?? [];
    const bytes = Number.parseInt(size, 16);
    // What was cut off on the way stays as it came.
    if (line === undefined || at + line.length + bytes + 2 > answers.length) break;
    if (bytes === 0) {
      const whole = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`;
      return head + whole + LAST_CHUNK + withBodiesWhole(answers.slice(at + LAST_CHUNK.length));
    }
    body += answers.slice(at + line.length, at + line.length + bytes);
    at += line.length + bytes + 2;
  }
  return answers;
}

/** The answer with what varies masked; of metrics only the names of Ferry's own are kept. */
export function mask(answer: string): string {
  const masked = MASKS.reduce(
    (text, [pattern, name]) => text.replace(pattern, name),
    withBodiesWhole(answer),
  );
  if (!masked.includes(METRICS)) return masked;
  const [head = '', body = ''] = masked.split('\r\n\r\n');
  const names = body.split('\n').filter((line) => line.startsWith('# TYPE ferry_'));
  return [head.replace(/^Content-Length: \d+/m, 'Content-Length: <<length>>'), '', ...names].join('\r\n');
}
