/** Round bounds for a value axis: they move rarely, so that the picture stands still while the data moves. */
export interface Bounds {
  min: number;
  max: number;
  step: number;
}

const DECIMAL_STEPS = [1, 2, 2.5, 5, 10] as const;
const BINARY_STEPS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] as const;
const DIVISIONS = 4;
/** How far values may pass the last line before another is added: a rate of 1.01 of 1 is noise. */
const TOLERANCE = 0.02;

/** The smallest round number that is at least `least`. */
export function roundStep(least: number, base: 1000 | 1024): number {
  const binary = base === 1024 && least >= 1;
  const radix = binary ? 1024 : 10;
  const magnitude = radix ** Math.floor(Math.log(least) / Math.log(radix));
  const steps = binary ? BINARY_STEPS : DECIMAL_STEPS;
  const found = steps.find((step) => step * magnitude >= least * (1 - 1e-9));
  return (found ?? steps[steps.length - 1] ?? 1) * magnitude;
}

/** Bounds with about four divisions that hold [low, high] and zero or the lower bound asked for. */
export function bounds(low: number, high: number, base: 1000 | 1024): Bounds {
  const span = high - low;
  if (!(span > 0)) return { min: low, max: low + 1, step: 1 };
  const step = roundStep(span / DIVISIONS, base);
  const slack = TOLERANCE * step;
  return { min: Math.floor((low + slack) / step) * step, max: Math.ceil((high - slack) / step) * step, step };
}

/** Every multiple of the step within the bounds. */
export function lines({ min, max, step }: Bounds): number[] {
  const first = Math.round(min / step);
  return Array.from({ length: Math.round(max / step) - first + 1 }, (_, i) => (first + i) * step);
}
