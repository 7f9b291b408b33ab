/** A table whose rows are put into order by any of its columns. */

import { button, table, type Child } from "../dom";

export interface Column<Row> {
  head: string;
  /** What the rows are put into order by. */
  value: (row: Row) => number | string | boolean;
  /** What is shown, where it is not the value. */
  cell?: (row: Row) => Child | number;
}

export interface Order {
  column: number;
  descending: boolean;
}

export function sorted<Row>(rows: Row[], columns: Column<Row>[], order: Order | null): Row[] {
  if (!order) return rows;
  const { value } = columns[order.column];
  const sign = order.descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (typeof x === "string") return sign * x.localeCompare(String(y), undefined, { numeric: true });
    return sign * (Number(x) - Number(y));
  });
}

/** `chosen` gets the order that a head of the table stands for: largest first, then smallest first. */
export function sortableTable<Row>(
  caption: string,
  columns: Column<Row>[],
  rows: Row[],
  order: Order | null,
  chosen: (order: Order) => void,
): HTMLElement {
  const heads = columns.map(({ head }, column) => {
    const here = order?.column === column;
    const next = { column, descending: here ? !order.descending : true };
    const arrow = here ? (order.descending ? " ↓" : " ↑") : "";
    return button(head + arrow, () => chosen(next), { class: "sort", "aria-label": `Sort by ${head}` });
  });
  const cells = rows.map((row) => columns.map(({ value, cell }) => (cell ? cell(row) : (value(row) as number | string))));
  const element = table(caption, heads, cells as (Child | number)[][]);
  if (order) {
    const direction = order.descending ? "descending" : "ascending";
    element.querySelectorAll("th")[order.column]?.setAttribute("aria-sort", direction);
  }
  return element;
}
