/** Values piled on each other: every row becomes the sum of itself and the rows before it. */
export type Values = (number | null)[];

/** A column where no row has a value stays a gap; where only some have, the others count as nothing. */
export function stacked(rows: readonly Values[]): Values[] {
  const columns = rows[0]?.length ?? 0;
  const gap = Array.from({ length: columns }, (_, i) => rows.every((row) => row[i] === null));
  const sums = new Float64Array(columns);
  return rows.map((row) =>
    row.map((value, i) => {
      if (gap[i]) return null;
      return (sums[i] = (sums[i] ?? 0) + (value ?? 0));
    }),
  );
}
