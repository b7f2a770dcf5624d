declare module "virtual:library" {
  /** The labs of the library: folder name, titles by language ("" for the lab's own). */
  const labs: { name: string; title: Record<string, string>; group: string }[];
  /** The groups of the library, in order. */
  export const groups: { id: string; title: Record<string, string> }[];
  export default labs;
}

declare module "virtual:first" {
  /** The first picture of the default lab, made while building. */
  const first: {
    name: string;
    lab: import("../pkg/hookwalk.js").LabView;
    view: import("../pkg/hookwalk.js").View;
    tables: import("../pkg/hookwalk.js").TableView[];
    events: import("../pkg/hookwalk.js").EventView[];
  } | null;
  export default first;
}
