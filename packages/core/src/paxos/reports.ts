/** Oddities that are reported once each: beyond so many they are all alike. */
const reportsMax = 1_000;

export class Reports {
  private readonly known = new Set<string>();

  isNews(key: string): boolean {
    if (this.known.has(key) || this.known.size >= reportsMax) return false;
    this.known.add(key);
    return true;
  }
}
