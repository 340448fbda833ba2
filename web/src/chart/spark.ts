/** Drawing of a spark line: the shape of the last minutes, without axes. */
export interface Box {
  width: number;
  height: number;
  low: number;
  high: number;
}

/** Runs of points without a gap, in pixels. */
export function runs(values: Float64Array, { width, height, low, high }: Box): [number, number][][] {
  const found: [number, number][][] = [];
  let run: [number, number][] = [];
  const last = Math.max(1, values.length - 1);
  values.forEach((value, i) => {
    if (Number.isNaN(value)) {
      if (run.length > 0) found.push(run);
      run = [];
    } else {
      const place = Math.min(1, Math.max(0, (value - low) / (high - low)));
      run.push([(i / last) * width, height - place * height]);
    }
  });
  return run.length > 0 ? [...found, run] : found;
}

/** Bounds that hold every line and what the headline asks for at least. */
export function sparkBounds(lines: readonly Float64Array[], min: number | null, max: number | null): [number, number] {
  let low = min ?? 0;
  let high = max ?? -Infinity;
  for (const line of lines) {
    for (const value of line) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return [low, high > low ? high : low + 1];
}

export interface Stroke {
  colour: string;
  fill: string | null;
}

export function paintSpark(context: CanvasRenderingContext2D, values: Float64Array, box: Box, { colour, fill }: Stroke): void {
  for (const run of runs(values, box)) {
    const [first, last] = [run[0], run.at(-1)];
    if (first === undefined || last === undefined) continue;
    if (first === last) {
      context.fillStyle = colour;
      context.fillRect(first[0] - 1, first[1] - 1, 2, 2);
      continue;
    }
    context.beginPath();
    for (const [x, y] of run) context.lineTo(x, y);
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.lineJoin = "round";
    context.stroke();
    if (fill === null) continue;
    context.lineTo(last[0], box.height);
    context.lineTo(first[0], box.height);
    context.fillStyle = fill;
    context.fill();
  }
}
