declare module "virtual:library" {
  /** The labs of the library: folder name, titles by language ("" for the lab's own). */
  const labs: { name: string; title: Record<string, string> }[];
  export default labs;
}
