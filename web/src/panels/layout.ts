/** A board's panels in their sections: consecutive panels of one section share a heading. */
import { queryOffsets, type Board, type Panel } from "../wire/board";

export interface Placed {
  panel: Panel;
  offset: number;
}

export interface Section {
  title: string | null;
  panels: Placed[];
}

export function sections(board: Board): Section[] {
  const offsets = queryOffsets(board).panels;
  const found: Section[] = [];
  board.panels.forEach((panel, i) => {
    const placed = { panel, offset: offsets[i] ?? 0 };
    const last = found.at(-1);
    if (last !== undefined && last.title === panel.section) last.panels.push(placed);
    else found.push({ title: panel.section, panels: [placed] });
  });
  return found;
}
