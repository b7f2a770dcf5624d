import { expect, test } from "vitest";
import { readAddress } from "./address.js";

test("reads what a link says, and leaves out what makes no sense", () => {
  expect(readAddress("#lab=redirect&at=12&host=server&lang=zh")).toEqual({ lab: "redirect", at: 12, host: "server", lang: "zh" });
  expect(readAddress("#lab=redirect&at=-1&lang=tlh")).toEqual({ lab: "redirect" });
  expect(readAddress("#at=1e99")).toEqual({});
  expect(readAddress("")).toEqual({});
});
