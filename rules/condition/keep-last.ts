/** Remembers what `make` made of the texts it was last asked for, `most` of them. What throws is not remembered. */
export function keepLast<Made>(most: number, make: (text: string) => Made): (text: string) => Made {
  const kept = new Map<string, Made>();
  return (text) => {
    const made = kept.get(text) ?? make(text);
    // Taken out and put back, the map's order is that of last use.
    kept.delete(text);
    kept.set(text, made);
    for (const oldest of kept.keys()) {
      if (kept.size <= most) break;
      kept.delete(oldest);
    }
    return made;
  };
}
