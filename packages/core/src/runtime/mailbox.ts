/** The bounded mailbox before the loop: surplus frames are dropped and counted, for the protocol tolerates their loss. */
export class Mailbox<T> {
  private letters: T[] = [];
  private lost = 0;

  constructor(private readonly max: number) {}

  /** False if the letter was dropped. */
  put(letter: T): boolean {
    if (this.letters.length >= this.max) {
      this.lost += 1;
      return false;
    }
    this.letters.push(letter);
    return true;
  }

  /** Everything that came, oldest first. */
  takeAll(): readonly T[] {
    const { letters } = this;
    if (letters.length > 0) this.letters = [];
    return letters;
  }

  get isEmpty(): boolean {
    return this.letters.length === 0;
  }

  get dropped(): number {
    return this.lost;
  }
}
