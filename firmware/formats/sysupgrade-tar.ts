import type { Fact, FileEnd, Finding, Format, Reader } from './format.js';
import { readable } from './text.js';

const BLOCK_BYTES = 512;
const NAME_BYTES = 100;
const SIZE = { from: 124, until: 136 };
const SUM = { from: 148, until: 156 };
const TYPE_AT = 156;
const ORDINARY = new Set(['0', '\0', '5']);
const DIRECTORY = /^sysupgrade-[A-Za-z0-9_,.+-]{1,128}\//;
const CONTROL_BYTES_MAX = 4_096;
const MEMBERS_MAX = 64;

/** OpenWrt's sysupgrade.tar: a tar with one directory, whose CONTROL names the board. What follows its end is not its own. */
export const sysupgradeTar: Format = {
  recognises: (head) => head.length >= BLOCK_BYTES && DIRECTORY.test(nameOf(head)) && isSumRight(head),
  begin: () => new TarReader(),
};

class TarReader implements Reader {
  readonly #block = Buffer.alloc(BLOCK_BYTES);
  readonly #broken: string[] = [];
  readonly #unread: string[] = [];
  #filled = 0;
  #at = 0;
  /** Of the member that is being passed over, with what fills its last block; the block of its content that is kept. */
  #left = 0;
  #control: { readonly atByte: number; bytes: Buffer; missing: number } | null = null;
  #board: Fact | null = null;
  #members = 0;
  #state: 'reading' | 'ended' | 'broken' = 'reading';

  update(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0 && this.#state === 'reading') {
      const taken = this.#left > 0 ? this.#pass(rest) : this.#fill(rest);
      rest = rest.subarray(taken);
      this.#at += taken;
    }
  }

  #pass(bytes: Buffer): number {
    const taken = Math.min(this.#left, bytes.length);
    this.#left -= taken;
    const control = this.#control;
    if (control !== null) {
      const wanted = bytes.subarray(0, Math.min(taken, control.missing));
      control.bytes = Buffer.concat([control.bytes, wanted]);
      control.missing -= wanted.length;
      if (control.missing === 0) this.#read(control.bytes, control.atByte);
    }
    return taken;
  }

  #fill(bytes: Buffer): number {
    const taken = bytes.copy(this.#block, this.#filled, 0, BLOCK_BYTES - this.#filled);
    this.#filled += taken;
    if (this.#filled === BLOCK_BYTES) {
      this.#filled = 0;
      this.#header(this.#block, this.#at + taken);
    }
    return taken;
  }

  #header(block: Buffer, contentAt: number): void {
    if (block.every((byte) => byte === 0)) {
      this.#state = 'ended';
      return;
    }
    this.#members++;
    if (this.#members > MEMBERS_MAX) {
      this.#state = 'ended';
      this.#unread.push(`the tar has more than ${MEMBERS_MAX} members: those behind are not read`);
      return;
    }
    const name = nameOf(block);
    const size = octal(block.subarray(SIZE.from, SIZE.until));
    const type = String.fromCharCode(block[TYPE_AT] ?? 0);
    const wrong = !isSumRight(block)
      ? 'a header whose sum is not its own'
      : size === null
        ? 'a member whose size is no octal number'
        : !DIRECTORY.test(name) || name.includes('..') || !ORDINARY.has(type)
          ? 'a member that is no file within its one directory'
          : null;
    if (wrong !== null || size === null) {
      this.#state = 'broken';
      this.#broken.push(`the tar has ${wrong}`);
      return;
    }
    this.#left = Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
    const isControl =
      /^[^/]+\/CONTROL$/.test(name) && size > 0 && size <= CONTROL_BYTES_MAX && this.#board === null;
    this.#control = isControl ? { atByte: contentAt, bytes: Buffer.alloc(0), missing: size } : null;
  }

  #read(control: Buffer, atByte: number): void {
    this.#control = null;
    const [, named] = /^BOARD=(.*)$/m.exec(control.toString('utf8')) ?? [];
    const board = readable(named);
    if (board !== null) this.#board = { value: board, from: 'BOARD in CONTROL of the tar', atByte };
  }

  end({ sizeBytes }: FileEnd): Finding {
    const broken = [...this.#broken];
    if (this.#state === 'reading' && (this.#left > 0 || this.#filled > 0))
      broken.push(`the tar ends after ${sizeBytes} bytes in the midst of a member`);
    return {
      format: 'sysupgrade-tar',
      facts: this.#board === null ? {} : { boards: { ...this.#board, value: [this.#board.value] } },
      checksum: broken.length === 0 ? 'right' : 'wrong',
      broken,
      ...(this.#unread.length > 0 && { unread: this.#unread }),
    };
  }
}

function nameOf(block: Buffer): string {
  const name = block.toString('latin1', 0, NAME_BYTES);
  const nul = name.indexOf('\0');
  return nul < 0 ? name : name.slice(0, nul);
}

function octal(bytes: Buffer): number | null {
  const text = bytes
    .toString('latin1')
    .replace(/[\0 ]+$/, '')
    .trimStart();
  return /^[0-7]{1,11}$/.test(text) ? Number.parseInt(text, 8) : null;
}

/** Of all bytes of the header, with blanks where the sum stands. */
function isSumRight(block: Buffer): boolean {
  let sum = 0;
  for (let at = 0; at < BLOCK_BYTES; at++) sum += at >= SUM.from && at < SUM.until ? 0x20 : (block[at] ?? 0);
  return octal(block.subarray(SUM.from, SUM.until)) === sum;
}
