/** The moment (ms since the epoch) that every chart points at, or null when none does. */
export class Cursor {
  time = $state<number | null>(null);
}
