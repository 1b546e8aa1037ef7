/**
 * A network without promises, as the set of all frames ever sent: each may be delivered at any time, any number of times, or never.
 * That is loss, duplication, delay and reordering in one, and it needs no step of its own for any of them.
 */

/** A set of frames: one character for each, in order. */
export type Sent = string;

export class Post<Frame extends object> {
  private readonly ids = new Map<string, number>();
  /** The same by identity: what a remembered step sends comes again and again. */
  private readonly idOf = new WeakMap<object, number>();
  private readonly frames: Frame[] = [];

  at(id: number): Frame {
    const frame = this.frames[id];
    if (frame === undefined) throw new Error(`There is no frame ${id}.`);
    return frame;
  }

  *framesOf(sent: Sent): Iterable<readonly [id: number, frame: Frame]> {
    for (let index = 0; index < sent.length; index += 1) {
      const id = sent.charCodeAt(index);
      yield [id, this.at(id)];
    }
  }

  add(sent: Sent, frames: readonly Frame[]): Sent {
    let all = sent;
    for (const frame of frames) all = this.addOne(all, this.idOf.get(frame) ?? this.intern(frame));
    return all;
  }

  /** Those frames that `keep` names. */
  keep(sent: Sent, keep: (frame: Frame) => boolean): Sent {
    let kept = '';
    for (const [id, frame] of this.framesOf(sent)) if (keep(frame)) kept += String.fromCharCode(id);
    return kept;
  }

  private intern(frame: Frame): number {
    const text = JSON.stringify(frame);
    const id = this.ids.get(text) ?? this.frames.length;
    if (id > 0xffff) throw new Error('The world sends more different frames than a character can number.');
    this.idOf.set(frame, id);
    if (id < this.frames.length) return id;
    this.ids.set(text, id);
    this.frames.push(frame);
    return id;
  }

  private addOne(sent: Sent, id: number): Sent {
    let index = sent.length;
    for (; index > 0; index -= 1) {
      const at = sent.charCodeAt(index - 1);
      if (at === id) return sent;
      if (at < id) break;
    }
    return sent.slice(0, index) + String.fromCharCode(id) + sent.slice(index);
  }
}
