/** Marks of what happened on a chart: hatched where nothing was measured, else lines with a sign that tells the kinds apart. */
import type uPlot from "uplot";
import { lasts, within } from "../data/marks";
import type { Happened } from "../wire/happened";
import { faded, type Palette } from "./palette";

/** Pixels of the page between the lines of the hatching, and of half a sign. */
const HATCH = 6;
const SIGN = 4;
/** A band is not drawn narrower, so that a second in a month is seen. */
const NARROWEST = 2;

type Context = CanvasRenderingContext2D;

/** A clock's face, a cross, two bars, a triangle, a ring that is open, or a diamond, around (x, y). */
function drawSign(ctx: Context, kind: string, x: number, y: number, size: number): void {
  const line = (...points: [number, number][]): void =>
    points.forEach(([dx, dy], i) => (i === 0 ? ctx.moveTo(x + dx * size, y + dy * size) : ctx.lineTo(x + dx * size, y + dy * size)));
  ctx.beginPath();
  if (kind === "clock") {
    ctx.arc(x, y, size, 0, 2 * Math.PI);
    line([0, -0.7], [0, 0], [0.6, 0]);
  } else if (kind === "damage") {
    line([-0.8, -0.8], [0.8, 0.8]);
    line([-0.8, 0.8], [0.8, -0.8]);
  } else if (kind === "paused") {
    line([-0.4, -0.9], [-0.4, 0.9]);
    line([0.4, -0.9], [0.4, 0.9]);
  } else if (kind === "failed") {
    line([0, -0.9], [0.9, 0.8], [-0.9, 0.8], [0, -0.9]);
  } else if (kind === "restart") {
    ctx.arc(x, y, size * 0.8, -0.3 * Math.PI, 1.4 * Math.PI);
  } else line([0, -1], [1, 0], [0, 1], [-1, 0], [0, -1]);
  ctx.stroke();
}

function hatch(ctx: Context, left: number, top: number, width: number, height: number, apart: number): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.beginPath();
  for (let x = left - height - ((left - height) % apart); x < left + width; x += apart) {
    ctx.moveTo(x, top + height);
    ctx.lineTo(x + height, top);
  }
  ctx.stroke();
  ctx.restore();
}

/** What a band says, where there is room for it. */
function name(ctx: Context, text: string, left: number, top: number, width: number, ground: string): void {
  const { width: needed } = ctx.measureText(text);
  if (needed + 8 > width) return;
  const x = left + (width - needed) / 2;
  const down = parseFloat(ctx.font) || 11;
  const ink = ctx.fillStyle;
  ctx.fillStyle = ground;
  ctx.fillRect(x - 4, top + 4, needed + 8, down + 6);
  ctx.fillStyle = ink;
  ctx.fillText(text, x, top + 6);
}

/** A hook for uPlot that draws those of `marks()` that are in sight. */
export function markPainter(marks: () => readonly Happened[], palette: Palette, font: string): (chart: uPlot) => void {
  const colours: Readonly<Record<string, string>> = { damage: palette.critical, failed: palette.critical, paused: palette.warn };
  return (chart) => {
    const { ctx, bbox, scales } = chart;
    const { min, max } = scales.x ?? {};
    if (typeof min !== "number" || typeof max !== "number") return;
    const ratio = bbox.width / (chart.over.clientWidth || bbox.width);
    const place = (time: number): number => Math.min(bbox.left + bbox.width, Math.max(bbox.left, chart.valToPos(time, "x", true)));
    ctx.save();
    ctx.lineWidth = ratio;
    ctx.font = font.replace(/\d+/, (size) => String(Number(size) * ratio));
    ctx.textBaseline = "top";
    ctx.textAlign = "left";
    for (const mark of within(marks(), min, max)) {
      const colour = colours[mark.kind] ?? palette.text;
      const left = place(mark.time);
      const width = Math.max(NARROWEST * ratio, place(mark.end) - left);
      if (mark.kind === "gap") {
        ctx.fillStyle = faded(colour, 0.1);
        ctx.fillRect(left, bbox.top, width, bbox.height);
        ctx.strokeStyle = faded(colour, 0.45);
        hatch(ctx, left, bbox.top, width, bbox.height, HATCH * ratio);
        ctx.fillStyle = colour;
        name(ctx, mark.text, left, bbox.top, width, palette.ground);
        continue;
      }
      ctx.fillStyle = faded(colour, lasts(mark) ? 0.1 : 0.8);
      ctx.fillRect(left, bbox.top, lasts(mark) ? width : ratio, bbox.height);
      ctx.strokeStyle = colour;
      drawSign(ctx, mark.kind, Math.min(left + (SIGN + 1) * ratio, bbox.left + bbox.width - SIGN * ratio), bbox.top + (SIGN + 2) * ratio, SIGN * ratio);
    }
    ctx.restore();
  };
}
