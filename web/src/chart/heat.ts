/** A heat map: one row per line, one cell per column, coloured between the panel's bounds. */
import type uPlot from "uplot";
import type { Panel } from "../wire/board";
import type { Line } from "./lines";
import { ramp, type Palette } from "./palette";

export interface Cells {
  width: number;
  height: number;
  pixels: Uint32Array<ArrayBuffer>;
}

/** One pixel per cell, the first line at the bottom; a gap is transparent. */
export function cells(columns: readonly (readonly (number | null)[])[], [low, high]: [number, number], colours: Uint32Array): Cells {
  const width = columns[0]?.length ?? 0;
  const height = columns.length;
  const pixels = new Uint32Array(width * height);
  columns.forEach((column, r) => {
    const start = (height - 1 - r) * width;
    column.forEach((value, i) => {
      if (value === null) return;
      const place = Math.min(1, Math.max(0, (value - low) / (high - low)));
      pixels[start + i] = colours[Math.round(place * 255)] ?? 0;
    });
  });
  return { width, height, pixels };
}

/** A hook for uPlot: paints the cells into the plotting area. */
export function heatPainter(panel: Panel, lines: readonly Line[], palette: Palette): (chart: uPlot) => void {
  const colours = ramp(palette.heat);
  const range: [number, number] = [panel.min ?? 0, panel.max ?? 1];
  let offscreen: HTMLCanvasElement | undefined;
  return (chart) => {
    offscreen ??= document.createElement("canvas");
    const columns = chart.data.slice(1) as (number | null)[][];
    const { width, height, pixels } = cells(columns, range, colours);
    const context = offscreen.getContext("2d");
    if (context === null || width === 0 || height === 0) return;
    offscreen.width = width;
    offscreen.height = height;
    context.putImageData(new ImageData(new Uint8ClampedArray(pixels.buffer), width, height), 0, 0);
    const { left, top, width: across, height: down } = chart.bbox;
    chart.ctx.save();
    chart.ctx.imageSmoothingEnabled = false;
    chart.ctx.drawImage(offscreen, left, top, across, down);
    separate(chart, lines.length, palette);
    chart.ctx.restore();
  };
}

/** Hair lines of the ground's colour between the rows, while the rows are high enough for them. */
function separate({ ctx, bbox }: uPlot, rows: number, palette: Palette): void {
  const high = bbox.height / rows;
  if (high < 6) return;
  ctx.fillStyle = palette.ground;
  for (let row = 1; row < rows; row += 1) ctx.fillRect(bbox.left, Math.round(bbox.top + row * high), bbox.width, 1);
}
