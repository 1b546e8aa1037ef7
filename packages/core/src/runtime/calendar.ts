/** Calendar times as people read them, from whatever number a clock or a frame gave. */

/** The last millisecond of the calendar of ECMAScript. */
const wallMsMax = 8.64e15;

/** RFC 3339. Never throws: what lies outside the calendar is shown as its nearest end. */
export function calendarText(wallMs: number): string {
  return new Date(Math.max(0, Math.min(wallMs, wallMsMax))).toISOString();
}
