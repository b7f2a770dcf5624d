/// The editor, opened as a person opens it.
import { expect, type Locator, type Page } from "@playwright/test";

/** Opens the panel, and gives the text field once the editor is there. */
export async function editor(page: Page): Promise<Locator> {
  await page.getByRole("button", { name: "Lab text" }).click();
  await expect(page.locator("hw-editor .code")).toHaveAttribute("data-ready", "1");
  return page.getByRole("textbox", { name: "The lab's text" });
}
