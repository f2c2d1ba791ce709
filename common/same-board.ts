/** How a device tree calls a board: `vendor,model`. */
const DEVICE_TREE_BOARD = /^[\w.+-]+,[\w.+-]+$/;

/** Whether two names are those of one board. A device tree's `vendor,model` is `vendor_model` where OpenWrt's files are called by it. */
export function sameBoard(one: string, other: string): boolean {
  return keyOf(one) === keyOf(other);
}

/** Whether a text is written like a board of a device tree, as OpenWrt reports its own. */
export function isDeviceTreeBoard(text: string): boolean {
  return DEVICE_TREE_BOARD.test(text.trim());
}

function keyOf(board: string): string {
  return board.trim().toLowerCase().replace(',', '_');
}
