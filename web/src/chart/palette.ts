/**
 * Colours, for dark and light ground. The seven data colours were chosen so that any two stay apart for every
 * kind of colour blindness (OKLab distance of at least 0.09, simulated after Machado 2009), and none is yellow.
 */
import type { Scheme } from "../state/theme.svelte";

export interface Palette {
  data: readonly string[];
  text: string;
  grid: string;
  limit: string;
  cursor: string;
  ground: string;
  warn: string;
  critical: string;
  /** From nothing to everything, evenly brighter (or darker, on light ground). */
  heat: readonly string[];
}

export const PALETTES: Readonly<Record<Scheme, Palette>> = {
  dark: {
    data: ["#4ba6ec", "#ffa869", "#9fe8c8", "#d9709b", "#8a68d8", "#4c9c48", "#d3c3ff"],
    text: "#8a95a5",
    grid: "#222a35",
    limit: "#97a2b2",
    cursor: "#6b7787",
    ground: "#141920",
    warn: "#ffb454",
    critical: "#ff6b6b",
    heat: ["#1a222d", "#1b3a5a", "#22639a", "#3b92d8", "#78bdf0", "#b5dcf6"],
  },
  light: {
    data: ["#1f74bf", "#d9702a", "#2f6b3a", "#b0577f", "#5c3f8a", "#3d9fa8", "#a083f0"],
    text: "#5f6b7a",
    grid: "#e9edf2",
    limit: "#6d7886",
    cursor: "#98a3b0",
    ground: "#ffffff",
    warn: "#b25e00",
    critical: "#c62f2f",
    heat: ["#eef3f8", "#cfe3f4", "#98c5ea", "#559ad6", "#2270b5", "#104a80"],
  },
};

/** The colour of the `index`-th line of a chart; after seven they come again. */
export const dataColour = (palette: Palette, index: number): string =>
  palette.data[index % palette.data.length] ?? palette.text;

/** `#rrggbb` with an opacity of 0 to 1. */
export const faded = (colour: string, opacity: number): string =>
  colour + Math.round(opacity * 255).toString(16).padStart(2, "0");

const channels = (colour: string): [number, number, number] => [
  parseInt(colour.slice(1, 3), 16),
  parseInt(colour.slice(3, 5), 16),
  parseInt(colour.slice(5, 7), 16),
];

/** A table of 256 colours, little-endian RGBA, between the stops of a ramp. */
export function ramp(stops: readonly string[]): Uint32Array {
  const points = stops.map(channels);
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const place = (i / 255) * (points.length - 1);
    const left = Math.min(Math.floor(place), points.length - 2);
    const from = points[left] ?? [0, 0, 0];
    const to = points[left + 1] ?? from;
    const [r, g, b] = from.map((channel, c) => Math.round(channel + ((to[c] ?? 0) - channel) * (place - left)));
    return ((255 << 24) | ((b ?? 0) << 16) | ((g ?? 0) << 8) | (r ?? 0)) >>> 0;
  });
}
