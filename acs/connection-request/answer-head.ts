/** Whatever comes before the status line, that line and the headers: many times what any CPE sends. */
export const HEAD_BYTES_MAX = 64 * 1024;
/** What is kept of one line; the rest of it is passed over. */
const LINE_CHARACTERS_MAX = 8 * 1024;
/** Lines of one head that are looked at, folded ones and those before the status line included. */
const LINES_MAX = 500;
/** Challenges of one answer, a header each; RFC 7616 has one for each algorithm. */
const CHALLENGE_HEADERS_MAX = 16;

/** What a connection request needs of its answer. */
export interface AnswerHead {
  readonly status: number;
  /** The values of WWW-Authenticate in their order, unfolded; empty unless the status is 401. */
  readonly challenges: readonly string[];
  /** Whether the connection stays open: what the CPE says, or HTTP/1.1 where it says nothing (RFC 9112 9.3). */
  readonly staysOpen: 'said' | 'unsaid' | 'no';
  /** Of the body, as far as it is announced and was not read with the head. */
  readonly bodyBytesLeft: number;
}

/** Case, version, blanks and reason are as the CPE likes them. */
const STATUS_LINE = /^[\s\0]*HTTP(?:\/([\d.]*))?[ \t]+(\d{3})(?!\d)/i;
const HEADER = /^[ \t]*([^\s:]+)[ \t]*:(.*)$/s;
/** Control characters mean nothing in a header, and must not come back in one of ours. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is meant
const CONTROLS = /[\x00-\x1f\x7f]+/g;

/**
 * Reads the head of the answer to a connection request as leniently as it can be understood. TR-069 refers to RFC 2616, which
 * allows folded headers (2.2), asks to take a bare LF as a line end (19.3) and to pass over empty lines (4.1); real CPEs also send
 * doubled or wrong lengths, odd versions, and nothing after the status line. Pure but for what it remembers: how the bytes were cut
 * into pieces makes no difference.
 *
 * A status other than 401 decides by itself; of a 401 the headers are awaited. The body is never read.
 */
export class AnswerHeadReader {
  /** Of the body of the answer before, which may still come. */
  #skipBytes: number;
  /** Whether an answer came over this connection before: its body may end without a line end. */
  readonly #isFollowUp: boolean;
  /** What may be the beginning of a status line in place of the announced body; null once that is settled. */
  #beginning: string | null;
  #bytes = 0;
  #line = '';
  #lines = 0;
  #hasText = false;
  #version = '';
  #status: number | null = null;
  #connection = '';
  readonly #lengths = new Set<string>();
  readonly #challenges: string[] = [];
  /** The header that a folded line goes on with. */
  #name = '';
  #value = '';

  /** @param before  where the connection has carried an answer: how much of its body is still to come, as far as it said */
  constructor(before: { readonly bodyBytesLeft: number } | null = null) {
    this.#isFollowUp = before !== null;
    this.#skipBytes = before?.bodyBytesLeft ?? 0;
    this.#beginning = this.#skipBytes > 0 ? '' : null;
  }

  /**
   * @param bytes  the next that came; none once a head was given
   * @returns the head as soon as it decides, also where a bound is reached and the status is known
   * @throws UnreadableAnswerError where a bound is reached and it is not
   */
  read(bytes: Buffer): AnswerHead | null {
    const came = this.#passBody(bytes.toString('latin1'));
    const text = came.slice(0, HEAD_BYTES_MAX - this.#bytes);
    this.#bytes += text.length;
    for (let from = 0; from < text.length; ) {
      const end = text.indexOf('\n', from);
      const piece = text.slice(from, end === -1 ? text.length : end);
      this.#line += piece.slice(0, Math.max(0, LINE_CHARACTERS_MAX - this.#line.length));
      if (end === -1) break;
      from = end + 1;
      if (this.#endLine() || this.#lines >= LINES_MAX) return this.#decide(came.length - from);
    }
    return this.#bytes >= HEAD_BYTES_MAX ? this.#decide(came.length - text.length) : null;
  }

  /**
   * Nothing more will come.
   * @returns null where no answer came, or only the rest of a body
   * @throws UnreadableAnswerError where something came that has no status
   */
  end(): AnswerHead | null {
    this.#endLine();
    if (this.#status === null && (this.#isFollowUp || !this.#hasText)) return null;
    return { ...this.#decide(0), staysOpen: 'no' };
  }

  /** A length that was announced, with no body behind it, must not swallow the answer that comes in its place. */
  #passBody(text: string): string {
    if (this.#skipBytes === 0) return text;
    let rest = text;
    if (this.#beginning !== null) {
      rest = this.#beginning + text;
      if (rest.length < 5) {
        this.#beginning = rest;
        return '';
      }
      this.#beginning = null;
      if (/^HTTP\//i.test(rest)) {
        this.#skipBytes = 0;
        return rest;
      }
    }
    const passed = Math.min(this.#skipBytes, rest.length);
    this.#skipBytes -= passed;
    return rest.slice(passed);
  }

  /** @returns whether the head is decided by the line that ended */
  #endLine(): boolean {
    let end = this.#line.length;
    while (this.#line[end - 1] === '\r') end -= 1;
    const line = this.#line.slice(0, end);
    this.#line = '';
    this.#lines += 1;
    this.#hasText ||= /[^\s\0]/.test(line);
    return this.#status === null ? this.#readStatus(line) : this.#readHeader(line);
  }

  #readStatus(line: string): boolean {
    const found = STATUS_LINE.exec(line) ?? (this.#isFollowUp ? statusBehindBody(line) : null);
    const status = Number(found?.[2] ?? 0);
    // 100 Continue and its like go before the answer (RFC 9110 15.2); 101 is one.
    if (status < 101 || (status > 101 && status < 200)) return false;
    this.#status = status;
    this.#version = found?.[1] ?? '';
    return status !== 401;
  }

  #readHeader(line: string): boolean {
    if (line === '') return true;
    // A line of blanks is an empty continuation to some and the end to others; with a challenge at hand it ends the head.
    if (line.trim() === '') return this.#challenges.length > 0 || this.#name === 'www-authenticate';
    const isFolded = /^[ \t]/.test(line) && this.#name !== '';
    if (isFolded) {
      this.#value = `${this.#value} ${line.trim()}`.slice(0, LINE_CHARACTERS_MAX);
      return false;
    }
    this.#keepHeader();
    const [, name = '', value = ''] = HEADER.exec(line) ?? [];
    this.#name = name.toLowerCase();
    this.#value = value.trim();
    return false;
  }

  #keepHeader(): void {
    const value = this.#value.replace(CONTROLS, ' ').trim();
    if (this.#name === 'www-authenticate' && this.#challenges.length < CHALLENGE_HEADERS_MAX) {
      this.#challenges.push(value);
    }
    if (this.#name === 'connection') this.#connection += `,${value.toLowerCase()}`;
    if (this.#name === 'content-length') this.#lengths.add(value);
    this.#name = '';
  }

  /** @param bytesBehind  read already of what follows the head */
  #decide(bytesBehind: number): AnswerHead {
    this.#keepHeader();
    if (this.#status === null) throw new UnreadableAnswerError('its answer is not HTTP');
    const [length = '', ...others] = this.#lengths;
    const isLength = others.length === 0 && /^\d{1,5}$/.test(length);
    return {
      status: this.#status,
      challenges: this.#challenges,
      staysOpen: this.#staysOpen(),
      bodyBytesLeft: isLength ? Math.max(0, Number(length) - bytesBehind) : 0,
    };
  }

  #staysOpen(): AnswerHead['staysOpen'] {
    const options = this.#connection.split(',').map((option) => option.trim());
    if (options.includes('close')) return 'no';
    if (options.includes('keep-alive')) return 'said';
    return Number(this.#version) >= 1.1 ? 'unsaid' : 'no';
  }
}

/** In a body without a line end at its end; what stands in a tag is the body's own. */
function statusBehindBody(line: string): RegExpExecArray | null {
  const last = line.lastIndexOf('HTTP/');
  return last === -1 || line.includes('<', last) ? null : STATUS_LINE.exec(line.slice(last));
}

/** Something came that no status can be read from. */
export class UnreadableAnswerError extends Error {
  override readonly name = 'UnreadableAnswerError';
}
