/// The texts of the library's labs: each is a file of its own, fetched when it is opened.
const texts = import.meta.glob("../../labs/*/*.lab", { query: "?raw", import: "default" }) as Record<string, () => Promise<string>>;

export async function labText(name: string): Promise<string> {
  const load = texts[`../../labs/${name}/${name}.lab`];
  if (!load) throw new Error(`no lab named ${name}`);
  return load();
}
