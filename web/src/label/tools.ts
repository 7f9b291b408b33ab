/** The tools of the label: which there are, their keys and their names. */

export type Tool =
  | "look" | "brush" | "erase" | "polygon" | "fill" | "threshold" | "smart" | "relabel" | "delete" | "split" | "merge";

interface ToolInfo {
  tool: Tool;
  key: string;
  title: string;
  /** What the tool does. */
  help: string;
}

export const TOOLS: ToolInfo[] = [
  { tool: "look", key: "v", title: "Look", help: "Move the image; click an object for its measurements" },
  { tool: "brush", key: "b", title: "Brush", help: "Paint the class" },
  { tool: "erase", key: "e", title: "Eraser", help: "Take labels away: the pixels are to be ignored" },
  { tool: "polygon", key: "p", title: "Polygon", help: "Click corners; Enter or a double click closes" },
  { tool: "smart", key: "s", title: "Smart fill", help: "Click an object: its outline is found" },
  { tool: "threshold", key: "t", title: "Threshold brush", help: "Paint only pixels between the two grey levels" },
  { tool: "fill", key: "f", title: "Fill", help: "Give a patch of one label the class" },
  { tool: "relabel", key: "r", title: "Relabel", help: "Click an object: it gets the class" },
  { tool: "delete", key: "x", title: "Delete", help: "Click an object: it becomes the first class" },
  { tool: "split", key: "k", title: "Split", help: "Draw a cut of the first class through an object" },
  { tool: "merge", key: "j", title: "Merge", help: "Draw a bridge between objects of the class" },
];

/** Tools that draw a line along the way of the pointer. The others act at one place. */
export const drawsLines = (tool: Tool): boolean => ["brush", "erase", "threshold", "split", "merge"].includes(tool);

/** Tools whose line is as wide as the brush. */
export const usesRadius = (tool: Tool): boolean => ["brush", "erase", "threshold"].includes(tool);
