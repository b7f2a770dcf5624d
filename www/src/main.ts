/// Starts the page: the elements first, then the simulator.
import "./elements/app.js";
import type { App } from "./elements/app.js";
import { simulator } from "./simulator.js";

const app = document.querySelector<App>("hw-app");
if (app) {
  simulator().then(
    (open) => app.start(open),
    (error: unknown) => app.fail(error instanceof Error ? error.message : String(error)),
  );
}

// After one visit the page works without a network.
if ("serviceWorker" in navigator && isSecureContext && location.protocol.startsWith("http")) {
  addEventListener("load", () => void navigator.serviceWorker.register("./sw.js").catch(() => undefined));
}
