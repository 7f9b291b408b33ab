import { expect, it } from "vitest";
import { namedClasses } from "./setup";

it("rows without a name are no classes", () => {
  const rows = ["matrix", " pore ", "", "  "].map((name) => ({ name, color: "#000000" }));
  expect(namedClasses(rows).map((c) => c.name)).toEqual(["matrix", "pore"]);
});
