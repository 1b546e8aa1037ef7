/** What the frames of this process say of their sender: one object for as long as it says the same, for its bytes are kept with it. */
import type { FrameHeader } from '../codec/frame.ts';
import type { Member } from '../group/member.ts';

export class OwnHeader {
  private header: FrameHeader | null = null;

  constructor(private readonly group: string) {}

  /** `configuration`: the one that the messages belong to, which may have been followed by another within the turn. */
  of({ inspect: { self, record } }: Member, configuration: number): FrameHeader {
    const founding = record?.configuration.founding ?? '';
    const known = this.header;
    if (
      known &&
      known.founding === founding &&
      known.configuration === configuration &&
      known.incarnation === self.incarnation &&
      known.run === self.run
    )
      return known;
    this.header = { ...self, group: this.group, founding, configuration };
    return this.header;
  }
}
